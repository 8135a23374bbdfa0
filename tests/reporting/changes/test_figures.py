"""Claims about the figures of changes: what counts, what is apart, and what is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.alert import Severity
from agent.model.change import ChangeState, ChangeType, Closure
from agent.model.duty import RetroDuty
from agent.model.incident import Incident, IncidentState, Level, Priority
from agent.model.reported import Progress, ReportedChange, Suspect
from agent.reporting.changes.figures import (
    Origin,
    Result,
    Spread,
    deliveries,
    enablement,
    own_deployments,
    reported_deployments,
)
from tests.reporting.changes.records import HOUR, START, WINDOW, a_change

DB = "component:default/db"


def incident(number: int = 1, **more: object) -> Incident:
    """One that was over two hours after its start."""
    made = Incident(
        id=f"INC-{number}",
        state=IncidentState.CLOSED,
        title="down",
        opened_at=START,
        started_at=START,
        severity=Severity.CRITICAL,
        impact=Level.HIGH,
        urgency=Level.HIGH,
        priority=Priority.P1,
        alerts=1,
        firing=0,
        resolved_at=START + 2 * HOUR,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def blaming(change: str) -> Incident:
    """An incident of which a person said that this change led to it."""
    suspect = Suspect(
        change=change, entity=DB, title="it", started_at=START, score=0.9, is_match=True
    )
    return incident(9, suspects=(suspect,))


def reported(number: int = 1, **more: object) -> ReportedChange:
    """A deployment that a tool told of."""
    made = ReportedChange(
        id=f"REP-{number}",
        source="github",
        key=str(number),
        summary="deploy",
        progress=Progress.SUCCEEDED,
        started_at=START,
        ended_at=START + HOUR,
        heard_at=START,
        entities=(DB,),
    )
    return replace(made, **more)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_a_spread_is_of_values_that_were_there(seconds: list[int]) -> None:
    """Median and p90 are values of the list in order; below three there is none."""
    values = [timedelta(seconds=each) for each in seconds]
    spread = Spread.of(values)

    assert len(values) == spread.count
    if len(values) < 3:
        assert (None, None) == (spread.median, spread.p90)
    else:
        assert spread.median in values
        assert spread.p90 in values
        assert spread.median <= spread.p90  # type: ignore[operator]
        assert sum(each <= spread.p90 for each in values) >= 0.9 * len(values)  # type: ignore[operator]


def test_what_started_and_is_over_counts_where_it_ended() -> None:
    """Not what was refused, nor what ended in another period; what still runs counts once begun."""
    changes = [
        a_change(1),
        a_change(2, started_at=None),
        a_change(3, ended_at=WINDOW.end),
        a_change(4, ended_at=None, closure=None, state=ChangeState.RUNNING),
    ]

    assert [("CHG-1", Result.SUCCEEDED, HOUR), ("CHG-4", Result.UNKNOWN, None)] == [
        (each.id, each.result, each.lead_time) for each in own_deployments(changes, {}, WINDOW)
    ]


@pytest.mark.parametrize(
    ("more", "result", "recovery"),
    [
        ({}, Result.SUCCEEDED, None),
        ({"closure": Closure.ROLLED_BACK}, Result.FAILED, timedelta(minutes=50)),
        ({"closure": Closure.FAILED, "incident": "INC-1"}, Result.FAILED, timedelta(minutes=110)),
        ({"closure": Closure.FAILED, "incident": "INC-2"}, Result.FAILED, None),
        ({"closure": Closure.FAILED}, Result.FAILED, None),
        ({"closure": Closure.CANCELLED}, Result.UNKNOWN, None),
    ],
)
def test_how_it_went_and_how_long_it_took_to_mend(
    more: dict[str, object], result: Result, recovery: timedelta | None
) -> None:
    """A success needs no recovery; where nobody knows when service was back, nobody says."""
    incidents = {"INC-1": incident(1), "INC-2": incident(2, resolved_at=None)}
    (found,) = own_deployments([a_change(**more)], incidents, WINDOW)

    assert (result, recovery) == (found.result, found.recovery)


def test_what_led_to_an_incident_failed_whatever_it_said_itself() -> None:
    """Where a person confirmed it: ours, and those that tools report."""
    (own,) = own_deployments([a_change()], {"INC-9": blaming("CHG-1")}, WINDOW)
    (other,) = reported_deployments([reported()], [blaming("REP-1")], WINDOW)

    assert [(Result.FAILED, 2 * HOUR)] * 2 == [(x.result, x.recovery) for x in (own, other)]


def test_who_had_it_done_stands_apart() -> None:
    """People, rules and other tools never share a figure; unknown is in no rate."""
    own = [
        a_change(1),
        a_change(2, closure=Closure.FAILED),
        a_change(3, requested_by="rule:restart", incident="INC-1"),
    ]
    told = [
        reported(1),
        reported(2, progress=Progress.UNKNOWN),
        reported(3, entities=()),
    ]
    found = deliveries(
        (*own_deployments(own, {}, WINDOW), *reported_deployments(told, [], WINDOW)), WINDOW
    )

    assert [
        (DB, Origin.AUTOMATION, 1, 0.0, 0, 1.0),
        (DB, Origin.PEOPLE, 2, 0.5, 0, 0.0),
        (DB, Origin.REPORTED, 2, 0.0, 1, None),
        (None, Origin.REPORTED, 1, 0.0, 0, None),
    ] == [(x.entity, x.origin, x.deployments, x.fail_rate, x.unknown, x.rework_rate) for x in found]
    assert 2.0 == found[1].per_week


def test_shares_and_backlogs() -> None:
    """What was asked for in the period; what is owed now, and since when."""
    now = START + 10 * HOUR
    retro = RetroDuty(opened_at=START, due_at=START + HOUR, roles=("sre",), team=None)
    changes = [
        a_change(1),
        a_change(2, type=ChangeType.EMERGENCY, retro=retro, closure=Closure.FAILED),
        a_change(3, state=ChangeState.AWAITING_APPROVAL, started_at=None, ended_at=None),
        a_change(4, requested_at=WINDOW.start - HOUR),
    ]
    found = enablement(changes, window=WINDOW, now=now)

    assert (3, 1 / 3, 3, 2 / 3) == (
        found.requested,
        found.emergency_share,
        found.executed,
        found.success_rate,
    )
    assert (1, 10 * HOUR, 1, 1, 0) == (
        found.awaiting_approval,
        found.oldest_approval,
        found.retro_open,
        found.retro_overdue,
        found.reviews_open,
    )
    assert (3, timedelta(minutes=5)) == (found.approval_time.count, found.approval_time.median)


def test_nothing_at_all_has_no_rates() -> None:
    """No change is neither good nor bad."""
    found = enablement([], window=WINDOW, now=START)

    assert (None, None, None) == (
        found.emergency_share,
        found.success_rate,
        found.oldest_approval,
    )
    assert () == deliveries((), WINDOW)
