"""Questions to the history, each answered at one moment, with a bound on what it gives back.

The present is the loop's state; this is what was. Writing the history is the loop's, except for
what is no consequence of an entry: output of runs, and tokens. Deleting it is `retention`'s.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from agent.model.alert import AlertRecord
from agent.model.change import Change, ChangeState, Run
from agent.model.incident import Incident, IncidentState, StateInterval, TimelineItem
from agent.model.interval import Interval
from agent.model.problem import Problem
from agent.model.remediation import RunLine
from agent.model.reported import ReportedChange
from agent.model.service import EntityRef
from agent.runtime.audit import log as audit
from agent.runtime.audit.events import token_made, token_removed
from agent.runtime.codec import decode, encode, to_micros
from agent.runtime.database import Database
from agent.runtime.projection import Insert, number_of
from agent.runtime.tokens import TokenRecord

PAGE_MAX = 1000
ALERTS_OF_INCIDENT_MAX = 5000
TIMELINE_MAX = 5000
LINES_MAX = 5000
PROBLEMS_MAX = 1000
INTERVALS_MAX = 200_000
PERIOD_MAX = 100_000
"""Records of one kind in one period."""
ENTITIES_A_QUESTION_MAX = 500
NUMBER_MAX = 2**62

RUN_OUTPUT = Insert.last("run_output", ("run", "number"), ("at", "body"))
TOKENS = Insert.last("tokens", ("id",), ("name", "body"))

R = TypeVar("R")


class Store:
    """The history as records of the model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def incidents(
        self,
        *,
        states: Sequence[IncidentState] = (),
        entity: EntityRef | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> tuple[Incident, ...]:
        """Incidents that concern the entity, newest first, older than the incident `before`."""
        where, values = _older_than(before)
        if states:
            where += f" AND state IN ({_marks(states)})"
            values += states
        if entity is not None:
            where += " AND number IN (SELECT incident FROM incident_entities WHERE entity = ?)"
            values.append(entity)
        return await self._page(Incident, f"FROM incidents WHERE {where}", values, limit)

    async def incident(self, identifier: str) -> Incident | None:
        """One, however old."""
        return await self._one(Incident, "incidents", identifier)

    async def timeline(self, subject: str) -> tuple[TimelineItem, ...]:
        """The story of an incident, change or problem, oldest first."""
        return await self._all(
            TimelineItem,
            "SELECT body FROM timeline WHERE subject = ? ORDER BY entry, position LIMIT ?",
            (subject, TIMELINE_MAX),
        )

    async def alerts_of(self, incident: str) -> tuple[AlertRecord, ...]:
        """The occurrences of its alerts that are over, newest first; what fires is in the state."""
        return await self._all(
            AlertRecord,
            "SELECT body FROM alerts WHERE incident = ? ORDER BY heard_at DESC LIMIT ?",
            (incident, ALERTS_OF_INCIDENT_MAX),
        )

    async def changes(
        self,
        *,
        states: Sequence[ChangeState] = (),
        entity: EntityRef | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> tuple[Change, ...]:
        """Changes, newest first, older than the change `before`."""
        where, values = _older_than(before)
        if states:
            where += f" AND state IN ({_marks(states)})"
            values += states
        if entity is not None:
            where += " AND entity = ?"
            values.append(entity)
        return await self._page(Change, f"FROM changes WHERE {where}", values, limit)

    async def change(self, identifier: str) -> Change | None:
        """One, however old."""
        return await self._one(Change, "changes", identifier)

    async def runs_of(self, change: str) -> tuple[Run, ...]:
        """In the order in which they were asked for."""
        query = "SELECT body FROM runs WHERE change = ? ORDER BY number LIMIT ?"
        return await self._all(Run, query, (change, PAGE_MAX))

    async def run(self, identifier: str) -> Run | None:
        """One, however old."""
        return await self._one(Run, "runs", identifier)

    async def run_output(self, run: str, after: int = 0) -> tuple[RunLine, ...]:
        """The lines with a number above `after`, in order; ask again from the last for more."""
        return await self._all(
            RunLine,
            "SELECT body FROM run_output WHERE run = ? AND number > ? ORDER BY number LIMIT ?",
            (run, after, LINES_MAX),
        )

    async def add_output(self, lines: Sequence[RunLine]) -> None:
        """Keep lines of live output; the same line twice is kept once. Durable on return."""
        rows = {
            (line.run, line.number): (line.run, line.number, to_micros(line.at), encode(line))
            for line in lines
        }
        await self._database.write(
            lambda connection: RUN_OUTPUT.write(connection, [*rows.values()])
        )

    async def problems(self) -> tuple[Problem, ...]:
        """Newest first."""
        query = "SELECT body FROM problems ORDER BY number DESC LIMIT ?"
        return await self._all(Problem, query, (PROBLEMS_MAX,))

    async def problem(self, identifier: str) -> Problem | None:
        """One, however old."""
        return await self._one(Problem, "problems", identifier)

    async def reported(
        self, *, limit: int = 100, before: str | None = None
    ) -> tuple[ReportedChange, ...]:
        """Changes of others, the last heard of first, heard of before `before`."""
        where, values = _older_than(before)
        return await self._page(ReportedChange, f"FROM reported WHERE {where}", values, limit)

    async def reported_change(self, identifier: str) -> ReportedChange | None:
        """One, however old."""
        return await self._one(ReportedChange, "reported", identifier)

    async def intervals(
        self, entities: Sequence[EntityRef], interval: Interval
    ) -> tuple[StateInterval, ...]:
        """Health of these entities where it meets the interval, by entity and time.

        Not clipped. What is not in here was up, if somebody watched: see the entity `*`.
        """
        wanted = sorted(set(entities))
        chunks = [
            wanted[start : start + ENTITIES_A_QUESTION_MAX]
            for start in range(0, len(wanted), ENTITIES_A_QUESTION_MAX)
        ]
        ends = (to_micros(interval.end), to_micros(interval.start))

        def ask(connection: sqlite3.Connection) -> tuple[StateInterval, ...]:
            return tuple(
                decode(StateInterval, body)
                for chunk in chunks
                for (body,) in connection.execute(
                    f"SELECT body FROM intervals WHERE entity IN ({_marks(chunk)})"  # noqa: S608
                    " AND starts_at < ? AND (ends_at IS NULL OR ends_at > ?)"
                    " ORDER BY entity, starts_at LIMIT ?",
                    (*chunk, *ends, INTERVALS_MAX),
                )
            )

        return await self._database.read(ask)

    async def changes_alive(self, window: Interval) -> tuple[Change, ...]:
        """Changes that were asked for and not over before the window, oldest first."""
        return await self._all(
            Change,
            "SELECT body FROM changes WHERE requested_at < ? AND (ended_at IS NULL OR ended_at >= ?"
            " OR state != 'closed') ORDER BY number LIMIT ?",
            (to_micros(window.end), to_micros(window.start), PERIOD_MAX),
        )

    async def incidents_alive(self, window: Interval) -> tuple[Incident, ...]:
        """Incidents that were opened and not closed before the window, oldest first."""
        return await self._all(
            Incident,
            "SELECT body FROM incidents WHERE opened_at < ? AND (closed_at IS NULL"
            " OR closed_at >= ?) ORDER BY number LIMIT ?",
            (to_micros(window.end), to_micros(window.start), PERIOD_MAX),
        )

    async def runs_in(self, window: Interval) -> tuple[Run, ...]:
        """Runs that were asked for in the window, in that order."""
        query = "SELECT body FROM runs WHERE requested_at >= ? AND requested_at < ?"
        ends = (to_micros(window.start), to_micros(window.end), PERIOD_MAX)
        return await self._all(Run, f"{query} ORDER BY number LIMIT ?", ends)

    async def reported_in(self, window: Interval) -> tuple[ReportedChange, ...]:
        """Changes of others that began in the window, in the order in which we heard of them."""
        query = "SELECT body FROM reported WHERE started_at >= ? AND started_at < ?"
        ends = (to_micros(window.start), to_micros(window.end), PERIOD_MAX)
        return await self._all(ReportedChange, f"{query} ORDER BY number LIMIT ?", ends)

    async def printed_in(self, window: Interval) -> tuple[str, ...]:
        """Runs that printed something in the window, whether or not there is a record of them."""
        ends = (to_micros(window.start), to_micros(window.end), PERIOD_MAX)
        found = await self._database.read(
            lambda connection: connection.execute(
                "SELECT DISTINCT run FROM run_output WHERE at >= ? AND at < ? LIMIT ?", ends
            ).fetchall()
        )
        return tuple(name for (name,) in found)

    async def tokens(self) -> tuple[TokenRecord, ...]:
        """All that are kept, by name; the tokens themselves never are."""
        query = "SELECT body FROM tokens ORDER BY name, id LIMIT ?"
        return await self._all(TokenRecord, query, (PAGE_MAX,))

    async def add_token(self, record: TokenRecord, *, by: str) -> None:
        """Keep the record of a token that somebody made; durable, and audited, on return."""
        row = (record.id, record.name, encode(record))

        def add(connection: sqlite3.Connection) -> None:
            TOKENS.write(connection, [row])
            audit.append(connection, [token_made(record, by)])

        await self._database.write(add)

    async def remove_token(self, token_id: str, *, by: str, at: datetime) -> None:
        """Forget a token; durable, and audited, on return. An unknown one is no error."""

        def remove(connection: sqlite3.Connection) -> None:
            if connection.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount:
                audit.append(connection, [token_removed(token_id, by, at)])

        await self._database.write(remove)

    async def _one(self, kind: type[R], table: str, identifier: str) -> R | None:
        try:
            number = number_of(identifier)
        except ValueError:
            return None
        if number > NUMBER_MAX:
            return None
        query = f"SELECT body FROM {table} WHERE number = ?"  # noqa: S608 - our own names
        found = await self._all(kind, query, (number,))
        # `CHG-7` and `INC-7` share a number, not a record.
        return next((record for record in found if getattr(record, "id", None) == identifier), None)

    async def _page(
        self, kind: type[R], tail: str, values: Sequence[str | int], limit: int
    ) -> tuple[R, ...]:
        query = f"SELECT body {tail} ORDER BY number DESC LIMIT ?"
        return await self._all(kind, query, (*values, max(0, min(limit, PAGE_MAX))))

    async def _all(self, kind: type[R], query: str, values: Sequence[str | int]) -> tuple[R, ...]:
        bodies = await self._database.read(
            lambda connection: connection.execute(query, values).fetchall()
        )
        return tuple(decode(kind, body) for (body,) in bodies)


def _older_than(before: str | None) -> tuple[str, list[str | int]]:
    try:
        return "number < ?", [NUMBER_MAX if before is None else min(number_of(before), NUMBER_MAX)]
    except ValueError:
        return "number < ?", [0]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
