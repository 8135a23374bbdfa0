"""What the running agent answers to an auditor: events, proofs, checkpoints, how it stands."""

import base64
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agent.model.interval import Interval
from agent.reporting.changes.population import Told
from agent.reporting.changes.violations import Launch
from agent.runtime.audit.checkpoints import Checkpoint, Delivery, Publisher, read_checkpoints
from agent.runtime.audit.log import (
    Event,
    Head,
    Tree,
    events_about,
    first_kept,
    head_of,
    read_events,
)
from agent.runtime.audit.merkle import consistency, inclusion
from agent.runtime.audit.names import forget, people
from agent.runtime.audit.played import known, last_told, played, runs_between
from agent.runtime.database import Database

EVENTS_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Hashes in base64, as RFC 6962 has them: from the bottom to the top."""

    size: int
    root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the log stands."""

    head: Head
    first: int
    """The first event of which the text is kept."""
    key: str
    """What checks the checkpoints: `name+hash+key`."""
    checkpoint: Checkpoint | None
    deliveries: tuple[Delivery, ...]
    problems: tuple[str, ...]


class AuditDesk:
    """Questions to the audit log, each answered at one moment."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    async def standing(self) -> Standing:
        """How much there is, and who vouches for it."""
        head = await self._database.read(head_of)
        first = await self._database.read(first_kept)
        newest = await self._database.read(partial(read_checkpoints, limit=1))
        return Standing(
            head=head,
            first=first,
            key=self._publisher.signer.verifier_key,
            checkpoint=newest[0] if newest else None,
            deliveries=await self._publisher.deliveries(),
            problems=tuple(self._publisher.problems()),
        )

    async def events(self, after: int, limit: int) -> list[Event]:
        """Events behind number `after`, in order."""
        count = min(limit, EVENTS_MAX)
        return await self._database.read(
            lambda connection: list(read_events(connection, after, count))
        )

    async def about(self, subject: str) -> list[Event]:
        """Events about a change or a run, in order."""
        return await self._database.read(partial(events_about, subject=subject, limit=EVENTS_MAX))

    async def runs_between(self, window: Interval) -> frozenset[str]:
        """Ids of the runs that events of this time are about."""
        return await self._database.read(partial(runs_between, window=window))

    async def known(self, subjects: Sequence[str]) -> frozenset[str]:
        """Those of these ids that there is an event about."""
        return await self._database.read(partial(known, subjects=subjects))

    async def played(self, runs: Sequence[str]) -> dict[str, Launch]:
        """What was laid out and prepared for these runs, as the log has it."""
        return await self._database.read(partial(played, runs=runs))

    async def last_told(self, changes: Sequence[str]) -> dict[str, Told]:
        """What the log last said of these changes."""
        return await self._database.read(partial(last_told, changes=changes))

    async def since(self) -> datetime | None:
        """The moment of the first event that is kept; None where there is none."""
        first = await self.events(-1, 1)
        return first[0].at if first else None

    async def people(self) -> dict[str, str]:
        """Whom the commitments of the log stand for, where that was not erased."""
        return await self._database.read(people)

    async def inclusion(self, number: int, size: int | None) -> Proof | None:
        """That an event is in the tree of `size` events (None: all); None where it is not."""

        def ask(connection: sqlite3.Connection) -> Proof | None:
            head = head_of(connection)
            count = head.size if size is None else size
            if not 0 <= number < count <= head.size:
                return None
            return _proof(connection, count, inclusion(number, count, Tree(connection).read))

        return await self._database.read(ask)

    async def consistency(self, older: int, size: int | None) -> Proof | None:
        """That the tree of `older` events is a beginning of that of `size`; None where not."""

        def ask(connection: sqlite3.Connection) -> Proof | None:
            head = head_of(connection)
            count = head.size if size is None else size
            if not 0 < older <= count <= head.size:
                return None
            return _proof(connection, count, consistency(older, count, Tree(connection).read))

        return await self._database.read(ask)

    async def forget(self, name: str) -> bool:
        """Erase whose commitment a name has in the log; whether there was one."""
        return await self._database.write(partial(forget, name=name))


def _proof(connection: sqlite3.Connection, size: int, path: Sequence[bytes]) -> Proof:
    return Proof(
        size=size,
        root=_packed(head_of(connection, size).root),
        path=tuple(map(_packed, path)),
    )


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()
