"""Changes and runs of tests, well in order; each claim spoils one thing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from agent.model.change import Change, ChangeState, ChangeType, Closure, Run, RunState
from agent.model.interval import Interval
from agent.model.policy import Approval, Decision, Verdict
from agent.model.reason import Reason
from agent.model.remediation import Host, Phase

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Interval(START - 24 * HOUR, START + 6 * 24 * HOUR)


def a_change(number: int = 1, **more: object) -> Change:
    """Asked for by bob, approved by carla, run, and closed an hour later."""
    change = Change(
        id=f"CHG-{number}",
        state=ChangeState.CLOSED,
        type=ChangeType.NORMAL,
        title="Restart it",
        remediation="restart",
        digest="d1",
        entity="component:default/db",
        hosts=(Host(name="db1", address="192.0.2.1"),),
        parameters={},
        requested_by="person:bob",
        rule_author=None,
        requested_at=START,
        binding="b1",
        decision=Decision(verdict=Verdict.ALLOWED, reason=Reason.APPROVED, text="approved"),
        approvals=(
            Approval(by="carla", at=START + timedelta(minutes=5), role="approver", binding="b1"),
        ),
        run=f"RUN-{number}",
        started_at=START + timedelta(minutes=10),
        ended_at=START + HOUR,
        closure=Closure.SUCCESS,
    )
    return replace(change, **more)  # type: ignore[arg-type]


def a_run(number: int = 1, **more: object) -> Run:
    """The run of the change of this number."""
    run = Run(
        id=f"RUN-{number}",
        change=f"CHG-{number}",
        phase=Phase.REMEDIATE,
        state=RunState.FINISHED,
        requested_at=START + timedelta(minutes=9),
        launched_at=START + timedelta(minutes=10),
    )
    return replace(run, **more)  # type: ignore[arg-type]
