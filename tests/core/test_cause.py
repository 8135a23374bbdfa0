"""Why: what explains the alerts wins, and says what speaks for it and against it."""

from dataclasses import replace

from agent.model.entry import CauseConfirmed
from agent.model.incident import Cause
from tests.core.play import CONFIG, Play, entity, ref, service_map


def best(play: Play, number: int = 1) -> Cause:
    """The cause on top."""
    return play.incident(number).causes[0]


def shop_of(*names: str, **more: object) -> Play:
    """A play on a map of these users of one thing."""
    users = (entity(name, "base") for name in names)
    base = replace(entity("base"), **more)  # type: ignore[arg-type]
    return Play(config=replace(CONFIG, service_map=service_map(base, *users)))


def test_what_alerts_beats_what_merely_suffers() -> None:
    """The database explains the web and the shop above it; the title says who is hit."""
    play = Play()
    for name in ("shop", "web1", "web2", "db"):
        play.fire("ServiceDown", service=name)
    assert best(play).entity == ref("db")
    assert best(play).alerting
    assert best(play).evidence_for == (
        "alerts itself",
        "shop, web1, web2 rest on it",
        "at least 3 times as likely as the next, web1",
    )
    assert play.incident().title == "db disturbs shop"
    assert "explains more than" in play.said("INC-1", "cause_changed")[-1]


def test_a_silent_common_dependency_is_named_though_it_does_not_alert() -> None:
    """A monitor may be missing there, and the evidence asks."""
    play = shop_of("u1", "u2", "u3", matches=())
    for name in ("u1", "u2", "u3"):
        play.fire("Slow", service=name)
    assert best(play).entity == ref("base")
    assert not best(play).alerting
    assert best(play).evidence_against == ("nothing watches it: a monitor is missing here",)
    assert best(play).evidence_for == (
        "u1, u2, u3 rest on it",
        "at least 3 times as likely as the next, u1",
    )


def test_that_a_watched_thing_is_silent_speaks_against_it() -> None:
    """Its monitor works and says nothing: it may still be the cause, with that said."""
    play = shop_of("u1", "u2", "u3")
    for name in ("u1", "u2", "u3"):
        play.fire("Slow", service=name)
    assert best(play).entity == ref("base")
    assert best(play).evidence_against == ("is watched and does not alert itself",)


def test_a_candidate_that_left_the_map_is_still_told_apart() -> None:
    """A reload takes out what an open incident names: later alerts are judged without a stumble."""
    play = shop_of("u1", "u2")
    play.fire("Slow", service="u1")
    play.reload(service_map=service_map(entity("u1"), entity("u2", "u1")))
    play.fire("Slow", service="u2")
    assert play.incident().cause == ref("u1")


def test_dependants_that_are_well_speak_against_it() -> None:
    """They would suffer if it were the cause; they are named."""
    play = shop_of("u1", "u2", "u3", "u4")
    play.fire("Slow", service="u1")
    assert best(play).entity == ref("u1")
    base = next(cause for cause in play.incident().causes if cause.entity == ref("base"))
    assert "3 of 4 watched dependants are well: u2, u3, u4" in base.evidence_against


def test_what_it_does_not_explain_speaks_against_it() -> None:
    """Two at one place far from each other: the cause on top admits what is left."""
    play = shop_of("u1", "u2")
    play.fire("Slow", service="u1")
    play.fire("Slow", service="u2")
    users = [cause for cause in play.incident().causes if cause.entity != ref("base")]
    assert ["does not explain 1 of the alerting entities"] * 2 == [
        cause.evidence_against[0] for cause in users
    ]


def test_equal_candidates_stand_in_a_fixed_order() -> None:
    """Whichever alert came first, the same cause is named."""
    orders = (("u1", "u2"), ("u2", "u1"))
    named = []
    for order in orders:
        play = Play(config=replace(CONFIG, service_map=service_map(entity("u1"), entity("u2"))))
        for name in order:
            play.fire("Odd", service=name)
        named.append([i.cause for i in play.state.incidents.values()])
    assert [sorted(map(str, causes)) for causes in named] == [[ref("u1"), ref("u2")]] * 2

    tops = []
    for order in orders:
        play = shop_of("u1", "u2")
        for name in order:
            play.fire("Slow", service=name)
        tops.append([cause.entity for cause in play.incident().causes])
    assert tops[0] == tops[1]


def test_many_are_named_by_a_few() -> None:
    """Evidence is read by people: five names and a count."""
    names = [f"u{number}" for number in range(8)]
    play = shop_of(*names)
    play.fire("Down", service="base")
    for name in names:
        play.fire("Slow", service=name)
    assert best(play).evidence_for[:2] == (
        "alerts itself",
        "u0, u1, u2, u3, u4 and 3 more rest on it",
    )


def test_a_cause_that_a_person_confirmed_stays() -> None:
    """Later alerts rank the others below it; it is asked about no more."""
    play = Play()
    play.fire("ServiceSlow", service="shop")
    play.feed(CauseConfirmed(incident="INC-1", entity=ref("web2"), by="ann"))
    play.fire("ServiceDown", service="db")
    assert (best(play).entity, play.incident().cause_confirmed_by) == (ref("web2"), "ann")
    assert best(play).evidence_for == ("confirmed by ann",)
    assert [c.entity for c in play.incident().causes].count(ref("web2")) == 1
    assert play.said("INC-1", "cause_confirmed") == ["web2 is the cause"]


def test_a_cause_is_on_the_map_and_of_a_live_incident() -> None:
    """Anything else is refused in words."""
    play = Play()
    play.fire("ServiceSlow", service="shop")
    asked = (("INC-1", ref("nothing")), ("INC-9", ref("db")))
    told = [
        play.feed(CauseConfirmed(incident=incident, entity=name, by="ann")).refusal
        for incident, name in asked
    ]
    assert [r.text for r in told if r] == [
        "the map has no entity component:default/nothing",
        "INC-9 is not a live incident",
    ]


def test_the_owner_is_that_of_the_cause_or_of_what_it_is_part_of() -> None:
    """Who can mend it is called, not who suffers."""
    disk = replace(entity("disk"), part_of=ref("db"))
    db = replace(entity("db"), owner="group:default/dba")
    shop = replace(entity("shop", "db"), owner="group:default/web")
    play = Play(config=replace(CONFIG, service_map=service_map(shop, db, disk)))
    play.fire("DiskFull", service="disk")
    assert play.incident().owner == "group:default/dba"


def test_an_unplaced_incident_has_no_cause_and_keeps_its_own_words() -> None:
    """Nothing is guessed about what the map does not know."""
    play = Play()
    play.fire("Odd", host="x1")
    assert (play.incident().causes, play.incident().owner) == ((), None)
    assert play.incident().title == "Odd on x1"
