"""The journal's own tables: entries in order, the rule sets they name, the last sign of life.

Not here: when a batch is committed (`loop`), or what entries lead to (`core`).
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.entry import ConfigLoaded, Entry
from agent.model.rule import EMPTY_CONFIG, Config
from agent.model.transition import Transition
from agent.runtime.audit.events import Happened, event_of, is_audited
from agent.runtime.audit.log import append
from agent.runtime.codec import (
    Resolve,
    decode,
    decode_what,
    encode,
    from_micros,
    to_micros,
)
from agent.runtime.projection import Insert, Rows

ENTRIES = Insert.once("journal", ("number",), ("at", "kind", "body"))
CONFIGS = Insert.last("configs", ("digest",), ("body",))
ALIVE = Insert.last("alive", ("one",), ("at",))

READ_ENTRIES_A_TIME = 500


@dataclass(slots=True)
class Batch:
    """Entries that become durable together with what they led to."""

    entries: list[tuple[int, int, str, bytes]] = field(default_factory=list)
    configs: dict[str, Config] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    audited: list[Happened] = field(default_factory=list)

    def add(self, entry: Entry, body: bytes, transition: Transition) -> None:
        """Take up one entry, its encoded body, and what it led to."""
        what = entry.what
        if isinstance(what, ConfigLoaded):
            self.configs[what.config.digest] = what.config
        self.entries.append((entry.number, to_micros(entry.at), type(what).__name__, body))
        self.rows.add(entry.number, transition.records)
        if is_audited(what, transition.records):
            self.audited.append(Happened(entry=entry, body=body, transition=transition))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it inside the transaction that is open."""
        CONFIGS.write(connection, [(key, encode(value)) for key, value in self.configs.items()])
        ENTRIES.write(connection, self.entries)
        self.rows.write(connection)
        append(connection, [event_of(happened) for happened in self.audited])


def read_entries(
    connection: sqlite3.Connection, resolve: Resolve, after: int = 0
) -> Iterator[Entry]:
    """The entries behind number `after`, in order. Raises what `decode_what` raises."""
    while True:
        rows = connection.execute(
            "SELECT number, at, kind, body FROM journal WHERE number > ? ORDER BY number LIMIT ?",
            (after, READ_ENTRIES_A_TIME),
        ).fetchall()
        for number, at, kind, body in rows:
            yield Entry(number, from_micros(at), decode_what(kind, body, resolve))
        if not rows:
            return
        after = rows[-1][0]


def read_config(connection: sqlite3.Connection, digest: str) -> Config:
    """The rule set of this digest. Raises `KeyError` where it was never in force here."""
    if digest == EMPTY_CONFIG.digest:
        return EMPTY_CONFIG
    row = connection.execute("SELECT body FROM configs WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise KeyError(digest)
    return decode(Config, row[0])


def first_number(connection: sqlite3.Connection) -> int | None:
    """The number of the oldest entry that was kept; None for an empty journal."""
    (number,) = connection.execute("SELECT min(number) FROM journal").fetchone()
    assert number is None or isinstance(number, int)
    return number


def last_number(connection: sqlite3.Connection) -> int | None:
    """The number of the newest entry; None for an empty journal."""
    (number,) = connection.execute("SELECT max(number) FROM journal").fetchone()
    assert number is None or isinstance(number, int)
    return number


def write_alive(connection: sqlite3.Connection, at: datetime) -> None:
    """Leave a sign of life, for the time in which there is nothing to write."""
    ALIVE.write(connection, [(1, to_micros(at))])


def last_alive(connection: sqlite3.Connection) -> datetime | None:
    """The last sign of life: an entry or a note of ours; None where nobody ever watched."""
    (at,) = connection.execute(
        "SELECT max(at) FROM (SELECT at FROM alive UNION ALL"
        " SELECT at FROM (SELECT at FROM journal ORDER BY number DESC LIMIT 1) AS last) AS signs"
    ).fetchone()
    return None if at is None else from_micros(at)
