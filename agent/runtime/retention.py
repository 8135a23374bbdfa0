"""Lets go of what is older than the operator wants to keep, a little at a time.

What is still open is kept whatever its age, and of the journal everything behind the older of the
kept snapshots: a start never misses an entry.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from agent.runtime.clock import Clock
from agent.runtime.codec import to_micros
from agent.runtime.database import Database
from agent.runtime.journal import first_number
from agent.runtime.snapshot import Snapshots

ROWS_A_SLICE = 500
"""Small enough that whoever waits for the disk behind a slice does not notice."""
PAUSE_S = 0.05
EVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept after they are over."""

    history: timedelta = timedelta(days=400)
    """Alerts, incidents, changes, runs, timelines, health: what reports are made of."""
    journal: timedelta = timedelta(days=90)
    """How far back rules can be replayed."""
    output: timedelta = timedelta(days=90)
    """Live output of runs."""
    audit: timedelta = timedelta(weeks=366)
    """Texts of audit events; their hashes stay, so that what is kept can still be checked."""


_HISTORY = (
    "DELETE FROM alerts WHERE heard_at IN (SELECT heard_at"
    " FROM alerts WHERE heard_at < ?1 AND ends_at < ?1 ORDER BY heard_at LIMIT ?2)",
    "DELETE FROM incidents WHERE number IN (SELECT number FROM incidents"
    " WHERE state IN ('closed', 'merged') AND closed_at < ?1 ORDER BY number LIMIT ?2)",
    "DELETE FROM incident_entities WHERE (entity, incident) IN (SELECT entity, incident"
    " FROM incident_entities WHERE incident NOT IN (SELECT number FROM incidents) LIMIT ?2)",
    "DELETE FROM runs WHERE number IN (SELECT number FROM runs"
    " WHERE state = 'finished' AND requested_at < ?1 ORDER BY number LIMIT ?2)",
    "DELETE FROM changes WHERE number IN (SELECT number FROM changes"
    " WHERE state = 'closed' AND ended_at < ?1 ORDER BY number LIMIT ?2)",
    "DELETE FROM reported WHERE number IN (SELECT number FROM reported"
    " WHERE started_at < ?1 ORDER BY number LIMIT ?2)",
    "DELETE FROM intervals WHERE (entity, starts_at) IN (SELECT entity, starts_at"
    " FROM intervals WHERE ends_at < ?1 LIMIT ?2)",
    # Entries are in the order of time: what is old comes first.
    "DELETE FROM timeline WHERE (entry, position) IN (SELECT entry, position FROM (SELECT * FROM"
    " timeline ORDER BY entry, position LIMIT ?2) AS oldest WHERE at < ?1)",
)
_OUTPUT = (
    "DELETE FROM run_output WHERE (run, number) IN (SELECT run, number"
    " FROM run_output WHERE at < ?1 ORDER BY at LIMIT ?2)",
)
_AUDIT = (
    # A beginning goes, never a middle: events are in the order in which they were written.
    "DELETE FROM audit WHERE number IN (SELECT number FROM (SELECT number, at FROM audit"
    " ORDER BY number LIMIT ?2) AS oldest WHERE at < ?1)",
    "DELETE FROM audit_subjects WHERE (subject, number) IN (SELECT subject, number FROM"
    " audit_subjects WHERE number < (SELECT min(number) FROM audit) LIMIT ?2)",
    "DELETE FROM audit_checkpoints WHERE size IN (SELECT size FROM audit_checkpoints WHERE"
    " size < (SELECT min(number) FROM audit) ORDER BY size LIMIT ?2)",
)


class Pruner:
    """Prunes once an hour. Give `run` a task of its own."""

    def __init__(
        self, database: Database, snapshots: Snapshots, clock: Clock, retention: Retention
    ) -> None:
        self._database = database
        self._snapshots = snapshots
        self._clock = clock
        self._retention = retention

    async def run(self) -> None:
        """Prune, again and again, until cancelled. Raises what `Database.write` raises."""
        while True:
            await self.prune()
            await asyncio.sleep(EVERY_S)

    async def prune(self) -> int:
        """Delete what is old enough now; answers with the number of rows that went."""
        now = self._clock.now()
        history = to_micros(now - self._retention.history)
        output = to_micros(now - self._retention.output)
        deleted = 0
        for statement in _HISTORY:
            deleted += await self._in_slices(partial(_delete, statement, history))
        for statement in _OUTPUT:
            deleted += await self._in_slices(partial(_delete, statement, output))
        audit = to_micros(now - self._retention.audit)
        for statement in _AUDIT:
            deleted += await self._in_slices(partial(_delete, statement, audit))
        behind = self._snapshots.oldest_number()
        if behind is not None:
            oldest = to_micros(now - self._retention.journal)
            deleted += await self._in_slices(partial(_delete_entries, oldest, behind))
            first = await self._database.read(first_number)
            self._snapshots.waypoints.forget_before((first or 1) - 1)
        return deleted

    async def _in_slices(self, delete: Callable[[sqlite3.Connection], int]) -> int:
        deleted = 0
        while count := await self._database.write(delete):
            deleted += count
            await asyncio.sleep(PAUSE_S)
        return deleted


def _delete(statement: str, before: int, connection: sqlite3.Connection) -> int:
    return connection.execute(statement, (before, ROWS_A_SLICE)).rowcount


def _delete_entries(before: int, behind: int, connection: sqlite3.Connection) -> int:
    # Numbers are kept in one piece: what goes is a beginning of the journal, never its middle.
    return connection.execute(
        "DELETE FROM journal WHERE number IN (SELECT number FROM journal"
        " WHERE at < ? AND number <= ? ORDER BY number LIMIT ?)",
        (before, behind, ROWS_A_SLICE),
    ).rowcount
