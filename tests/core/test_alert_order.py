"""What fires depends on what was said, not on the order or the number of times (I3)."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.alert import Alert
from agent.model.entry import AlertsReceived
from tests.core.play import START, Play, alert

SERVICES = ("web1", "db")


@st.composite
def statements(draw: st.DrawFn) -> list[Alert]:
    """A history of two alerts: occurrences one after the other, each with an end or without."""
    said: list[Alert] = []
    for service in SERVICES:
        at = START - timedelta(minutes=40)
        for _ in range(draw(st.integers(0, 3))):
            begin = at + timedelta(minutes=draw(st.integers(1, 5)))
            end = begin + timedelta(minutes=draw(st.integers(1, 5)))
            at = end
            said.append(alert("ServiceSlow", at=begin, service=service))
            if draw(st.booleans()):
                said.append(alert("ServiceSlow", at=begin, ends=end, service=service))
    return said


def firing(said: list[Alert]) -> dict[str, datetime]:
    """What fires after these statements, and since when."""
    play = Play()
    for one in said:
        play.feed(AlertsReceived(source="test", alerts=(one,)))
    return {name: active.alert.starts_at for name, active in sorted(play.state.alerts.items())}


@settings(max_examples=60, deadline=None)
@given(statements(), st.data())
def test_order_and_repetition_change_nothing(said: list[Alert], data: st.DataObject) -> None:
    """Any permutation with any duplicates leaves the same alerts firing."""
    again = data.draw(st.lists(st.sampled_from(said), max_size=4)) if said else []
    mixed = data.draw(st.permutations([*said, *again]))
    assert firing(said) == firing(list(mixed))


@settings(max_examples=60, deadline=None)
@given(statements())
def test_one_batch_or_many_is_the_same(said: list[Alert]) -> None:
    """How a sender cuts its batches is its own business."""
    play = Play()
    if said:
        play.feed(AlertsReceived(source="test", alerts=tuple(said)))
    at_once = {name: a.alert.starts_at for name, a in sorted(play.state.alerts.items())}
    assert firing(said) == at_once


@settings(max_examples=60, deadline=None)
@given(statements())
def test_saying_it_all_again_has_no_effect(said: list[Alert]) -> None:
    """A sender that repeats everything causes nothing: no effect, no record."""
    play = Play()
    batch = AlertsReceived(source="test", alerts=tuple(said))
    play.feed(batch)
    newest = {one.fingerprint: one.starts_at for one in said}
    repeated = tuple(one for one in said if one.starts_at == newest[one.fingerprint])
    is_over = {one.fingerprint for one in repeated if one.ends_at}
    quiet = tuple(one for one in repeated if one.ends_at or one.fingerprint not in is_over)
    transition = play.feed(AlertsReceived(source="test", alerts=quiet))
    assert ((), ()) == (transition.effects, transition.records)
