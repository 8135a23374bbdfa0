"""Effects done in the world, and what became of each as an entry.

Bounded, in order where order matters, and apart where one tool must not wait for another. What
does not fit in memory stays in the outbox and is fetched from there later.
Not here: what to do (`core`), how each tool is spoken to (the ports).
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from agent.core.state import State
from agent.errors import AgentError, PermanentError
from agent.model.effect import (
    CancelRun,
    Effect,
    LaunchRun,
    MeasureSignals,
    Notify,
    PrepareRun,
    PreviewRun,
    Probe,
    WriteTicket,
)
from agent.model.entry import (
    NotificationRefused,
    NotificationSent,
    ProbeAnswered,
    RunLost,
    RunPrepared,
    SignalsMeasured,
    TicketRefused,
    TicketWritten,
    What,
)
from agent.model.preview import Preview, PreviewState
from agent.model.preview_entries import RunPreviewed
from agent.runtime.clock import Clock
from agent.runtime.crashpoint import reach
from agent.runtime.decided import Appended
from agent.runtime.log import logger
from agent.runtime.look import Observer
from agent.runtime.loop import Overloaded
from agent.runtime.metrics import EffectMetrics
from agent.runtime.notify import Notifier
from agent.runtime.probe import Prober
from agent.runtime.runs import Runs
from agent.runtime.tickets import TicketDesk

log = logger("perform")

EFFECTS_HELD_MAX = 2_000
EFFECT_S_MAX = 180.0
"""The tools have limits of their own; this one holds when those fail."""
LAUNCH_WITHIN = timedelta(seconds=10)
"""A launch is judged for its moment: later a window may be over, or a freeze have begun."""
AT_ONCE: Mapping[type[Effect], int] = {
    PrepareRun: 8,
    PreviewRun: 2,
    LaunchRun: 64,
    CancelRun: 64,
    Probe: 16,
    MeasureSignals: 2,
    WriteTicket: 8,
    Notify: 8,
}
"""Each kind waits for its own kind only: a slow tool never delays a remediation."""


class Journal(Protocol):
    """The loop, as far as its performer needs it."""

    @property
    def state(self) -> State:
        """Read it, never change it."""

    async def append(self, what: What) -> Appended:
        """Returns once the entry is durable, with what followed. Raises `Overloaded`."""

    async def confirm(self) -> None:
        """Returns while the journal is ours; raises where another agent has taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world, as far as effects reach it."""

    runs: Runs
    tickets: Mapping[str, TicketDesk] = field(default_factory=dict)
    notifier: Notifier
    prober: Prober | None = None
    observer: Observer | None = None


Lane = tuple[str, ...]
Answerable = PrepareRun | PreviewRun | Probe | MeasureSignals | WriteTicket | Notify
"""Effects whose outcome is known when they are done."""
NO_METRICS = "no metrics source is configured (`prometheus` in config.yaml)"


def lane_of(effect: Effect) -> Lane:
    """Effects of one lane are performed one after the other, in the order they were asked for."""
    match effect:
        case WriteTicket():
            return ("ticket", effect.connector, effect.incident)
        case Notify():
            return ("notify", effect.receiver, effect.group)
        case Probe():
            return ("probe", effect.change)
        case MeasureSignals():
            return ("measure", effect.incident)
        case PrepareRun():
            return ("prepare", effect.spec.run)
        case PreviewRun():
            return ("preview", effect.spec.run)
        case LaunchRun():
            return ("launch", effect.run)
        case CancelRun():
            return ("cancel", effect.run)


def _entry_of(effect: Effect) -> int:
    return int(effect.id.partition(".")[0])


class Performer:
    """Takes effects from the loop without waiting; give `run` a task of its own."""

    def __init__(self, ports: Ports, *, clock: Clock, metrics: EffectMetrics) -> None:
        self._ports = ports
        self._clock = clock
        self._metrics = metrics
        self._lanes: dict[Lane, deque[Effect]] = {}
        self._held: set[str] = set()
        self._new: deque[Lane] = deque()
        self._wake = asyncio.Event()
        self._is_behind = False
        self._durable = 0
        """Number of the newest entry that an effect came from: older ones are on the disk."""
        self._rooms = {kind: asyncio.Semaphore(limit) for kind, limit in AT_ONCE.items()}

    def submit(self, effect: Effect) -> None:
        """Take an effect that is durable; one that is held already is not taken twice."""
        if effect.id in self._held:
            return
        self._durable = max(self._durable, _entry_of(effect))
        if len(self._held) >= EFFECTS_HELD_MAX:
            self._is_behind = True
            return
        self._held.add(effect.id)
        lane = lane_of(effect)
        if lane not in self._lanes:
            self._lanes[lane] = deque()
            self._new.append(lane)
            self._wake.set()
        self._lanes[lane].append(effect)

    async def run(
        self, journal: Journal, *, lost_runs: Sequence[str] = (), left: Sequence[Effect] = ()
    ) -> None:
        """Perform until cancelled; what an earlier life of the agent `left` comes first.

        `lost_runs` were about to start or under way then: they are ended, never started again.
        """
        await self._ports.runs.sweep(lost_runs)
        for run in lost_runs:
            problem = "the agent stopped while it was under way"
            await _append(journal, RunLost(run=run, problem=problem))
        for effect in left:
            self.submit(effect)
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._new:
                    lane = self._new.popleft()
                    group.create_task(self._work(lane, journal), name=":".join(lane))

    async def _work(self, lane: Lane, journal: Journal) -> None:
        waiting = self._lanes[lane]
        while waiting:
            effect = waiting[0]
            async with self._rooms[type(effect)]:
                await self._perform(effect, journal)
            waiting.popleft()
            self._held.discard(effect.id)
        del self._lanes[lane]
        if self._is_behind and len(self._held) < EFFECTS_HELD_MAX // 2:
            self._is_behind = False
            # a launch that was held back was never begun: it begins now or, too late, never; what
            # the state has decided and the disk does not hold yet will be submitted in its time
            for left in sorted(journal.state.outbox.all(), key=_entry_of):
                if _entry_of(left) <= self._durable:
                    self.submit(left)

    async def _perform(self, effect: Effect, journal: Journal) -> None:
        reach("perform.before")
        kind, began = type(effect).__name__, self._clock.monotonic()

        async def append(what: What) -> None:
            await _append(journal, what)

        match effect:
            case LaunchRun():
                await journal.confirm()
                await self._ports.runs.launch(effect, append, self._patience(effect, journal))
            case CancelRun():
                await self._ports.runs.cancel(effect)
                if effect.preview_of is not None:
                    await append(
                        RunPreviewed(effect=effect.id, change=effect.preview_of, preview=None)
                    )
            case _:
                what = await self._outcome(effect, journal)
                reach("perform.after_before_ack")
                appended = await _append(journal, what)
                if isinstance(effect, PrepareRun) and not _is_launched(effect, appended):
                    await self._ports.runs.discard(effect.spec.run)
        self._metrics.seconds.labels(kind).observe(self._clock.monotonic() - began)

    def _patience(self, effect: LaunchRun, journal: Journal) -> timedelta:
        """What is left of the time in which a run that was judged has to begin."""
        run = journal.state.runs.get(effect.run)
        if run is None or run.launched_at is None:
            return LAUNCH_WITHIN
        return min(LAUNCH_WITHIN, run.launched_at + LAUNCH_WITHIN - self._clock.now())

    async def _outcome(self, effect: Answerable, journal: Journal) -> What:
        kind = type(effect).__name__
        try:
            async with asyncio.timeout(EFFECT_S_MAX):
                what = await self._do(effect, journal)
        except (AgentError, TimeoutError) as error:
            self._metrics.outcomes.labels(kind, "refused").inc()
            problem = str(error) or f"not done within {EFFECT_S_MAX:.0f} s"
            return self._refusal(effect, problem, is_final=isinstance(error, PermanentError))
        except Exception as error:
            # a mistake of ours in one effect must not keep the others from being done
            log.exception("effect_failed", effect=effect.id, kind=kind)
            self._metrics.outcomes.labels(kind, "failed").inc()
            return self._refusal(effect, f"our own mistake: {type(error).__name__}", is_final=True)
        self._metrics.outcomes.labels(kind, "done").inc()
        return what

    async def _do(self, effect: Answerable, journal: Journal) -> What:
        match effect:
            case PrepareRun():
                digest, problem = await self._ports.runs.prepare(effect)
                return RunPrepared(
                    effect=effect.id, run=effect.spec.run, digest=digest, problem=problem
                )
            case PreviewRun():
                preview = await self._ports.runs.preview(effect)
                return RunPreviewed(effect=effect.id, change=effect.change, preview=preview)
            case Probe():
                return await self._probe(effect)
            case MeasureSignals():
                if self._ports.observer is None:
                    raise PermanentError(NO_METRICS)
                return await self._ports.observer.look(effect, journal.state.config)
            case WriteTicket():
                return await self._write(effect)
            case Notify():
                await self._ports.notifier.send(effect)
                self._metrics.notifications.labels(effect.receiver, "sent").inc()
                return NotificationSent(effect=effect.id)

    async def _probe(self, effect: Probe) -> What:
        if self._ports.prober is None:
            raise PermanentError(NO_METRICS)
        answer = await self._ports.prober.ask(effect.query, self._clock.now())
        return ProbeAnswered(
            effect=effect.id,
            change=effect.change,
            holds=answer.holds,
            detail=answer.detail,
            measured_at=answer.measured_at,
        )

    async def _write(self, effect: WriteTicket) -> What:
        desk = self._ports.tickets.get(effect.connector)
        if desk is None:
            raise PermanentError(f'no connector "{effect.connector}" is configured')
        written = await desk.write(effect.ticket, effect.known_ref)
        return TicketWritten(
            effect=effect.id,
            incident=effect.incident,
            connector=effect.connector,
            ref=written.ref,
            url=written.url,
        )

    def _refusal(self, effect: Answerable, problem: str, *, is_final: bool) -> What:
        match effect:
            case PrepareRun():
                return RunPrepared(
                    effect=effect.id, run=effect.spec.run, digest=None, problem=problem
                )
            case PreviewRun():
                told = Preview(state=PreviewState.INCOMPLETE, text=problem, at=self._clock.now())
                return RunPreviewed(effect=effect.id, change=effect.change, preview=told)
            case Probe():
                return ProbeAnswered(
                    effect=effect.id,
                    change=effect.change,
                    holds=None,
                    detail=problem,
                    measured_at=self._clock.now(),
                )
            case MeasureSignals():
                return SignalsMeasured(
                    effect=effect.id,
                    incident=effect.incident,
                    findings=(),
                    unknown=effect.entities,
                    queries=0,
                    problem=problem,
                )
            case WriteTicket():
                return TicketRefused(
                    effect=effect.id,
                    incident=effect.incident,
                    connector=effect.connector,
                    problem=problem,
                    is_final=is_final,
                )
            case Notify():
                self._metrics.notifications.labels(effect.receiver, "refused").inc()
                return NotificationRefused(effect=effect.id, problem=problem, is_final=is_final)


def _is_launched(effect: PrepareRun, told: Appended) -> bool:
    """Whether the run that lies ready is asked for: it is so at once, or never."""
    asked = told.transition.effects
    return any(isinstance(each, LaunchRun) and each.run == effect.spec.run for each in asked)


async def _append(journal: Journal, what: What) -> Appended:
    """An outcome is never dropped: where the loop is full, it waits for room."""
    while True:
        try:
            return await journal.append(what)
        except Overloaded as full:
            await asyncio.sleep((full.retry_after or timedelta(seconds=1)).total_seconds())
