"""Effects to outcomes: order, bounds, and what a failure of the world becomes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.model.change import Run, RunState
from agent.model.effect import (
    CancelRun,
    Effect,
    LaunchRun,
    PrepareRun,
    PreviewRun,
    Probe,
    WriteTicket,
)
from agent.model.entry import (
    ProbeAnswered,
    RunFinished,
    RunLost,
    RunPrepared,
    RunStarted,
    TicketRefused,
    TicketWritten,
)
from agent.model.incident import Priority
from agent.model.preview import PreviewState
from agent.model.preview_entries import RunPreviewed
from agent.model.remediation import Outcome, Phase, RunSpec
from agent.model.ticket import Ticket, TicketState
from agent.runtime.client import open_session
from agent.runtime.metrics import EffectMetrics
from agent.runtime.notify import Notifier
from agent.runtime.perform import EFFECTS_HELD_MAX, LAUNCH_WITHIN, Performer, Ports
from agent.runtime.runs import NOT_PREPARED, PREPARED_MAX, TOO_LATE, Runs
from tests.runtime.agents import StillClock
from tests.runtime.edge import MemoryJournal, PlainExecutor, desk, serving


def write(number: int, incident: str = "INC-1", *, connector: str = "tool") -> WriteTicket:
    ticket = Ticket(
        key=incident,
        title=f"{number}",
        body="",
        priority=Priority.P3,
        state=TicketState.OPEN,
    )
    return WriteTicket(
        id=f"{number}.0", incident=incident, connector=connector, ticket=ticket, known_ref=None
    )


def prepare(number: int = 1) -> PrepareRun:
    spec = RunSpec(
        run=f"RUN-{number}",
        remediation="restart",
        digest="d",
        phase=Phase.REMEDIATE,
        hosts=(),
        parameters={},
        timeout=timedelta(minutes=1),
    )
    return PrepareRun(id=f"{number}.0", spec=spec)


@asynccontextmanager
async def performing(
    *effects: Effect,
    executor: PlainExecutor | None = None,
    handler: Any = None,
    journal: MemoryJournal | None = None,
    **run: Any,
) -> AsyncIterator[tuple[Performer, MemoryJournal]]:
    """A performer at work on these effects, with one tool behind the handler."""
    metrics, kept = EffectMetrics(CollectorRegistry()), journal or MemoryJournal()

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=500)

    async with open_session() as session, serving(handler or refuse) as port:
        ports = Ports(
            runs=Runs(executor or PlainExecutor(), lambda line: None, metrics=metrics),
            tickets={"tool": desk(session, port, metrics)},
            notifier=Notifier([]),
        )
        performer = Performer(ports, clock=StillClock(), metrics=metrics)
        for effect in effects:
            performer.submit(effect)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(performer.run(kept, **run))
            yield performer, kept
            task.cancel()


async def test_updates_of_one_ticket_keep_their_order_and_others_do_not_wait() -> None:
    """One at a time per incident and tool; a slow ticket holds up its own incident only."""
    let, seen = asyncio.Event(), []

    async def handler(request: web.Request) -> web.Response:
        title = (await request.read()).decode()
        if title == "1":
            await let.wait()
        seen.append(title)
        return web.Response()

    async with performing(write(1), write(2), write(3, "INC-2"), handler=handler) as (_, journal):
        await journal.until(1)
        assert seen == ["3"]
        let.set()
        entries = await journal.until(3)
    assert seen == ["3", "1", "2"]
    written = entries[1]
    assert isinstance(written, TicketWritten)
    assert (written.effect, written.ref) == ("1.0", "INC-1")
    assert written.url.endswith("/INC-1")
    assert written.url.startswith("http://127.0.0.1:")


async def test_a_refusal_and_an_outage_are_told_apart() -> None:
    """The core asks again after an outage, and a person has to look at a refusal."""

    async def handler(request: web.Request) -> web.Response:
        status = 422 if request.path == "/INC-1" else 503
        return web.Response(status=status, text="no")

    effects = (write(1), write(2, "INC-2"), write(3, "INC-3", connector="gone"))
    async with performing(*effects, handler=handler) as (_, journal):
        entries = await journal.until(3)
    refused = {each.effect: each for each in entries if isinstance(each, TicketRefused)}
    assert {effect: each.is_final for effect, each in refused.items()} == {
        "1.0": True,
        "2.0": False,
        "3.0": True,
    }
    assert refused["1.0"].problem == "write: refused with status 422: no"
    assert refused["3.0"].problem == 'no connector "gone" is configured'


async def test_a_run_is_prepared_launched_and_finished_in_entries() -> None:
    """Each step is durable before the next, and a launch happens once."""
    executor = PlainExecutor()
    async with performing(prepare(), executor=executor) as (performer, journal):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        await journal.until(2)
        executor.let.set()
        entries = await journal.until(3)
    assert [RunPrepared, RunStarted, RunFinished] == [type(each) for each in entries]
    assert isinstance(entries[2], RunFinished)
    assert entries[2].result.outcome is Outcome.CHANGED
    assert executor.launched == ["RUN-1"]


async def test_a_run_that_must_not_be_played_has_no_digest() -> None:
    """A playbook that does not pass its check is not launched under the approved digest."""
    executor = PlainExecutor()
    executor.problem = "syntax error in playbook.yml"
    async with performing(prepare(), executor=executor) as (_, journal):
        (told,) = await journal.until(1)
    assert RunPrepared(effect="1.0", run="RUN-1", digest=None, problem=executor.problem) == told


async def test_a_run_that_policy_refuses_at_its_start_leaves_nothing() -> None:
    """What was laid out for it is removed at once; a launch that never comes finds nothing."""
    executor, journal = PlainExecutor(), MemoryJournal(allows=False)
    async with performing(prepare(), executor=executor, journal=journal) as (performer, _):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        entries = await journal.until(2)
    assert executor.cancelled == ["RUN-1"]
    assert executor.launched == []
    assert isinstance(entries[1], RunFinished)
    assert entries[1].result == NOT_PREPARED


async def test_a_cancel_does_not_wait_for_the_run_it_ends() -> None:
    """It has a lane of its own; the run's own end is the answer."""
    executor = PlainExecutor()
    async with performing(prepare(), executor=executor) as (performer, journal):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        await journal.until(2)
        performer.submit(CancelRun(id="3.0", run="RUN-1"))
        entries = await journal.until(3)
    assert isinstance(entries[2], RunFinished)
    assert entries[2].result.outcome is Outcome.CANCELLED


async def test_a_launch_without_room_says_that_nothing_was_started() -> None:
    """It is refused, and nowhere in the journal has it begun."""
    executor = PlainExecutor()
    executor.is_full = True
    async with performing(prepare(), executor=executor) as (performer, journal):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        entries = await journal.until(2)
    assert [RunPrepared, RunFinished] == [type(each) for each in entries]
    assert isinstance(entries[1], RunFinished)
    assert entries[1].result.outcome is Outcome.REFUSED


async def test_a_launch_that_comes_too_late_is_refused() -> None:
    """Policy judged it for a moment that has passed: a window may be over since."""
    executor, journal = PlainExecutor(), MemoryJournal()
    judged = StillClock().at - LAUNCH_WITHIN
    journal.state.runs["RUN-1"] = Run(
        id="RUN-1",
        change="CHG-1",
        phase=Phase.REMEDIATE,
        state=RunState.LAUNCHING,
        requested_at=judged,
        launched_at=judged,
    )
    async with performing(prepare(), executor=executor, journal=journal) as (performer, _):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        entries = await journal.until(2)
    assert isinstance(entries[1], RunFinished)
    assert entries[1].result == TOO_LATE
    assert (executor.launched, executor.cancelled) == ([], ["RUN-1"])


async def test_a_cancel_beside_its_launch_ends_it_whichever_is_first() -> None:
    """Both may come out of one commit: the run is never played behind the back of its cancel."""
    executor = PlainExecutor()
    launch, cancel = LaunchRun(id="2.0", run="RUN-1"), CancelRun(id="2.1", run="RUN-1")
    for first, second, told in ((launch, cancel, 3), (cancel, launch, 2)):
        async with performing(prepare(), executor=executor) as (performer, journal):
            await journal.until(1)
            performer.submit(first)
            performer.submit(second)
            entries = await journal.until(told)
        assert isinstance(entries[-1], RunFinished)
        assert entries[-1].result.outcome is Outcome.CANCELLED
    assert executor.launched == ["RUN-1"]


async def test_what_makes_room_among_the_prepared_leaves_nothing_behind() -> None:
    """The folder of a run that was prepared long ago goes with it."""
    executor, count = PlainExecutor(), PREPARED_MAX + 1
    async with performing(executor=executor) as (performer, journal):
        for number in range(1, count + 1):
            performer.submit(prepare(number))
        await journal.until(count)
        performer.submit(LaunchRun(id="2.0", run=executor.cancelled[0]))
        entries = await journal.until(count + 1)
    assert len(executor.cancelled) == 1
    assert isinstance(entries[-1], RunFinished)
    assert entries[-1].result == NOT_PREPARED


async def test_a_run_of_which_sight_was_lost_is_ended_and_lost() -> None:
    """Whatever broke in the executor: the run is ended, and nobody claims to know its outcome."""
    executor = PlainExecutor(OSError("no such process"))
    executor.let.set()
    async with performing(prepare(), executor=executor) as (performer, journal):
        await journal.until(1)
        performer.submit(LaunchRun(id="2.0", run="RUN-1"))
        entries = await journal.until(3)
    assert RunLost(run="RUN-1", problem="no such process") == entries[2]
    assert executor.cancelled == ["RUN-1"]


async def test_after_a_crash_runs_are_ended_and_everything_else_is_done_again() -> None:
    """What was left comes first; a launch without its preparation starts nothing."""
    executor = PlainExecutor()
    left = (prepare(4), LaunchRun(id="5.0", run="RUN-5"))
    async with performing(executor=executor, lost_runs=["RUN-3"], left=left) as (_, journal):
        entries = await journal.until(3)
    assert executor.swept == ["RUN-3"]
    assert isinstance(entries[0], RunLost)
    assert {"RUN-4", "RUN-5"} == {each.run for each in entries[1:] if hasattr(each, "run")}
    assert executor.launched == []


async def test_an_outcome_waits_for_a_full_loop() -> None:
    """It is told again until it is kept: an outcome is never dropped."""
    async with performing(prepare(), journal=MemoryJournal(full=3)) as (_, journal):
        (told,) = await journal.until(1)
    assert isinstance(told, RunPrepared)


async def test_a_probe_without_a_metrics_source_holds_for_nobody() -> None:
    """What cannot be asked is unknown, never true."""
    async with performing(Probe(id="1.0", change="CHG-1", query="up")) as (_, journal):
        (told,) = await journal.until(1)
    assert isinstance(told, ProbeAnswered)
    assert told.holds is None


async def test_what_memory_does_not_hold_is_fetched_from_the_outbox() -> None:
    """The bound drops nothing: the outbox keeps what was not taken, and it is done in the end."""
    journal = MemoryJournal()
    effects = [prepare(number) for number in range(1, EFFECTS_HELD_MAX + 6)]
    for effect in effects:
        journal.state.outbox.add(effect)
    async with performing(*effects, journal=journal):
        entries = await journal.until(len(effects))
    told = [each.effect for each in entries if isinstance(each, RunPrepared)]
    assert sorted(effect.id for effect in effects) == sorted(told)


def preview(number: int = 1) -> PreviewRun:
    spec = replace(prepare().spec, run=f"PRE-{number}", check_mode=True)
    return PreviewRun(id=f"{number}.0", change="CHG-1", spec=spec)


async def test_a_preview_that_is_ended_is_told_twice_and_never_a_run() -> None:
    """Its own end and the end of its cancel are both known: neither is left for after a crash."""
    executor = PlainExecutor()
    cancel = CancelRun(id="2.0", run="PRE-1", preview_of="CHG-1")
    async with performing(preview(), cancel, executor=executor) as (_, journal):
        ended, told = await journal.until(2)

    entries = {entry.effect: entry for entry in (ended, told) if isinstance(entry, RunPreviewed)}
    assert {"1.0", "2.0"} == entries.keys()
    assert entries["2.0"].preview is None
    assert (["PRE-1"], []) == (executor.cancelled, executor.launched)


async def test_a_preview_that_breaks_is_shown_as_that() -> None:
    """Whatever its executor does wrong, who approves is told, and nothing waits for it."""
    executor = PlainExecutor(RuntimeError("broken"))
    executor.let.set()
    async with performing(preview(), executor=executor) as (_, journal):
        (told,) = await journal.until(1)

    assert isinstance(told, RunPreviewed)
    assert told.preview is not None
    assert PreviewState.INCOMPLETE == told.preview.state
    assert "RuntimeError" in told.preview.text
