"""The single writer of the state: numbers and times entries, has them decided, makes them durable.

While one batch is on its way to the disk the next one is decided. Nobody is answered, and nothing
is done in the world, before the commit that holds the entry. What follows from an entry is
`core.step`'s business; doing it is `perform`'s.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from agent.core.state import State
from agent.errors import AgentError, TransientError
from agent.model.effect import Effect
from agent.model.entry import AgentStarted, Entry, TimeElapsed, What
from agent.runtime.clock import Clock
from agent.runtime.codec import encode_what
from agent.runtime.crashpoint import reach
from agent.runtime.database import Database, StorageError, Work
from agent.runtime.decided import Answer, Appended, Decided, Waiting
from agent.runtime.feed import Feed
from agent.runtime.journal import write_alive
from agent.runtime.journal_time import JournalTime
from agent.runtime.leases import Leases, Repeat
from agent.runtime.metrics import LoopMetrics
from agent.runtime.recovery import Recovered, Step
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_schedule import SnapshotSchedule

ENTRIES_WAITING_MAX = 1024
RETRY_AFTER = timedelta(seconds=1)
SLICE_S = 0.005
"""How long entries are decided before requests get their turn again."""
ALIVE_EVERY = timedelta(seconds=30)
"""A sign of life at least this often: what is between the last one and a start is unknown."""
TIMER_STUCK = timedelta(seconds=1)
SEND_AGAIN_S = 0.05


class Overloaded(TransientError):  # noqa: N818 - the word that senders and pages use
    """Too much waits to be decided; nothing was kept. `retry_after` is set."""


class JournalError(AgentError):
    """Nothing more is taken here: the agent stops. Its next start may. The cause says why."""


class Loop:
    """Takes entries one after the other, whoever brings them. Give `run` a task of its own.

    No timer is heard before `AgentStarted`: what came due while nobody watched waits for it.
    """

    def __init__(
        self,
        *,
        recovered: Recovered,
        database: Database,
        snapshots: Snapshots,
        clock: Clock,
        step: Step,
        perform: Callable[[Effect], None],
        metrics: LoopMetrics,
    ) -> None:
        self._state = recovered.state
        self._database = database
        self._clock = clock
        self._step = step
        self._perform = perform
        self._metrics = metrics
        self._waiting: deque[Waiting] = deque()
        self._leases = Leases()
        self._decided = Decided()
        self._writing: Decided | None = None
        self._wake = asyncio.Event()
        self._is_watching = False
        self._stopping = False
        self._failure: JournalError | None = None
        self._feeds: set[Feed[Appended]] = set()
        self._timers_not_before: datetime | None = None
        self._signed_at = clock.now()
        self._time = JournalTime(clock, metrics)
        metrics.watch(recovered.state, self._waiting)
        self._schedule = SnapshotSchedule(
            snapshots,
            clock,
            metrics,
            tail_entries=recovered.tail_entries,
            tail_alerts=recovered.tail_alerts,
        )

    @property
    def state(self) -> State:
        """What the agent remembers: read it, never change it; it stands still between awaits."""
        return self._state

    async def append(self, what: What) -> Appended:
        """Have it decided and made durable; returns after the commit that holds it.

        Raises `Overloaded` when too much waits, `JournalError` when nothing can be kept any more,
        and what `codec.encode` raises for values that the journal cannot hold.
        """
        if self._failure is not None or self._stopping:
            raise self._failure or JournalError("the agent is stopping")
        if len(self._waiting) >= ENTRIES_WAITING_MAX:
            self._metrics.overloaded.inc()
            raise Overloaded("too many entries wait to be decided", RETRY_AFTER)
        answer: Answer = asyncio.get_running_loop().create_future()
        body = encode_what(what)
        self._waiting.append(Waiting(what, body, self._clock.monotonic(), answer))
        self._wake.set()
        return await answer

    def renew(self, fingerprint: str, expires_at: datetime | None) -> None:
        """A firing alert was repeated; kept in memory and written with many others.

        Its lease moves to `expires_at` where that is one.
        """
        active = self._state.alerts.get(fingerprint)
        if active is None:
            return
        repeat = Repeat(expires_at=expires_at, heard_at=self._clock.now(), beats=bool(active.beats))
        if self._leases.renew(fingerprint, repeat, known=self._state.believed_until(active)):
            self._wake.set()

    async def confirm(self) -> None:
        """Returns while the journal is ours; raises `JournalError` where it is not any more.

        What must not be begun by two agents is begun right after this, or not at all.
        """
        try:
            await self._database.write(_nothing)
        except StorageError as error:
            self._wake.set()
            raise JournalError(f"the journal is not ours: {error}") from error

    def subscribe(self) -> Feed[Appended]:
        """Everything committed from now on; bounded, with `RESYNC` for what was dropped."""
        return Feed(self._feeds)

    def stop(self) -> None:
        """Take nothing more; `run` writes what waits, then a snapshot, and returns."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`. Raises `JournalError`, after which nothing is taken any more."""
        try:
            while not self._is_over():
                self._wake.clear()
                if self._database.failure is not None:
                    raise self._database.failure
                self._settle()
                self._decide()
                self._submit()
                self._snapshot()
                await self._rest()
            with suppress(TransientError):
                await self._database.write(partial(write_alive, at=self._now()))
            reach("shutdown.before_close")
            self._schedule.finish(self._state)
        except (StorageError, sqlite3.Error) as error:
            self._failure = JournalError(f"the journal cannot be written: {error}")
            raise self._failure from error
        finally:
            self._end()

    def _is_over(self) -> bool:
        return self._stopping and not self._waiting and self._is_durable()

    def _settle(self) -> None:
        """Answer for the batch that has become durable, and have its effects performed."""
        written = self._writing
        if written is None or written.commit is None or not written.commit.done():
            return
        written.commit.result()
        self._writing = None
        reach("loop.after_commit")
        self._metrics.committed(written, self._clock.monotonic())
        for appended, answer in written.told:
            if answer is not None and not answer.done():
                answer.set_result(appended)
            for effect in appended.transition.effects:
                self._perform(effect)
            for feed in tuple(self._feeds):
                feed.put(appended)

    def _decide(self) -> None:
        """Decide on what waits, for one slice of time; timers that are due come first."""
        if self._schedule.is_due(self._state):
            return
        self._hear_timers()
        if not self._waiting:
            return
        begun = self._clock.monotonic()
        self._metrics.wait.observe(begun - self._waiting[0].since)
        while self._waiting:
            waiting = self._waiting.popleft()
            self._apply(waiting.what, waiting.body, waiting.answer)
            if self._clock.monotonic() - begun > SLICE_S:
                break
        self._metrics.step.observe(self._clock.monotonic() - begun)

    def _apply(self, what: What, body: bytes, answer: Answer | None = None) -> None:
        entry = Entry(self._state.last_number + 1, self._now(), what)
        transition = self._step(self._state, entry)
        self._is_watching = self._is_watching or isinstance(what, AgentStarted)
        self._decided.add(Appended(entry=entry, transition=transition), body, answer)
        self._schedule.count(what)

    def _now(self) -> datetime:
        return self._time.now(self._state.last_at)

    def _hear_timers(self) -> None:
        if not self._is_watching:
            return
        now = self._now()
        if self._leases.due is not None and self._leases.due <= now:
            for renewed in self._leases.take():
                self._apply(renewed, encode_what(renewed))
        if self._timers_not_before is not None and now < self._timers_not_before:
            return
        due = self._state.next_due()
        if due is None or due > now:
            return
        self._apply(TimeElapsed(), encode_what(TimeElapsed()))
        # A timer that stays where it was would keep the loop busy for nothing.
        self._timers_not_before = now + TIMER_STUCK if self._state.next_due() == due else None

    def _submit(self) -> None:
        if self._writing is not None:
            return
        if not self._decided.told:
            self._sign()
            return
        reach("loop.before_commit")
        decided = self._decided
        self._send(decided, decided.batch.write)
        if self._writing is decided:
            self._decided = Decided()

    def _sign(self) -> None:
        """Leave a sign of life when nothing else was written for a while."""
        now = self._now()
        if now - self._signed_at >= ALIVE_EVERY:
            self._send(Decided(), partial(write_alive, at=now))

    def _send(self, decided: Decided, work: Work[None]) -> None:
        """Have it written; where too much waits for the disk already, try again soon."""
        loop = asyncio.get_running_loop()
        decided.submitted = self._clock.monotonic()
        try:
            decided.commit = self._database.submit(work)
        except TransientError:
            loop.call_later(SEND_AGAIN_S, self._wake.set)
            return
        self._writing = decided
        decided.commit.add_done_callback(lambda _: loop.call_soon_threadsafe(self._wake.set))
        self._signed_at = self._now()

    async def _rest(self) -> None:
        """Let others work; wait for an entry, a commit or the next timer."""
        if self._is_over() or (self._waiting and not self._schedule.is_due(self._state)):
            await asyncio.sleep(0)
            return
        alarm = asyncio.get_running_loop().call_later(self._seconds_to_wait(), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()

    def _seconds_to_wait(self) -> float:
        now = self._now()
        moments = [now + ALIVE_EVERY]
        if self._writing is None:
            moments.append(self._signed_at + ALIVE_EVERY)
        due = self._state.next_due() if self._is_watching else None
        if due is not None:
            moments.append(max(due, self._timers_not_before or due))
        if self._is_watching and self._leases.due is not None:
            moments.append(self._leases.due)
        seconds = max(0.0, (min(moments) - now).total_seconds())
        look_again = self._schedule.look_again_s()
        return seconds if look_again is None else min(seconds, look_again)

    def _snapshot(self) -> None:
        self._schedule.settle()
        # Only of a state that is wholly durable: a snapshot must never be ahead of the journal.
        if self._is_durable() and self._schedule.is_due(self._state):
            self._schedule.begin(self._state, self._wake.set)
            self._wake.set()

    def _is_durable(self) -> bool:
        return self._writing is None and not self._decided.told

    def _end(self) -> None:
        """Tell everybody who still waits that it was not kept."""
        failure = self._failure or JournalError("the agent has stopped")
        self._failure = failure
        answers: list[Answer | None] = [waiting.answer for waiting in self._waiting]
        for decided in (self._writing, self._decided):
            answers += [answer for _, answer in decided.told] if decided else []
        for answer in answers:
            if answer is not None and not answer.done():
                answer.set_exception(failure)
        for feed in tuple(self._feeds):
            feed.close()


def _nothing(_: sqlite3.Connection) -> None:
    """What is written to learn whether one may."""
