"""Changes of others are taken in once, placed on the map, and suspected where they are near."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.causes.reports import REPORTED_KEPT, REPORTED_MAX
from agent.core.causes.suspects import SUSPECTS_MAX, suspects_at
from agent.model.entry import ChangeReported, IncidentsMerged
from agent.model.problem_entries import SuspectConfirmed, SuspectDismissed
from agent.model.reported import GITHUB_PROJECT, ChangeReport, Progress, names_of_repository
from tests.core.play import CONFIG, SHOP, Play, entity, minutes, ref, service_map

MAP = service_map(
    *(e for e in SHOP.entities.values() if e.name != "db"),
    replace(SHOP.entities[ref("db")], known_as={GITHUB_PROJECT: "Acme/Database"}),
    entity("far"),
)
WITH_NAMES = replace(CONFIG, service_map=MAP)


def report(
    at: datetime,
    key: str = "deploy/1",
    progress: Progress = Progress.SUCCEEDED,
    **more: object,
) -> ChangeReported:
    """GitHub says that the database was deployed."""
    said = ChangeReport(
        key=key,
        at=at,
        summary=f"Deploy {key}",
        progress=progress,
        **{"names": {GITHUB_PROJECT: "acme/database"}, **more},  # type: ignore[arg-type]
    )
    return ChangeReported(source="github", report=said)


def watch() -> Play:
    """Somebody watches the shop."""
    return Play(config=WITH_NAMES)


def test_a_change_is_placed_by_the_name_that_its_tool_has_for_it() -> None:
    """Whatever the case of it; the story of the entity tells it."""
    play = watch()
    play.feed(report(play.now, actor="anna", environment="production"))
    change = play.state.reported["REP-1"]
    assert (change.entities, change.actor) == ((ref("db"),), "anna")
    assert play.said(ref("db"), "change_reported") == [
        "REP-1: Deploy deploy/1 (production): succeeded"
    ]


def test_without_a_name_the_matchers_of_the_map_place_it() -> None:
    """As they place an alert; what nothing matches is kept, nowhere."""
    play = watch()
    play.feed(report(play.now, "a", names={}, labels={"service": "web1"}))
    play.feed(report(play.now, "b", names={}, labels={"service": "unheard-of"}))
    play.feed(report(play.now, "c", names={"entity": ref("web2")}))
    places = [change.entities for change in play.state.reported.values()]
    assert [(ref("web1"),), (), (ref("web2"),)] == places


@given(st.permutations([Progress.STARTED, Progress.SUCCEEDED, Progress.STARTED]))
def test_statements_of_one_change_are_one_change_in_any_order(order: list[Progress]) -> None:
    """Its beginning is the earliest moment, its end the one that was said."""
    play = watch()
    begun, ended = play.now - minutes(9), play.now - minutes(4)
    for progress in order:
        play.feed(report(ended if progress.is_over else begun, progress=progress))
    (change,) = play.state.reported.values()
    assert (begun, ended) == (change.started_at, change.ended_at)
    assert change.progress is Progress.SUCCEEDED


def test_a_repeat_leaves_no_trace() -> None:
    """Delivered twice it is said once."""
    play = watch()
    play.feed(report(play.now))
    again = play.feed(report(play.now))
    assert (again.records, again.created) == ((), None)


def test_nobodys_clock_makes_a_change_of_the_future() -> None:
    """What is said to happen later has happened now."""
    play = watch()
    play.feed(report(play.now + minutes(9)))
    assert play.state.reported["REP-1"].started_at == play.now


def test_a_deploy_shortly_before_is_a_suspect_with_its_evidence() -> None:
    """On what broke, and below what broke; the nearer the likelier."""
    play = watch()
    play.feed(report(play.now - minutes(90), "old", environment="production"))
    play.feed(report(play.now - minutes(10), "new", version="1.4", actor="anna"))
    play.feed(report(play.now, "elsewhere", names={"entity": ref("far")}))
    play.wait(60)
    play.fire("ServiceSlow", service="web1")
    found = play.incident().suspects
    assert [("REP-2", ref("db"), 1), ("REP-1", ref("db"), 1)] == [
        (suspect.change, suspect.entity, suspect.distance) for suspect in found
    ]
    assert found[0].evidence == (
        "11 min before the onset, on db, 1 step below what is disturbed",
        "version 1.4 by anna",
    )
    assert found[0].score == pytest.approx(0.7 / (1 + 11 / 30), abs=0.001)
    assert len(play.said("INC-1", "suspect_found")) == 2


def test_a_change_where_an_incident_spreads_to_is_a_suspect() -> None:
    """The cause is what it was; another place is disturbed, and was changed before."""
    play = watch()
    play.feed(report(play.now, names={"entity": ref("far")}))
    play.fire("ServiceSlow", service="db")
    play.fire("ServiceSlow", service="far")
    assert play.incident().entities == (ref("db"), ref("far"))
    assert [suspect.change for suspect in play.incident().suspects] == ["REP-1"]


def test_what_is_too_old_or_came_later_is_no_suspect() -> None:
    """The window is the operators' own."""
    play = watch()
    play.feed(report(play.now - timedelta(hours=7), "old"))
    play.fire("ServiceSlow", service="db")
    play.wait(60)
    play.feed(report(play.now, "later"))
    assert play.incident().suspects == ()


def test_a_report_that_comes_late_counts_as_if_it_had_come_in_time() -> None:
    """The incident was open already."""
    play = watch()
    play.wait(600)
    play.fire("ServiceSlow", service="db")
    play.feed(report(play.now - minutes(5)))
    assert [suspect.change for suspect in play.incident().suspects] == ["REP-1"]


def test_our_own_runs_are_suspects_of_what_follows_not_of_what_they_mend() -> None:
    """A restart is no cause of the incident that asked for it."""
    play = watch()
    first = play.fire("ServiceDown", service="db")
    play.play()
    assert play.incident().suspects == ()
    play.resolve(first)
    play.wait(1200)
    play.fire("Odd", service="db")
    assert [suspect.change for suspect in play.incident(2).suspects] == ["CHG-1"]


def test_a_person_confirms_one_and_dismisses_another() -> None:
    """What was judged stays, above all others and below; every word is in the story."""
    play = watch()
    for key in ("a", "b"):
        play.feed(report(play.now, key))
    play.fire("ServiceSlow", service="db")
    play.feed(SuspectDismissed(incident="INC-1", change="REP-1", by="ann"))
    play.feed(SuspectConfirmed(incident="INC-1", change="REP-2", by="ann"))
    play.feed(report(play.now - minutes(1), "c"))
    judged = [(s.change, s.is_match, s.judged_by) for s in play.incident().suspects]
    assert [("REP-2", True, "ann"), ("REP-3", None, None), ("REP-1", False, "ann")] == judged
    assert play.said("INC-1", "suspect_confirmed") == ["REP-2 (Deploy b) led to this"]
    assert play.feed(SuspectConfirmed(incident="INC-1", change="REP-2", by="ann")).records == ()


def test_what_was_judged_survives_a_merge() -> None:
    """Said of either incident, it is known of the one in which both go on."""
    play = watch()
    play.feed(report(play.now, "a"))
    play.fire("ServiceSlow", service="db")
    play.wait(3600)
    play.feed(report(play.now, "b", names={"entity": ref("far")}))
    play.fire("ServiceSlow", service="far")
    play.feed(SuspectConfirmed(incident="INC-2", change="REP-2", by="ann"))
    play.feed(SuspectDismissed(incident="INC-1", change="REP-1", by="ann"))
    play.feed(IncidentsMerged(incident="INC-2", into="INC-1", by="ann"))
    judged = [(s.change, s.is_match) for s in play.incident().suspects]
    assert [("REP-2", True), ("REP-1", False)] == judged


def test_a_person_may_know_of_one_that_the_watch_did_not_find() -> None:
    """Somewhere else on the map; but not of one that does not exist."""
    play = watch()
    play.feed(report(play.now, names={"entity": ref("far")}))
    play.fire("ServiceSlow", service="db")
    play.feed(SuspectConfirmed(incident="INC-1", change="REP-1", by="ann"))
    assert play.incident().suspects[0].is_match is True
    refused = play.feed(SuspectConfirmed(incident="INC-1", change="REP-9", by="ann")).refusal
    assert refused is not None
    assert refused.reason == "not_found"


def test_what_is_remembered_is_bounded_in_number_and_in_time() -> None:
    """The oldest go first, and their place on the map with them."""
    play = watch()
    for number in range(REPORTED_MAX + 3):
        play.feed(report(play.now, str(number)))
    assert next(iter(play.state.reported)) == "REP-4"
    assert len(suspects_at(play.state, ref("db"), play.now)) == REPORTED_MAX
    play.fire("ServiceSlow", service="db")
    assert len(play.incident().suspects) == SUSPECTS_MAX
    play.now += REPORTED_KEPT + minutes(1)
    play.feed(report(play.now, "fresh"))
    assert len(play.state.reported) == 1
    assert len(suspects_at(play.state, ref("db"), play.now)) == 1


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://github.com/acme/shop.git", {"github.com/project-slug": "acme/shop"}),
        ("git@github.com:acme/shop.git", {"github.com/project-slug": "acme/shop"}),
        ("https://token@gitlab.com/a/b/c", {"gitlab.com/project-slug": "a/b/c"}),
        ("https://git.example.org/acme/shop", {}),
        ("", {}),
        ("://", {}),
    ],
)
def test_a_repository_has_the_name_that_backstage_gives_it(url: str, names: dict[str, str]) -> None:
    """However its address is written."""
    assert names == names_of_repository(url)
