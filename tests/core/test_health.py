"""How well every entity is: by its own alerts, by what it rests on, and never by guessing."""

from dataclasses import replace
from datetime import datetime

from agent.model.calendar import CalendarPurpose
from agent.model.incident import StateInterval
from agent.model.service import Health
from tests.core.play import CONFIG, START, Play, alert, calendar, entity, minutes, ref, service_map

UP, DEGRADED, DOWN = Health.UP, Health.DEGRADED, Health.DOWN


def health(play: Play, *names: str) -> list[Health]:
    """The health of these components; what is well is not kept."""
    kept = play.state.health
    return [kept[ref(name)].health if ref(name) in kept else UP for name in names]


def on(*entities: object) -> Play:
    """A play on another map."""
    return Play(config=replace(CONFIG, service_map=service_map(*entities)))  # type: ignore[arg-type]


def intervals(play: Play, name: str) -> list[tuple[float, float | None, Health, str | None]]:
    """The rows of one entity as history keeps them: the last of each start, in minutes."""

    def minute(at: datetime | None) -> float | None:
        return None if at is None else (at - START).total_seconds() / 60

    kept = {
        r.start: (minute(r.start) or 0.0, minute(r.end), r.health, r.excused_by)
        for r in play.records
        if isinstance(r, StateInterval) and r.entity == ref(name)
    }
    return [kept[start] for start in sorted(kept)]


def test_one_of_two_that_stand_in_for_each_other_degrades_both_bring_down() -> None:
    """While one web server lives the shop is slow, not dead."""
    play = Play()
    play.fire("ServiceDown", service="web1")
    assert health(play, "web1", "web2", "shop") == [DOWN, UP, DEGRADED]
    second = play.fire("ServiceDown", service="web2")
    assert health(play, "shop") == [DOWN]
    play.resolve(second)
    assert health(play, "shop") == [DEGRADED]


def test_what_everything_rests_on_takes_it_all_down() -> None:
    """And gives it all back."""
    play = Play()
    down = play.fire("ServiceDown", service="db")
    assert health(play, "db", "web1", "web2", "shop") == [DOWN] * 4
    play.resolve(down)
    assert health(play, "db", "web1", "web2", "shop") == [UP] * 4
    assert play.state.health == {}


def test_a_warning_degrades_and_information_does_not() -> None:
    """An unknown word counts as a warning: not harmless."""
    play = Play()
    play.fire("Note", service="web1", severity="info")
    assert health(play, "web1") == [UP]
    play.fire("Odd", service="web1", severity="odd")
    assert health(play, "web1", "shop") == [DEGRADED, DEGRADED]


def test_the_worst_of_its_alerts_counts() -> None:
    """When it is over, the next worst does."""
    play = Play()
    worst = play.fire("ServiceDown", service="db")
    play.fire("ServiceSlow", service="db", severity="warning")
    play.resolve(worst)
    assert health(play, "db", "shop") == [DEGRADED, DEGRADED]


def test_a_part_degrades_its_whole_and_all_parts_bring_it_down() -> None:
    """A system is down when nothing of it is left."""
    play = on(
        entity("desk"),
        replace(entity("mail"), part_of=ref("desk")),
        replace(entity("phone"), part_of=ref("desk")),
    )
    play.fire("Down", service="mail")
    assert health(play, "desk") == [DEGRADED]
    play.fire("Down", service="phone")
    assert health(play, "desk") == [DOWN]


def test_a_part_that_its_whole_depends_on_takes_it_down() -> None:
    """Said in so many words on the map, being a part does not soften it."""
    play = on(entity("desk", "mail"), replace(entity("mail"), part_of=ref("desk")))
    play.fire("Down", service="mail")
    assert health(play, "desk") == [DOWN]


def test_things_that_rest_on_each_other_do_not_keep_each_other_down() -> None:
    """A circle suffers together and recovers together."""
    play = on(entity("a", "b"), entity("b", "c"), entity("c", "a", "base"), entity("base"))
    said = play.fire("Down", service="base")
    assert health(play, "a", "b", "c") == [DOWN] * 3
    play.resolve(said)
    assert health(play, "a", "b", "c") == [UP] * 3
    own = play.fire("Down", service="b")
    assert health(play, "a", "b", "c", "base") == [DOWN, DOWN, DOWN, UP]
    play.resolve(own)
    assert health(play, "a", "b", "c") == [UP] * 3


def test_an_outage_lasts_as_long_as_its_alert_claims() -> None:
    """From the alert's own start to its own end, not from when we heard of either."""
    play = Play()
    said = alert("ServiceDown", at=START - minutes(5), service="db")
    play.say(said)
    assert intervals(play, "shop") == [(-5, None, DOWN, None)]
    play.wait(600)
    play.say(replace(said, ends_at=START + minutes(8)))
    assert intervals(play, "shop") == [(-5, 8, DOWN, None)]


def test_what_ends_in_one_breath_with_an_outage_does_not_prolong_it() -> None:
    """Both ends come late in one batch: down until the one, degraded until the other."""
    play = Play()
    down = play.fire("ServiceDown", service="db")
    slow = play.fire("ServiceSlow", service="db", severity="warning")
    play.wait(600)
    mended, well = START + minutes(3), START + minutes(7)
    play.say(replace(down, ends_at=mended), replace(slow, ends_at=well))
    assert intervals(play, "db") == [(0, 3, DOWN, None), (3, 7, DEGRADED, None)]


def test_an_outage_of_no_length_does_not_stay_open() -> None:
    """A sender that gives one moment for start and end leaves no endless downtime behind."""
    play = Play()
    said = play.fire("ServiceDown", service="db")
    play.resolve(said)
    assert [row[1] for row in intervals(play, "db")] == [0]


def test_an_end_that_is_claimed_before_the_start_takes_no_time_back() -> None:
    """A wrong clock makes the interval empty, never reversed."""
    play = Play()
    said = play.fire("ServiceDown", service="db")
    play.say(replace(said, ends_at=START - minutes(10)))
    assert intervals(play, "db") == [(0, 0, DOWN, None)]


def test_a_sender_ahead_of_time_takes_nothing_off_the_downtime() -> None:
    """What it says begins in ten minutes has begun now."""
    play = Play()
    play.say(alert("ServiceDown", at=START + minutes(10), service="db"))
    assert intervals(play, "db") == [(0, None, DOWN, None)]


def test_worse_and_better_are_intervals_that_follow_each_other() -> None:
    """No moment is counted twice and none is lost."""
    play = Play()
    first = play.fire("ServiceDown", service="web1")
    play.wait(60)
    second = play.fire("ServiceDown", service="web2")
    play.wait(60)
    play.resolve(second)
    play.wait(60)
    play.resolve(first)
    assert intervals(play, "shop") == [
        (0, 1, DEGRADED, None),
        (1, 2, DOWN, None),
        (2, 3, DEGRADED, None),
    ]


def test_an_interval_names_the_incident_behind_it() -> None:
    """Its own where it has one, else that of what it rests on."""
    play = Play()
    play.fire("ServiceDown", service="db")
    rows = [r for r in play.records if isinstance(r, StateInterval)]
    assert {r.entity: r.incident for r in rows} == {
        ref(name): "INC-1" for name in ("db", "web1", "web2", "shop")
    }


def test_an_interval_far_above_names_the_incident_below() -> None:
    """Out of the incident's reach, but down because of it."""
    names = ["a", "b", "c", "d", "e", "f"]
    pairs = zip(names, [*names[1:], None], strict=True)
    play = on(*(entity(one, *([two] if two else [])) for one, two in pairs))
    play.fire("Down", service="f")
    row = next(r for r in play.records if isinstance(r, StateInterval) and r.entity == ref("a"))
    assert (row.health, row.incident) == (DOWN, "INC-1")


def test_a_muted_outage_is_an_outage_without_an_incident() -> None:
    """Silence is for ears: what is down is down."""
    play = Play()
    play.silence("S1", minutes(60), service="db")
    play.fire("ServiceDown", service="db")
    rows = [r for r in play.records if isinstance(r, StateInterval)]
    assert {r.incident for r in rows} == {None}
    assert health(play, "shop") == [DOWN]


def test_downtime_in_an_agreed_window_is_excused_and_what_lasts_longer_is_not() -> None:
    """The interval is cut at the border of the window: only what was announced is excused."""
    play = Play()
    window = (START + minutes(10), START + minutes(40))
    play.calendars(calendar("patch", window, purpose=CalendarPurpose.EXCLUDE))
    said = play.fire("ServiceDown", service="db")
    play.wait(60 * 60)
    play.resolve(said)
    assert intervals(play, "shop") == [
        (0, 10, DOWN, None),
        (10, 40, DOWN, "calendar:patch"),
        (40, 60, DOWN, None),
    ]


def test_an_excuse_is_for_whom_it_was_agreed() -> None:
    """And for what that rests on; not for what stands above it."""
    play = Play()
    window = (START, START + minutes(40))
    patch = calendar("patch", window, purpose=CalendarPurpose.EXCLUDE, entities=(ref("web1"),))
    play.calendars(patch)
    play.fire("ServiceDown", service="db")
    assert {name: intervals(play, name)[0][3] for name in ("db", "web1", "web2", "shop")} == {
        "db": "calendar:patch",
        "web1": "calendar:patch",
        "web2": None,
        "shop": None,
    }


def test_a_calendar_that_comes_late_excuses_from_then_on() -> None:
    """A window that is announced while it is down does not reach back."""
    play = Play()
    play.fire("ServiceDown", service="db")
    play.wait(600)
    window = (START, START + minutes(40))
    play.calendars(calendar("patch", window, purpose=CalendarPurpose.EXCLUDE))
    assert intervals(play, "db") == [(0, 10, DOWN, None), (10, None, DOWN, "calendar:patch")]
