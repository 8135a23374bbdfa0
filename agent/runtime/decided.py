"""Entries on their way through the loop: those that wait, and those decided but not yet durable."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field

from agent.model.entry import Entry, What
from agent.model.transition import Transition
from agent.runtime.journal import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An entry that is durable, and what it led to."""

    entry: Entry
    transition: Transition


Answer = asyncio.Future[Appended]
"""What whoever brought an entry waits for."""


@dataclass(slots=True)
class Waiting:
    """Something that happened and was not decided on yet."""

    what: What
    body: bytes
    since: float
    answer: Answer


@dataclass(slots=True)
class Decided:
    """Entries that become durable together, and whom to tell then."""

    batch: Batch = field(default_factory=Batch)
    told: list[tuple[Appended, Answer | None]] = field(default_factory=list)
    commit: Future[None] | None = None
    submitted: float = 0.0

    def add(self, appended: Appended, body: bytes, answer: Answer | None) -> None:
        """Take up one more; the loop's own entries have nobody who waits for them."""
        self.batch.add(appended.entry, body, appended.transition)
        self.told.append((appended, answer))
