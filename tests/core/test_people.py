"""What people ask for themselves: taken up, refused in words, stopped, forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.state import CLOSED_KEPT
from agent.model.calendar import CalendarPurpose
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
)
from agent.model.effect import PrepareRun
from agent.model.entry import (
    ChangeCancelled,
    ChangeRequested,
)
from agent.model.reason import Reason
from agent.model.transition import Transition
from tests.core.play import CONFIG, RESTART, START, Play, calendar, ref


def ends(change: Change) -> tuple[str, str | None]:
    """Where it is, and how it ended."""
    return change.state, change.closure


def cancel(play: Play, note: str = "") -> Transition:
    """A person stops the change."""
    return play.feed(ChangeCancelled(change="CHG-1", by="bob", note=note))


def request(play: Play, **changes: object) -> Transition:
    """A person asks for a restart of the database, or for something a little different."""
    asked = ChangeRequested(
        remediation="restart-service",
        entity=ref("db"),
        parameters={"service": "db"},
        by="bob",
        type=ChangeType.STANDARD,
    )
    return play.feed(replace(asked, **changes))  # type: ignore[arg-type]


def test_a_request_names_its_incident() -> None:
    """Its story is told there as well."""
    play = Play()
    play.fire("ServiceSlow", service="db")
    request(play, incident="INC-1", note="looks stuck")
    assert (play.change().incident, play.incident().changes) == ("INC-1", ("CHG-1",))
    assert play.said("CHG-1", "requested") == ["looks stuck"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"remediation": "nosuch"}, "not_found"),
        ({"entity": ref("shop")}, "no_target"),
        ({"entity": ref("nosuch")}, "no_target"),
        ({"parameters": {}}, "parameter_refused"),
        ({"parameters": {"service": "; reboot"}}, "parameter_refused"),
        ({"incident": "INC-9"}, "not_found"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(changes: dict[str, object], reason: str) -> None:
    """In words, and without a trace."""
    play = Play()
    told = request(play, **changes)
    assert told.refusal is not None
    assert (told.refusal.reason, told.records, told.created) == (reason, (), None)


def test_what_is_asked_for_already_is_refused_with_its_number() -> None:
    """The person finds the one that is open."""
    play = Play()
    assert request(play).created == "CHG-1"
    told = request(play)
    assert told.refusal is not None
    assert told.refusal.text == "CHG-1 is open for the same target"


def test_what_is_over_cannot_be_cancelled() -> None:
    """Nor what never was."""
    play = Play()
    request(play)
    cancel(play)
    assert [
        cancel(play).refusal is None,
        play.feed(ChangeCancelled(change="X", by="b")).refusal is None,
    ] == [
        False,
        False,
    ]


def test_a_request_without_an_incident_is_forgotten_after_a_day() -> None:
    """Its story stays in the history."""
    play = Play()
    request(play)
    play.play()
    play.wait(10)
    assert ends(play.change()) == (ChangeState.CLOSED, Closure.SUCCESS)
    play.wait(CLOSED_KEPT.total_seconds() - 10)
    assert list(play.state.changes) == ["CHG-1"]
    play.wait(10)
    assert (play.state.changes, play.state.runs) == ({}, {})


def test_a_moment_that_was_waited_for_in_vain_is_passed_over() -> None:
    """The change was cancelled, and even forgotten, before its window opened."""
    for days in (0.5, 3):
        play = Play()
        start = START + timedelta(days=days)
        play.calendars(
            calendar("nightly", (start, start + timedelta(hours=1)), purpose=CalendarPurpose.PERMIT)
        )
        request(play, type=ChangeType.NORMAL)
        cancel(play)
        play.wait(4 * 24 * 3600)
        assert play.state.changes == {}
        assert play.asked(PrepareRun) == 0


def test_nobody_makes_a_change_less_than_its_author_did() -> None:
    """Who may ask for changes cannot skip approval by calling a normal one standard."""
    normal = replace(RESTART, change_model="normal")
    play = Play(config=replace(CONFIG, remediations={"restart-service": normal}))
    asked = ChangeRequested(
        remediation="restart-service",
        entity=ref("web1"),
        parameters={"service": "nginx"},
        by="otto",
        type=ChangeType.STANDARD,
    )
    told = play.feed(asked).refusal
    assert told is not None
    assert told.reason is Reason.POLICY_REFUSES
    assert play.state.changes == {}
