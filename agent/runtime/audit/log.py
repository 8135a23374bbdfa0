"""The tables of the audit log: events are added at the end, in the transaction of what they tell.

Never rebuilt from the journal: it says what this agent did then, not what another version would
have made of it. Not here: what is audited (`events`), and who hears of the tree's head
(`checkpoints`).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.runtime.audit.events import FORMAT, Audited, shortened
from agent.runtime.audit.merkle import Hash, Node, full_subtrees, grown, leaf_hash, root
from agent.runtime.audit.names import committed_in, without_names
from agent.runtime.codec import encode_canonical, from_micros, to_micros
from agent.runtime.database import StorageError
from agent.runtime.projection import Insert

EVENTS = Insert.once("audit", ("number",), ("at", "kind", "body"))
SUBJECTS = Insert.once("audit_subjects", ("subject", "number"), ())
NODES = Insert.once("audit_nodes", ("level", "position"), ("hash",))

NO_EVENT = bytes(32)
"""What the first event says of the one before it."""
EVENTS_READ_AT_ONCE = 500
SIZE_MAX = 2**60


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One leaf of the tree. `body` is its text, byte for byte what was hashed."""

    number: int
    """Its place in the tree, from 0."""
    at: datetime
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The tree as it stands."""

    size: int
    root: Hash


class Tree:
    """The nodes of the tree in the database, and those that are not yet written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._new: dict[tuple[int, int], Hash] = {}

    def read(self, level: int, position: int) -> Hash:
        """The hash of a full subtree. Raises `StorageError` where the table lacks it."""
        new = self._new.get((level, position))
        if new is not None:
            return new
        row = self._connection.execute(
            "SELECT hash FROM audit_nodes WHERE level = ? AND position = ?", (level, position)
        ).fetchone()
        if row is None:
            raise StorageError(f"the audit log lacks node {position} of level {level}")
        return bytes(row[0])

    def add(self, nodes: Iterable[Node]) -> None:
        """Take up nodes that became full."""
        for level, position, digest in nodes:
            self._new[level, position] = digest

    def write(self) -> None:
        """Write what is new."""
        NODES.write(self._connection, [(*place, digest) for place, digest in self._new.items()])
        self._new = {}


def append(connection: sqlite3.Connection, events: Sequence[Audited]) -> None:
    """Add events, in this order, inside the transaction that is open."""
    if not events:
        return
    number, tree, commit = size_of(connection), Tree(connection), committed_in(connection)
    before = tree.read(0, number - 1) if number else NO_EVENT
    rows, subjects = [], []
    for event in events:
        said = shortened(without_names(event.document, commit))
        assert isinstance(said, dict)
        body = encode_canonical(
            {
                **said,
                "format": FORMAT,
                "number": number,
                "previous": before.hex(),
                "at": event.at,
                "kind": event.kind,
                "subjects": event.subjects,
            }
        )
        before = leaf_hash(body)
        tree.add(grown(number, before, tree.read))
        rows.append((number, to_micros(datetime.fromisoformat(event.at)), event.kind, body))
        subjects += [(subject, number) for subject in event.subjects]
        number += 1
    EVENTS.write(connection, rows)
    SUBJECTS.write(connection, subjects)
    tree.write()


def size_of(connection: sqlite3.Connection) -> int:
    """How many events there ever were."""
    query = "SELECT max(position) + 1 FROM audit_nodes WHERE level = 0"
    (size,) = connection.execute(query).fetchone()
    return int(size or 0)


def head_of(connection: sqlite3.Connection, size: int | None = None) -> Head:
    """The tree over the first `size` events; None: all of them."""
    count = size_of(connection) if size is None else size
    return Head(size=count, root=root(count, Tree(connection).read))


def first_kept(connection: sqlite3.Connection) -> int:
    """The number of the first event whose text is kept; the size where none is."""
    (number,) = connection.execute("SELECT min(number) FROM audit").fetchone()
    return size_of(connection) if number is None else int(number)


def beginning(connection: sqlite3.Connection) -> tuple[int, list[Hash]]:
    """How many events retention took, and the subtrees that stand for them."""
    kept = first_kept(connection)
    return kept, full_subtrees(kept, Tree(connection).read)


def read_events(
    connection: sqlite3.Connection, after: int = -1, limit: int = SIZE_MAX
) -> Iterator[Event]:
    """Events behind number `after`, in order, at most `limit`."""
    while limit > 0:
        rows = connection.execute(
            "SELECT number, at, kind, body FROM audit WHERE number > ? ORDER BY number LIMIT ?",
            (after, min(limit, EVENTS_READ_AT_ONCE)),
        ).fetchall()
        yield from map(_event, rows)
        if not rows:
            return
        after, limit = rows[-1][0], limit - len(rows)


def events_about(connection: sqlite3.Connection, subject: str, limit: int) -> list[Event]:
    """Events about a change, run, incident or problem, in order."""
    rows = connection.execute(
        "SELECT number, at, kind, body FROM audit WHERE number IN"
        " (SELECT number FROM audit_subjects WHERE subject = ? ORDER BY number LIMIT ?)"
        " ORDER BY number",
        (subject, limit),
    ).fetchall()
    return [_event(row) for row in rows]


def _event(row: tuple[int, int, str, bytes]) -> Event:
    number, at, kind, body = row
    return Event(number=number, at=from_micros(at), kind=kind, body=body)
