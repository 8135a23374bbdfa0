"""More than anybody can read: it is gathered, nothing is lost, and critical alerts last of all."""

from dataclasses import replace

from agent.core.correlation.storms import CRITICAL_SHARE
from agent.model.incident import IncidentState
from agent.model.reason import Reason
from tests.core.play import CONFIG, Play, alert

LIMIT = 3


def stormy() -> Play:
    """Three incidents in ten minutes are all that anybody can read."""
    return Play(config=replace(CONFIG, correlation=replace(CONFIG.correlation, storm=LIMIT)))


def fire(play: Play, number: int, severity: str) -> str:
    """An alert at a place of its own; answers with its incident."""
    said = replace(
        alert("Odd", at=play.now, host=f"x{number}"),
        labels={"alertname": "Odd", "host": f"x{number}", "severity": severity},
        fingerprint=f"{number:016x}",
    )
    play.say(said)
    return play.state.alerts[said.fingerprint].incident or ""


def test_beyond_the_limit_all_is_gathered_in_one() -> None:
    """Each gathered alert says by what, and so does the story of the summary."""
    play = stormy()
    incidents = [fire(play, number, "warning") for number in range(LIMIT + 3)]

    assert incidents == ["INC-1", "INC-2", "INC-3", "INC-4", "INC-4", "INC-4"]
    assert [a.joined_by for a in play.state.alerts.values()][LIMIT:] == [Reason.STORM] * 3
    assert play.said("INC-4", "storm")[:1] == [
        "storm: 3 incidents in 10 minutes; what would open one more is gathered here"
    ]


def test_critical_alerts_are_gathered_last() -> None:
    """They open incidents of their own until there are several times as many."""
    play = stormy()
    for number in range(LIMIT + 1):
        fire(play, number, "warning")

    incidents = [fire(play, 100 + number, "critical") for number in range(LIMIT * CRITICAL_SHARE)]

    assert incidents[0] == "INC-5"
    assert incidents[-1] == "INC-4"
    assert len(set(incidents)) == LIMIT * CRITICAL_SHARE - LIMIT + 1


def test_what_joins_an_open_incident_still_joins_it() -> None:
    """Only what would open one more is gathered."""
    play = stormy()
    play.fire("ServiceDown", service="db")
    for number in range(LIMIT + 1):
        fire(play, number, "warning")
    play.fire("ServiceSlow", service="shop")

    assert play.state.members["INC-1"].alerts == 2


def test_the_summary_attracts_nothing_and_ends_with_its_alerts() -> None:
    """After the storm a new alert near a gathered one opens an incident again."""
    play = stormy()
    for number in range(LIMIT):
        fire(play, number, "warning")
    said = alert("ServiceSlow", at=play.now, service="web1")
    play.say(replace(said, labels={**said.labels, "severity": "warning"}))
    assert play.state.members["INC-4"].is_summary
    play.wait(601)
    play.fire("ServiceSlow", service="db")
    assert play.state.members["INC-5"].alerts == 1
    play.resolve(said)
    play.wait(301)

    assert play.incident(4).state is IncidentState.CLOSED
