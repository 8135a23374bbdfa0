"""What pages say, worked out from the model alone: words, next steps, health, the drawing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core.state import HealthNow
from agent.model.alert import Severity
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
)
from agent.model.evidence import Evidence, EvidenceKind
from agent.model.incident import Cause, Incident, IncidentState, Level, Priority
from agent.model.service import Entity, EntityKind, Health, ServiceMap
from agent.web.graph import NODE_WIDTH, NODES_MAX, incident_graph
from agent.web.views.catalogue import Catalogue
from agent.web.views.changes import change_badge, waiting_first
from agent.web.views.incidents import by_urgency, clocks, impact_words, next_steps
from agent.web.views.services import NOWHERE, health_of, services_view
from agent.web.views.words import Tone, listing, moment, safe_href, span
from tests.web.sample import NOW, shop

DATABASE = "resource:default/orders-db"

SAID = Evidence(kind=EvidenceKind.ALERTS, speaks_for=True, weight=1.0, text="x")

INCIDENT = Incident(
    id="INC-1",
    state=IncidentState.OPEN,
    title="Orders database is down",
    opened_at=NOW - timedelta(minutes=10),
    started_at=NOW - timedelta(minutes=11),
    severity=Severity.CRITICAL,
    impact=Level.HIGH,
    urgency=Level.HIGH,
    priority=Priority.P1,
    alerts=3,
    firing=2,
    entities=(DATABASE,),
    services=("system:default/checkout", DATABASE),
    causes=(Cause(entity=DATABASE, score=0.9, evidence=(SAID,), alerting=True),),
    response_due=NOW - timedelta(minutes=5),
    restoration_due=NOW + timedelta(minutes=50),
)

CHANGE = Change(
    id="CHG-1",
    state=ChangeState.RUNNING,
    type=ChangeType.NORMAL,
    title="Restart it",
    remediation="restart",
    digest="d",
    entity=DATABASE,
    hosts=(),
    parameters={},
    requested_by="rule:r",
    rule_author=None,
    requested_at=NOW,
    binding="b",
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: int, said: str) -> None:
    """Nobody reads 7,500 seconds."""
    assert span(timedelta(seconds=seconds)) == said


def test_a_moment_is_told_from_now() -> None:
    """Past and future read differently, and the exact moment goes with it."""
    assert moment(NOW - timedelta(minutes=3), NOW).text == "3 min ago"
    assert moment(NOW + timedelta(hours=2), NOW).text == "in 2 h"
    assert moment(NOW, NOW).exact == "2026-03-02 08:30:00 UTC"


def test_a_long_listing_ends_in_a_count() -> None:
    """Five names are three names and a number."""
    assert listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a and b"
    assert listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//host/x",
        "http:",
        "http://[",
        "",
        " JaVaScRiPt:x",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    """What a click could run is shown as text."""
    assert safe_href(url) == ""


def test_a_web_address_stays_as_it_is() -> None:
    """http and https are followed."""
    assert safe_href("https://tickets.example/1?a=b") == "https://tickets.example/1?a=b"


def test_an_open_incident_asks_for_an_answer_first() -> None:
    """Not acknowledged and overdue comes before everything else."""
    steps = next_steps(INCIDENT, (), shop(), NOW)
    assert steps[0].text == "Acknowledge it: response is overdue by 5 min."
    assert steps[-1].text.startswith("Look into it: no remediation applies by itself.")
    assert "Orders database, the probable cause" in steps[-1].text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ChangeState.AWAITING_APPROVAL, "Decide on the change that waits for approval:"),
        (ChangeState.RUNNING, "Wait for the run that is under way:"),
        (ChangeState.VERIFYING, "Wait: the run is over and its effect is being checked:"),
        (ChangeState.UNKNOWN, "Look at the hosts: nobody knows what became of a run:"),
    ],
)
def test_a_change_under_way_says_what_to_do_about_it(state: ChangeState, said: str) -> None:
    """And nobody is sent to look elsewhere meanwhile."""
    known = replace(INCIDENT, acknowledged_at=NOW)
    steps = next_steps(known, (replace(CHANGE, state=state),), shop(), NOW)
    assert [step.text for step in steps] == [said]


def test_a_failed_change_hands_over_to_a_person() -> None:
    """What was tried and did not help is said."""
    failed = replace(CHANGE, state=ChangeState.CLOSED, closure=Closure.FAILED)
    steps = next_steps(replace(INCIDENT, acknowledged_at=NOW), (failed,), shop(), NOW)
    assert steps[0].text.startswith("Take over: 1 change did not help")


def test_nothing_is_to_do_once_service_is_restored() -> None:
    """A resolved incident asks for nothing."""
    resolved = replace(INCIDENT, state=IncidentState.RESOLVED)
    assert next_steps(resolved, (), shop(), NOW) == ()


def test_clocks_tell_met_running_and_overdue() -> None:
    """A promise that was kept is not shown as running."""
    response, restoration = clocks(INCIDENT, NOW)
    assert (response.badge.text, response.badge.tone) == ("overdue by 5 min", Tone.BAD)
    assert restoration.badge.text == "50 min left"
    late = replace(INCIDENT, acknowledged_at=NOW - timedelta(minutes=4))
    assert clocks(late, NOW)[0].badge.text == "1 min late"


def test_impact_is_named_or_admitted_to_be_unknown() -> None:
    """An incident off the map does not pretend to hit nobody."""
    assert impact_words(INCIDENT, shop()) == "Checkout and Orders database"
    unplaced = replace(INCIDENT, services=(), entities=())
    assert impact_words(unplaced, shop()).startswith("Nobody knows yet")


def test_open_incidents_come_first_then_priority_then_the_newest() -> None:
    """The order of the list is the order of work."""
    minor = replace(INCIDENT, id="INC-2", priority=Priority.P4)
    newer = replace(INCIDENT, id="INC-3", opened_at=NOW)
    over = replace(INCIDENT, id="INC-4", state=IncidentState.RESOLVED)
    ordered = by_urgency([over, minor, INCIDENT, newer])
    assert [one.id for one in ordered] == ["INC-3", "INC-1", "INC-2", "INC-4"]


def test_changes_that_wait_for_a_person_come_first() -> None:
    """A closed change never hides one that waits."""
    closed = replace(CHANGE, id="CHG-2", state=ChangeState.CLOSED, closure=Closure.SUCCESS)
    waiting = replace(
        CHANGE,
        id="CHG-3",
        state=ChangeState.AWAITING_APPROVAL,
        requested_at=NOW - timedelta(days=1),
    )
    assert [one.id for one in waiting_first([closed, CHANGE, waiting])] == [
        "CHG-3",
        "CHG-1",
        "CHG-2",
    ]
    assert change_badge(closed).text == "success"


def test_nothing_is_up_that_nothing_watches() -> None:
    """An entity without matchers, below it either, is unknown."""
    known = Catalogue.of(shop()).watched
    for ref, health in (
        ("system:default/checkout", Health.UP),
        ("system:default/meeting-rooms", Health.UNKNOWN),
    ):
        assert health_of(ref, {}, is_watched=ref in known) is health


def test_services_survive_a_circle_of_parts() -> None:
    """Two entities that are part of each other are both shown, once."""
    one = Entity(ref="system:d/a", kind=EntityKind.SYSTEM, name="a", part_of="system:d/b")
    two = Entity(ref="system:d/b", kind=EntityKind.SYSTEM, name="b", part_of="system:d/a")
    view = services_view(Catalogue.of(ServiceMap.of({one.ref: one, two.ref: two})), {}, (), NOW)
    assert [section.name for section in view.sections] == [NOWHERE]
    assert sorted(row.name for row in view.sections[0].rows) == ["a", "b"]


def test_what_is_wrong_is_shown_however_large_the_map() -> None:
    """A part that is down is on the page though a thousand more important ones are well."""
    entities = {
        ref: Entity(ref=ref, kind=EntityKind.SYSTEM, name=ref, tier=1)
        for ref in (f"system:d/s{number}" for number in range(1000))
    }
    small = Entity(ref="api:d/small", kind=EntityKind.API, name="small")
    entities[small.ref] = small
    down = HealthNow(health=Health.DOWN, since=NOW, incident=None)
    view = services_view(Catalogue.of(ServiceMap.of(entities)), {small.ref: down}, (), NOW)
    assert view.sections[0].rows[0].name == "small"
    assert [count.text for count in view.counts] == ["1 down", "1,000 unknown"]
    assert (view.shown, view.total) == (500, 1001)


def test_the_drawing_puts_the_cause_below_what_rests_on_it() -> None:
    """Every line leads down, boxes do not overlap, and a longer way replaces a direct line."""
    graph = incident_graph(INCIDENT, Catalogue.of(shop()), {})
    assert graph is not None
    at = {node.ref: node for node in graph.nodes}
    assert at[DATABASE].role == "cause"
    assert at[DATABASE].y == max(node.y for node in graph.nodes)
    for node in graph.nodes:
        beside = [other.x for other in graph.nodes if other.y == node.y and other is not node]
        assert all(abs(x - node.x) >= NODE_WIDTH for x in beside)
    checkout = at["system:default/checkout"]
    assert sorted(checkout.rests_on) == ["Checkout API", "Orders database"]
    assert len(graph.edges) < sum(len(node.rests_on) for node in graph.nodes)


def test_the_drawing_is_bounded_on_a_hub() -> None:
    """A database under two hundred services is drawn with the nearest of them, and says so."""
    hub = Entity(ref="resource:d/hub", kind=EntityKind.RESOURCE, name="hub")
    users = [
        Entity(
            ref=f"component:d/user{number}",
            kind=EntityKind.COMPONENT,
            name=f"user{number}",
            depends_on=(hub.ref,),
        )
        for number in range(200)
    ]
    service_map = ServiceMap.of({entity.ref: entity for entity in (hub, *users)})
    incident = replace(
        INCIDENT,
        entities=(hub.ref,),
        services=(),
        causes=(replace(INCIDENT.causes[0], entity=hub.ref),),
    )
    graph = incident_graph(incident, Catalogue.of(service_map), {})
    assert graph is not None
    assert (len(graph.nodes), graph.omitted) == (NODES_MAX, 201 - NODES_MAX)
    assert graph.width < 1000


def test_a_circle_of_dependencies_is_drawn() -> None:
    """Circles are allowed on the map, and end."""
    refs = [f"component:d/c{number}" for number in range(3)]
    entities = {
        ref: Entity(
            ref=ref, kind=EntityKind.COMPONENT, name=ref[-2:], depends_on=(refs[(n + 1) % 3],)
        )
        for n, ref in enumerate(refs)
    }
    incident = replace(INCIDENT, entities=tuple(refs), services=(), causes=())
    graph = incident_graph(incident, Catalogue.of(ServiceMap.of(entities)), {})
    assert graph is not None
    assert len(graph.nodes) == 3
    assert graph == incident_graph(incident, Catalogue.of(ServiceMap.of(entities)), {})


def test_an_incident_off_the_map_has_no_drawing() -> None:
    """Nothing is drawn of what nobody described."""
    assert incident_graph(INCIDENT, Catalogue.of(ServiceMap.of({})), {}) is None
