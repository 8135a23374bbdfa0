"""A controller plays what was approved, once, and every doubt ends in a refusal or in unknown."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.config.collections import Collections
from agent.config.contents import contents_of
from agent.model.preview import PreviewState, TaskEffect
from agent.model.remediation import Host, HostStats, Outcome, Phase, RunLine, RunResult, RunSpec
from agent.runtime.awx.executor import MARK, AwxExecutor
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from tests.servers.awx import REVISION, TOKEN, Controller, controller

PIN = f"revision: {REVISION}\ntemplate: 12\n"
LOOK_S = 0.005


@dataclass
class Stage:
    """An executor, and the controller that it has play."""

    executor: AwxExecutor
    controller: Controller
    folder: Path
    again: Callable[[str], AwxExecutor]
    """Another life of the agent, with this token."""

    def spec(self, **changes: Any) -> RunSpec:
        """A run of what lies in the folder now."""
        contents = contents_of(self.folder / "remediations" / "play", Collections([]))
        usual = RunSpec(
            run="RUN-1",
            remediation="play",
            digest=contents.digest,
            contents=contents.parts,
            phase=Phase.REMEDIATE,
            hosts=(Host(name="app1", address="127.0.0.1"),),
            parameters={"service": "nginx", "port": 80},
            timeout=timedelta(seconds=20),
        )
        return replace(usual, **changes)

    async def play(
        self, spec: RunSpec, report: Callable[[RunLine], None] = lambda line: None
    ) -> RunResult:
        """Prepare and launch."""
        prepared = await self.executor.prepare(spec)
        return await self.executor.launch(
            prepared, report, begun=lambda: None, patience=timedelta(seconds=10)
        )


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staging(tmp_path) as made:
        yield made


@asynccontextmanager
async def staging(folder: Path) -> AsyncIterator[Stage]:
    lay_out(folder)
    async with controller() as (made, port), open_session() as session:

        def executor(token: str) -> AwxExecutor:
            endpoint = Endpoint(
                name="awx",
                url=f"http://127.0.0.1:{port}",
                credentials=lambda: {"Authorization": f"Bearer {token}"},
                timeout=timedelta(seconds=5),
                per_second=10_000,
            )
            metrics = ClientMetrics(CollectorRegistry())
            client = Client(session, endpoint, clock=SystemClock(), metrics=metrics)
            return AwxExecutor(
                folder / "remediations",
                folder / "work",
                client,
                secrets=("hunter2-and-more",),
                look_s=LOOK_S,
                found_within_s=0.3,
                ended_within_s=0.5,
                collections=Collections([]),
            )

        yield Stage(executor(TOKEN), made, folder, executor)


def lay_out(folder: Path) -> None:
    play = folder / "remediations" / "play"
    play.mkdir(parents=True)
    (play / "playbook.yml").write_text("- hosts: targets\n  tasks: []\n")
    (play / "awx.yaml").write_text(PIN)


async def test_a_job_is_launched_once_on_exactly_the_hosts(stage: Stage) -> None:
    """Limit, one variable, a mark; output with task and host; recap; which job it was."""
    lines: list[RunLine] = []
    result = await stage.play(stage.spec(), lines.append)
    (wish,) = stage.controller.launches
    assert "app1" == wish["limit"]
    assert {"service": "nginx", "port": 80} == wish["extra_vars"]["agent_input"]
    assert wish["extra_vars"][MARK].startswith("RUN-1@")
    assert {"limit", "extra_vars"} == wish.keys()
    assert (Outcome.CHANGED, (HostStats(host="app1", changed=1),)) == (result.outcome, result.stats)
    assert result.summary.startswith("job 100: ")
    assert [("write it", "app1")] == [(each.task, each.host) for each in lines if each.task]


async def test_a_failed_job_is_a_failure(stage: Stage) -> None:
    """Judged by its recap, as our own runs are."""
    stage.controller.fails = True
    result = await stage.play(stage.spec())
    assert (Outcome.FAILED, "job 100: failed on app1") == (
        result.outcome,
        result.summary.partition(" (")[0],
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"template": {"ask_limit_on_launch": False}}, "would play on all"),
        ({"template": {"ask_variables_on_launch": False}}, "ignores variables"),
        ({"template": {"playbook": "other.yml"}}, "plays other.yml"),
        ({"template": {"playbook": "x/display/playbook.yml"}}, "not play/playbook.yml"),
        ({"template": {"scm_branch": "dev"}}, "plays branch dev"),
        ({"template": {"survey_enabled": True}}, "has a survey"),
        ({"template": {"job_tags": "x"}}, "has tags"),
        ({"template": {"job_type": "check"}}, "is of type check"),
        ({"template": {"project": None}}, "has no project"),
        ({"template": {"id": 13}}, "status 404"),
        ({"project": {"scm_revision": "b2" * 20}}, "the project is at b2b2b2b2b2b2"),
        ({"project": {"scm_revision": ""}}, "the project is at no revision"),
        ({"project": {"scm_update_on_launch": True}}, "is updated at each launch"),
        ({"hosts": {"app1": False}}, "no host app1 switched on"),
        ({"hosts": {"app2": True}}, "no host app1 switched on"),
        ({"groups": {"app1"}}, "app1 is a group"),
        ({"breaks": {"GET /api/v2/projects": [500] * 9}}, "cannot be asked"),
        ({"breaks": {"GET /api/v2/job_templates": [403]}}, "status 403"),
    ],
)
async def test_what_would_play_something_else_is_refused(
    stage: Stage, change: dict[str, Any], said: str
) -> None:
    """Another revision, playbook, host or reach than approved: nothing is launched."""
    for name, value in change.items():
        held = getattr(stage.controller, name)
        is_part = name in ("template", "project")
        setattr(stage.controller, name, held | value if is_part else value)
    result = await stage.play(stage.spec())
    assert (Outcome.REFUSED, []) == (result.outcome, stage.controller.launches)
    assert said in result.summary


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"service": "{{ lookup('pipe', 'id') }}"}},
        {"parameters": {"service": "{% set x = 1 %}"}},
        {"parameters": {"service": "a{"}},
        {"hosts": (Host(name="all", address="127.0.0.1"),)},
        {"hosts": (Host(name="app1,app2", address="127.0.0.1"),)},
        {"hosts": (Host(name="!app1", address="127.0.0.1"),)},
        {"remediation": "../play"},
        {"run": "../x"},
        {"digest": "0" * 64},
        {"phase": Phase.ROLLBACK},
    ],
)
async def test_what_must_not_be_sent_is_refused(stage: Stage, changes: dict[str, Any]) -> None:
    """A controller cannot mark a value as never to be evaluated: one that may be is not sent."""
    result = await stage.play(stage.spec(**changes))
    assert (Outcome.REFUSED, []) == (result.outcome, stage.controller.launches)


@pytest.mark.parametrize(
    "pin", ["", "revision: main\ntemplate: 12\n", "template: 12\n", "[", "a: b"]
)
async def test_without_a_revision_nothing_is_played(stage: Stage, pin: str) -> None:
    """A branch is no content: only a commit names what was approved."""
    (stage.folder / "remediations" / "play" / "awx.yaml").write_text(pin)
    result = await stage.play(stage.spec())
    assert (Outcome.REFUSED, []) == (result.outcome, stage.controller.launches)


async def test_a_change_between_layout_and_launch_is_seen(stage: Stage) -> None:
    """Looked at when prepared and again when launched: the project, and our own folder."""
    prepared = await stage.executor.prepare(stage.spec())
    assert prepared.check_problem is None
    stage.controller.project["scm_revision"] = "b2" * 20
    moved = await launch(stage, prepared)
    stage.controller.project["scm_revision"] = REVISION
    (stage.folder / "remediations/play/playbook.yml").write_text("[]")
    edited = await launch(stage, prepared)
    assert (Outcome.REFUSED, Outcome.REFUSED) == (moved.outcome, edited.outcome)
    assert "playbook.yml changed" in edited.summary
    assert [] == stage.controller.launches


async def launch(stage: Stage, prepared: Any) -> RunResult:
    return await stage.executor.launch(
        prepared, lambda line: None, begun=lambda: None, patience=timedelta(seconds=10)
    )


async def test_another_revision_than_approved_is_no_success(stage: Stage) -> None:
    """What was really played is looked at when it is over."""
    stage.controller.plays = "c3" * 20
    result = await stage.play(stage.spec())
    assert (Outcome.FAILED, True) == (result.outcome, "played revision c3c3" in result.summary)


async def test_a_launch_whose_answer_was_lost_is_found_again(stage: Stage) -> None:
    """It arrived, and its answer did not: the job is followed, and there is no second one."""
    stage.controller.loses = 1
    result = await stage.play(stage.spec())
    assert (Outcome.CHANGED, 1) == (result.outcome, len(stage.controller.launches))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_launch_that_is_not_found_is_unknown(stage: Stage, status: int) -> None:
    """It may arrive yet: nobody knows, and nobody tries again."""
    stage.controller.breaks = {"POST /api/v2/job_templates": [status]}
    result = await stage.play(stage.spec())
    assert (Outcome.UNKNOWN, 0) == (result.outcome, len(stage.controller.launches))


async def test_a_launch_that_is_refused_is_refused(stage: Stage) -> None:
    """The controller's own no, in its words."""
    stage.controller.breaks = {"POST /api/v2/job_templates": [400]}
    result = await stage.play(stage.spec())
    assert (Outcome.REFUSED, True) == (result.outcome, "status 400" in result.summary)


async def test_a_token_that_is_not_accepted_starts_nothing(stage: Stage) -> None:
    """Said in words, without the token."""
    stranger = stage.again("wrong-token-0123456789")
    prepared = await stranger.prepare(stage.spec())
    assert prepared.check_problem is not None
    assert "does not accept our credentials" in prepared.check_problem
    assert "wrong-token" not in prepared.check_problem


async def test_the_controller_may_be_away_meanwhile(stage: Stage) -> None:
    """A job whose state cannot be read for a while is followed on."""
    stage.controller.breaks = {"GET /api/v2/jobs/100/": [502, 502, 502]}
    result = await stage.play(stage.spec())
    assert Outcome.CHANGED == result.outcome


async def test_a_cancelled_run_is_over_at_the_controller(stage: Stage) -> None:
    """Its job is cancelled, and the run ends when the controller says that the job did."""
    stage.controller.is_held = True
    playing = asyncio.get_running_loop().create_task(stage.play(stage.spec()))
    await stage.controller.running.wait()
    await stage.executor.cancel("RUN-1")
    result = await playing
    assert (Outcome.CANCELLED, "canceled") == (
        result.outcome,
        stage.controller.jobs[100]["status"],
    )


async def test_a_run_past_its_time_is_ended(stage: Stage) -> None:
    """The limit is ours, whatever the template says."""
    stage.controller.is_held = True
    result = await stage.play(stage.spec(timeout=timedelta(seconds=0.1)))
    assert (Outcome.TIMED_OUT, "canceled") == (
        result.outcome,
        stage.controller.jobs[100]["status"],
    )


async def test_a_job_that_does_not_end_is_unknown(stage: Stage) -> None:
    """Cancelled in vain: it may do anything yet, and we say so."""
    stage.controller.is_held = stage.controller.is_stubborn = True
    result = await stage.play(stage.spec(timeout=timedelta(seconds=0.1)))
    assert (Outcome.UNKNOWN, True) == (result.outcome, "did not end" in result.summary)


async def test_an_abandoned_run_is_ended(stage: Stage) -> None:
    """When the task that follows it is cancelled itself, nobody would watch the job any more."""
    stage.controller.is_held = True
    playing = asyncio.get_running_loop().create_task(stage.play(stage.spec()))
    await stage.controller.running.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert "canceled" == stage.controller.jobs[100]["status"]


async def test_a_sweep_ends_what_an_earlier_life_left(stage: Stage) -> None:
    """Found by its mark: the lost run's job is cancelled, and no other."""
    stage.controller.is_held = True
    playing = asyncio.get_running_loop().create_task(stage.play(stage.spec()))
    await stage.controller.running.wait()
    other = stage.controller.jobs[100] | {"id": 101, "extra_vars": json.dumps({MARK: "RUN-1@else"})}
    stage.controller.jobs[101] = other
    await stage.again(TOKEN).sweep(["RUN-1"])
    result = await playing
    assert ["canceled", "running"] == [job["status"] for job in stage.controller.jobs.values()]
    assert Outcome.CANCELLED == result.outcome


async def test_a_preview_is_a_job_of_type_check(stage: Stage) -> None:
    """With diff, read from the same events; a template that cannot be asked for one says why."""
    seen = await stage.executor.preview(stage.spec(run="PRE-1.0"))
    (wish,) = stage.controller.launches
    assert ("check", True) == (wish["job_type"], wish["diff_mode"])
    assert PreviewState.COMPLETE == seen.state
    assert [("app1", TaskEffect.WOULD_CHANGE)] == [(t.host, t.effect) for t in seen.tasks]
    assert "+new" in seen.tasks[0].diff
    stage.controller.template["ask_job_type_on_launch"] = False
    refused = await stage.executor.preview(stage.spec(run="PRE-2.0"))
    assert (PreviewState.INCOMPLETE, 1) == (refused.state, len(stage.controller.launches))
    assert "cannot be previewed" in refused.text
