"""In whatever order words arrive, and however often: the same alerts are the same incidents."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.alert import Alert
from agent.model.entry import AlertsReceived
from tests.core.play import CONFIG, START, Play, alert, entity, service_map

MAP = service_map(
    entity("shop", "web1", "web2"),
    entity("web1", "db"),
    entity("web2", "db"),
    entity("db"),
    entity("mail", "relay"),
    entity("relay"),
)
"""Two systems, each no wider than an incident reaches."""
BURSTS = {"shop": 0, "web1": 0, "web2": 0, "db": 0, "mail": 900, "relay": 900}
"""Seconds: one system failed a quarter of an hour after the other."""
HOLD = timedelta(hours=1)
HEARD = START + timedelta(seconds=1000)


def event(second: int, service: str) -> Alert:
    """An event of the burst of its system."""
    at = START + timedelta(seconds=BURSTS[service] + second)
    return alert("Slow", at=at, expires=at + HOLD, service=service, n=str(second))


EVENTS = st.builds(event, st.integers(0, 100), st.sampled_from(sorted(BURSTS)))


def grouped(deliveries: list[Alert]) -> set[frozenset[str]]:
    """The alerts of each incident after these deliveries, one every tenth of a second."""
    play = Play(config=replace(CONFIG, service_map=MAP), now=HEARD)
    for said in deliveries:
        play.feed(AlertsReceived(source="test", alerts=(said,)))
        play.wait(0.1)
    found: dict[str, set[str]] = {}
    for active in play.state.alerts.values():
        assert active.incident is not None
        found.setdefault(active.incident, set()).add(active.alert.fingerprint)
    return {frozenset(names) for names in found.values()}


@settings(max_examples=60)
@given(st.data())
def test_any_permutation_and_duplication_gives_the_same_incidents(data: st.DataObject) -> None:
    """Alerts are judged by when they began to show, not by when they were heard of."""
    events = data.draw(st.lists(EVENTS, min_size=1, max_size=12, unique_by=lambda e: e.fingerprint))
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    order = data.draw(st.permutations([*events, *again]))

    assert grouped(order) == grouped(events)
