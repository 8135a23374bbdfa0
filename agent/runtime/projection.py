"""How records of the history become rows: written whole, by key, so that twice is harmless.

The tables themselves are `schema`'s. Reading them is `store`'s.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from agent.model.alert import AlertRecord
from agent.model.change import Change, Run
from agent.model.incident import Incident, IncidentEntity, StateInterval, TimelineItem
from agent.model.problem import Problem
from agent.model.reported import ReportedChange
from agent.model.transition import Record
from agent.runtime.codec import encode, to_micros

Row = tuple[int | str | bytes | None, ...]

ROWS_A_STATEMENT = (128, 64, 32, 16, 8, 4, 2, 1)
"""Each statement gives Python's one lock away and must win it back: many rows share one."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Writes rows of one table; what happens to those with the same key was said when made."""

    table: str
    key: tuple[str, ...]
    rest: tuple[str, ...]
    statements: tuple[tuple[int, str], ...]
    """How many rows each takes, most first."""

    @classmethod
    def once(cls, table: str, key: tuple[str, ...], rest: tuple[str, ...]) -> "Insert":
        """A second row with the same key is an error."""
        return cls._with(table, key, rest, "")

    @classmethod
    def last(cls, table: str, key: tuple[str, ...], rest: tuple[str, ...] = ()) -> "Insert":
        """The last row with a key stays; with nothing beside the key, the first does."""
        sets = ", ".join(f"{name} = excluded.{name}" for name in rest)
        action = f"DO UPDATE SET {sets}" if rest else "DO NOTHING"
        return cls._with(table, key, rest, f" ON CONFLICT ({', '.join(key)}) {action}")

    @classmethod
    def _with(
        cls, table: str, key: tuple[str, ...], rest: tuple[str, ...], conflict: str
    ) -> "Insert":
        columns = key + rest
        row = f"({', '.join('?' * len(columns))})"
        return cls(
            table,
            key,
            rest,
            tuple(
                (
                    count,
                    f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - our own names
                    f"VALUES {', '.join([row] * count)}{conflict}",
                )
                for count in ROWS_A_STATEMENT
            ),
        )

    def write(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Write these rows inside the transaction that is open; no key may come twice."""
        start = 0
        for count, statement in self.statements:
            while len(rows) - start >= count:
                values = list(chain.from_iterable(rows[start : start + count]))
                connection.execute(statement, values)
                start += count


def number_of(identifier: str) -> int:
    """`7` of `INC-7`. Raises `ValueError` for what is no such id."""
    return int(identifier.rpartition("-")[2])


def _moment(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _alert(record: AlertRecord) -> Row:
    return (
        to_micros(record.heard_at),
        _moment(record.ends_at),
        record.entity,
        record.incident,
        encode(record),
    )


def _incident(record: Incident) -> Row:
    return (
        number_of(record.id),
        record.state,
        int(record.priority),
        to_micros(record.opened_at),
        _moment(record.closed_at),
        encode(record),
    )


def _incident_entity(record: IncidentEntity) -> Row:
    return (record.entity, number_of(record.incident))


def _change(record: Change) -> Row:
    return (
        number_of(record.id),
        record.state,
        record.entity,
        record.incident,
        to_micros(record.requested_at),
        _moment(record.ended_at),
        encode(record),
    )


def _run(record: Run) -> Row:
    requested_at = to_micros(record.requested_at)
    return (number_of(record.id), record.change, record.state, requested_at, encode(record))


def _problem(record: Problem) -> Row:
    return (number_of(record.id), record.state, to_micros(record.opened_at), encode(record))


def _reported(record: ReportedChange) -> Row:
    return (number_of(record.id), to_micros(record.started_at), record.source, encode(record))


def _interval(record: StateInterval) -> Row:
    return (
        record.entity,
        to_micros(record.start),
        _moment(record.end),
        record.health,
        encode(record),
    )


ALERTS = Insert.last("alerts", ("heard_at",), ("ends_at", "entity", "incident", "body"))
INCIDENTS = Insert.last(
    "incidents", ("number",), ("state", "priority", "opened_at", "closed_at", "body")
)
INCIDENT_ENTITIES = Insert.last("incident_entities", ("entity", "incident"))
CHANGES = Insert.last(
    "changes", ("number",), ("state", "entity", "incident", "requested_at", "ended_at", "body")
)
RUNS = Insert.last("runs", ("number",), ("change", "state", "requested_at", "body"))
PROBLEMS = Insert.last("problems", ("number",), ("state", "opened_at", "body"))
REPORTED = Insert.last("reported", ("number",), ("started_at", "source", "body"))
TIMELINE = Insert.last("timeline", ("entry", "position"), ("subject", "at", "body"))
INTERVALS = Insert.last("intervals", ("entity", "starts_at"), ("ends_at", "health", "body"))

PROJECTIONS = (
    ALERTS,
    INCIDENTS,
    INCIDENT_ENTITIES,
    CHANGES,
    RUNS,
    PROBLEMS,
    REPORTED,
    TIMELINE,
    INTERVALS,
)
"""All projections, and nothing else: emptied and written anew by a rebuild."""

Key = tuple[object, ...] | datetime | str


@dataclass(frozen=True, slots=True)
class Projection:
    """How the records of one type are told apart, and what becomes of the last of each."""

    insert: Insert
    # Each takes exactly the type that it stands for, which no annotation of a dict can say.
    key_of: Callable[[Any], Key]
    row_of: Callable[[Any], Row]


_BY_TYPE: dict[type[Any], Projection] = {
    AlertRecord: Projection(ALERTS, attrgetter("heard_at"), _alert),
    Incident: Projection(INCIDENTS, attrgetter("id"), _incident),
    IncidentEntity: Projection(
        INCIDENT_ENTITIES, attrgetter("incident", "entity"), _incident_entity
    ),
    Change: Projection(CHANGES, attrgetter("id"), _change),
    Run: Projection(RUNS, attrgetter("id"), _run),
    Problem: Projection(PROBLEMS, attrgetter("id"), _problem),
    ReportedChange: Projection(REPORTED, attrgetter("id"), _reported),
    StateInterval: Projection(INTERVALS, lambda state: (state.entity, state.start), _interval),
}


class Rows:
    """What a batch of entries leaves behind; of a record that changed twice, the last is written.

    Rows are made when they are written: a storm changes the same incidents again and again.
    """

    __slots__ = ("_records", "_timeline")

    def __init__(self) -> None:
        self._records: dict[type[Any], dict[Key, Record]] = {kind: {} for kind in _BY_TYPE}
        self._timeline: list[tuple[int, int, TimelineItem]] = []

    def add(self, entry: int, records: Iterable[Record]) -> None:
        """Take up what this entry led to, in the order in which it was led to."""
        for position, record in enumerate(records):
            kind = type(record)
            if isinstance(record, TimelineItem):
                self._timeline.append((entry, position, record))
                continue
            self._records[kind][_BY_TYPE[kind].key_of(record)] = record

    def write(self, connection: sqlite3.Connection) -> None:
        """Write them inside the transaction that is open."""
        for kind, projection in _BY_TYPE.items():
            records = self._records[kind].values()
            projection.insert.write(connection, [projection.row_of(record) for record in records])
        TIMELINE.write(
            connection,
            [
                (entry, position, item.subject, to_micros(item.at), encode(item))
                for entry, position, item in self._timeline
            ],
        )
