"""The review of an incident tells everything that the journal knows, in one golden text."""

import os
from dataclasses import replace
from pathlib import Path

from agent.model.alert import AlertRecord
from agent.model.effect import PrepareRun
from agent.model.entry import (
    CauseConfirmed,
    ChangeReported,
    IncidentAcknowledged,
    IncidentCommented,
)
from agent.model.incident import TimelineItem
from agent.model.problem_entries import SuspectConfirmed
from agent.model.remediation import Outcome
from agent.model.reported import ChangeReport, Progress
from agent.reporting.review import Review, Story, review
from agent.web.review import as_markdown
from tests.core.play import CONFIG, SHOP, Play, minutes, ref, service_map

GOLDEN = Path(__file__).parent / "review.golden.md"
COSTLY = service_map(
    replace(SHOP.entities[ref("shop")], cost_per_hour=6000.0, title="Shop | checkout"),
    *(entity for entity in SHOP.entities.values() if entity.name != "shop"),
)


def story(play: Play) -> Story:
    """What the history would hold of the first incident."""
    items = (one for one in play.records if isinstance(one, TimelineItem))
    alerts = {one.heard_at: one for one in play.records if isinstance(one, AlertRecord)}
    incident = play.incident()
    return Story(
        incident=incident,
        timeline=[item for item in items if item.subject == incident.id],
        alerts=list(alerts.values()),
        changes=[play.state.changes[name] for name in incident.changes],
        problem=play.state.problems.get(incident.problem or ""),
        similar=(),
        service_map=play.state.config.service_map,
        now=play.now,
    )


def told() -> Review:
    """A deploy breaks the database; a restart does not help and stops; people take it back."""
    play = Play(config=replace(CONFIG, service_map=COSTLY))
    report = ChangeReport(
        key="d/1",
        at=play.now - minutes(7),
        summary="Deploy of <b>db</b>",
        progress=Progress.SUCCEEDED,
        version="main@f95f852",
        actor="anna",
        names={"entity": ref("db")},
    )
    play.feed(ChangeReported(source="github", report=report))
    down = play.fire("ServiceDown", service="db")
    play.play(Outcome.FAILED)
    play.play(Outcome.CHANGED)
    play.trust()
    play.wait(20 * 60)
    while play.asked(PrepareRun):
        play.play(Outcome.FAILED)
        play.wait(60)
    play.feed(IncidentAcknowledged(incident="INC-1", by="ben"))
    play.feed(IncidentCommented(incident="INC-1", text="Taking the deploy back", by="ben"))
    play.feed(SuspectConfirmed(incident="INC-1", change="REP-1", by="ben"))
    play.feed(CauseConfirmed(incident="INC-1", entity=ref("db"), by="ben"))
    play.resolve(down)
    play.wait(3600)
    return review(story(play))


def test_the_review_reads_as_its_golden_text() -> None:
    """`UPDATE_GOLDEN=1` writes it; whoever does so reads the difference."""
    text = as_markdown(told())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text


def test_its_figures_are_those_of_the_story() -> None:
    """Twenty odd minutes of downtime at six thousand an hour, acknowledged after its target."""
    found = told()
    assert found.is_over
    assert found.cost == 6000 * found.downtime.total_seconds() / 3600
    assert found.time_to_restore == found.downtime
    assert found.response_late_by is not None
    assert [attempt.helped for attempt in found.attempts] == [False] * len(found.attempts)
    assert [line.who for line in found.corrections] == ["ben", "ben"]
    assert found.problem is not None


def test_of_an_incident_that_nothing_is_known_of_there_is_a_review_too() -> None:
    """Nobody hit, no cause, nothing tried: said in so many words."""
    play = Play()
    play.fire("Odd", host="x1")
    found = review(story(play))
    text = as_markdown(found)
    assert (found.causes, found.cost, found.detected) == ((), None, None)
    assert "Nobody of the map was known to be hit" in text
    assert "No cause could be told" in text
    assert "this review is a draft" in text
