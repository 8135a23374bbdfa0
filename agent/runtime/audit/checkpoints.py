"""Signs the head of the audit log from time to time, and hands it to places outside.

A place that was away gets the newest checkpoint when it is back: that one covers all before it.
What cannot be delivered is tried again, counted, logged, and said in the status.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from agent.errors import AgentError, PayloadError, PermanentError, TransientError
from agent.runtime.audit.destinations import CheckpointFile, Destination
from agent.runtime.audit.log import Head, head_of, size_of
from agent.runtime.audit.note import Signer
from agent.runtime.clock import Clock
from agent.runtime.codec import from_micros, to_micros
from agent.runtime.database import Database, StorageError
from agent.runtime.log import logger
from agent.runtime.projection import Insert
from agent.verifier import Broken, open_checkpoint, split_notes

LOOK_S_MAX = 5.0
"""How often the size of the log is looked at, at the least."""
AGAIN_AFTER = timedelta(seconds=30)

CHECKPOINTS = Insert.last("audit_checkpoints", ("size",), ("at", "body"))
DELIVERIES = Insert.last("audit_deliveries", ("destination",), ("size", "at"))

log = logger("audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed head."""

    size: int
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a place outside was told last; `size` 0 where it was told nothing yet."""

    destination: str
    size: int
    at: datetime | None
    problem: str = ""


class AuditMetrics:
    """How much there is to audit, and how much of it others vouch for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Gauge(
            "watchkeeper_audit_events", "Events in the audit log.", registry=registry
        )
        self.signed = Gauge(
            "watchkeeper_audit_signed_events",
            "Events of the audit log under the newest checkpoint.",
            registry=registry,
        )
        self.delivered = Gauge(
            "watchkeeper_audit_delivered_events",
            "Events of the audit log under the newest checkpoint that is kept outside.",
            ("destination",),
            registry=registry,
        )
        self.failures = Counter(
            "watchkeeper_audit_failures_total",
            "Checkpoints of the audit log that a place outside did not take.",
            ("destination",),
            registry=registry,
        )


class Publisher:
    """Makes checkpoints and has them kept. Give `run` a task of its own."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        destinations: Sequence[Destination],
        *,
        clock: Clock,
        every: timedelta,
        events: int,
        metrics: AuditMetrics,
    ) -> None:
        self.signer = signer
        self._database = database
        self._destinations = tuple(destinations)
        self._clock = clock
        self._every = every
        self._events = events
        self._metrics = metrics
        self._problems: dict[str, str] = {}
        self._not_before: dict[str, datetime] = {}
        self._history_problem = ""

    async def run(self) -> None:
        """Sign and deliver, again and again, until cancelled."""
        is_compared = False
        while True:
            try:
                if not is_compared:
                    await self.compare()
                    is_compared = True
                await self.look()
            except TransientError as error:
                log.warning("audit.late", problem=str(error))
            await asyncio.sleep(min(LOOK_S_MAX, self._every.total_seconds()))

    def problems(self) -> list[str]:
        """Why nobody outside may vouch for the log; empty while all is well."""
        found = [self._history_problem] if self._history_problem else []
        return found + [
            f"audit checkpoint not delivered to {name}: {problem}"
            for name, problem in self._problems.items()
        ]

    async def deliveries(self) -> tuple[Delivery, ...]:
        """What each place was told last."""
        told = await self._database.read(_deliveries)
        return tuple(
            Delivery(
                destination=place.name,
                size=told.get(place.name, (0, None))[0],
                at=told.get(place.name, (0, None))[1],
                problem=self._problems.get(place.name, ""),
            )
            for place in self._destinations
        )

    async def compare(self) -> None:
        """Look whether the log still goes on from what a file outside has: it may be a backup."""
        for place in self._destinations:
            if isinstance(place, CheckpointFile):
                try:
                    notes = list(split_notes(await asyncio.to_thread(place.read)))
                    if notes:
                        await self._compare_with(notes[-1])
                except (Broken, PermanentError, StorageError) as error:
                    self._history_problem = f"audit log and {place.path} disagree: {error}"
                    log.warning("audit.disagrees", file=str(place.path), problem=str(error))

    async def look(self) -> None:
        """Sign where it is time to, and deliver where somebody lacks the newest checkpoint."""
        size = await self._database.read(size_of)
        newest = await self._database.read(newest_checkpoint)
        self._metrics.events.set(size)
        now = self._clock.now()
        if size and self._is_due(size, newest, now):
            head = await self._database.read(partial(head_of, size=size))
            newest = Checkpoint(size=size, at=now, note=self.signer.checkpoint(head, now))
            await self._database.write(partial(_keep, newest))
        if newest is None:
            return
        self._metrics.signed.set(newest.size)
        told = await self._database.read(_deliveries)
        for place in self._destinations:
            size, at = told.get(place.name, (0, None))
            self._metrics.delivered.labels(place.name).set(size)
            soonest = self._not_before.get(place.name) or (at and at + place.every)
            if size < newest.size and (soonest is None or soonest <= now):
                await self._deliver(place, newest)

    def _is_due(self, size: int, newest: Checkpoint | None, now: datetime) -> bool:
        if newest is None:
            return True
        new = size - newest.size
        # A clock that was set back must not keep the log unsigned until it is right again.
        waited = abs(now - newest.at)
        return new > 0 and (waited >= self._every or new >= self._events)

    async def _deliver(self, place: Destination, checkpoint: Checkpoint) -> None:
        try:
            await place.deliver(checkpoint.note, checkpoint.size)
        except (AgentError, PayloadError) as error:
            self._problems[place.name] = str(error)
            self._not_before[place.name] = self._clock.now() + AGAIN_AFTER
            self._metrics.failures.labels(place.name).inc()
            log.warning("audit.undelivered", destination=place.name, problem=str(error))
            return
        self._problems.pop(place.name, None)
        self._not_before.pop(place.name, None)
        self._metrics.delivered.labels(place.name).set(checkpoint.size)
        row = (place.name, checkpoint.size, to_micros(self._clock.now()))
        await self._database.write(lambda connection: DELIVERIES.write(connection, [row]))

    async def _compare_with(self, note: str) -> None:
        said = open_checkpoint(note, [self.signer.key])
        size = await self._database.read(size_of)
        if said.size > size:
            raise Broken(f"it knows {said.size} events, and there are {size} here")
        head: Head = await self._database.read(partial(head_of, size=said.size))
        if head.root != said.root:
            raise Broken(f"the first {said.size} events are not those that it vouches for")


def newest_checkpoint(connection: sqlite3.Connection) -> Checkpoint | None:
    """The last that was signed."""
    found = read_checkpoints(connection, 1)
    return found[0] if found else None


def read_checkpoints(connection: sqlite3.Connection, limit: int) -> list[Checkpoint]:
    """Those that were signed, the newest first."""
    rows = connection.execute(
        "SELECT size, at, body FROM audit_checkpoints ORDER BY size DESC LIMIT ?", (limit,)
    ).fetchall()
    return [
        Checkpoint(size=size, at=from_micros(at), note=bytes(body).decode())
        for size, at, body in rows
    ]


def _keep(checkpoint: Checkpoint, connection: sqlite3.Connection) -> None:
    row = (checkpoint.size, to_micros(checkpoint.at), checkpoint.note.encode())
    CHECKPOINTS.write(connection, [row])


def _deliveries(connection: sqlite3.Connection) -> dict[str, tuple[int, datetime | None]]:
    rows = connection.execute("SELECT destination, size, at FROM audit_deliveries").fetchall()
    return {name: (size, from_micros(at)) for name, size, at in rows}
