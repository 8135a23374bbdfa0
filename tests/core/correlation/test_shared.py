"""What many share: a coincidence, or the one thing that fails silently."""

from dataclasses import replace

from agent.model.incident import IncidentState
from tests.core.play import CONFIG, Play, entity, service_map

USERS = [f"u{number:02}" for number in range(40)]
SWITCH = service_map(entity("switch"), *(entity(name, "switch") for name in USERS))


def on_switch() -> Play:
    """Forty users of one switch."""
    return Play(config=replace(CONFIG, service_map=SWITCH))


def live(play: Play) -> list[str]:
    """Incidents that are open."""
    return [i.id for i in play.state.incidents.values() if i.state is IncidentState.OPEN]


def test_two_of_forty_are_a_coincidence() -> None:
    """The switch is silent, and 38 users are well."""
    play = on_switch()
    play.fire("Unreachable", service=USERS[3])
    play.fire("Unreachable", service=USERS[8])

    assert live(play) == ["INC-1", "INC-2"]


def test_most_of_forty_are_the_switch() -> None:
    """Their incidents become one, the oldest, and the story says by what."""
    play = on_switch()
    for name in USERS[:30]:
        play.fire("Unreachable", service=name)

    assert live(play) == ["INC-1"]
    assert {a.incident for a in play.state.alerts.values()} == {"INC-1"}
    assert "24 of 40 that rest on switch alert at once" in play.said("INC-1", "merged")


def test_what_is_no_user_of_it_stays_out() -> None:
    """Shared infrastructure pulls together what it explains and nothing else."""
    others = service_map(*SWITCH.entities.values(), entity("other", "disk"), entity("disk"))
    play = Play(config=replace(CONFIG, service_map=others))
    play.fire("Full", service="disk")
    for name in USERS[:30]:
        play.fire("Unreachable", service=name)

    assert len(live(play)) == 2
    assert play.state.members["INC-1"].alerts == 1


def test_spread_over_hours_they_are_not_one() -> None:
    """One after the other, each cleared before the next: nothing happened at once."""
    play = on_switch()
    for name in USERS[:30]:
        said = play.fire("Unreachable", service=name)
        play.wait(600)
        play.resolve(said)

    assert play.state.incident_count == 30
    assert play.said("INC-30", "merged") == []
