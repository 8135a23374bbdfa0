"""A throttled rule acts as ansible-rulebook documents it: compared with a slow, plain reckoning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.changes import throttle as throttles
from agent.core.state import State
from agent.model.entry import TimeElapsed
from agent.model.remediation import Host, Outcome
from agent.model.rule import TargetOf, Throttle, ThrottleKind
from agent.runtime.codec import decode_state, encode_state
from tests.core.play import CONFIG, RESTART, RULE, START, Play, entity, ref, service_map

NAMES = tuple(f"s{number}" for number in range(8))
MAP = service_map(*(entity(name, host=Host(name=name, address="127.0.0.1")) for name in NAMES))
SPAN = 60
BY_ZONE = ("alert.labels.zone",)


@dataclass(frozen=True)
class Event:
    """An alert of its own entity begins, and may end, at these seconds."""

    begins: int
    ends: int
    zone: str

    def fires_at(self, second: int) -> bool:
        return self.begins <= second < self.ends


events = st.lists(
    st.builds(
        lambda begins, lasts, zone: Event(begins, begins + lasts, zone),
        st.integers(0, 300),
        st.integers(1, 400),
        st.sampled_from("ab"),
    ),
    max_size=len(NAMES),
    unique_by=lambda event: event.begins,
)


def acts(throttle: Throttle, story: Sequence[Event]) -> list[tuple[int, str]]:
    """When the rule acted on which alert, with a snapshot taken and read before every second."""
    rule = replace(RULE, target=TargetOf.ALERT, throttle=throttle)
    play = Play(config=replace(CONFIG, service_map=MAP, remediation_rules=(rule,)))
    moments = sorted({e.begins for e in story} | {e.ends for e in story} | {1000})
    fired = {}
    for moment in moments:
        play.wait((START + timedelta(seconds=moment) - play.now).total_seconds())
        play.state = decode_state(encode_state(play.state), play.state.config)
        # Timers of a moment are heard first, then what ends, then what begins.
        for name, event in zip(NAMES, story, strict=False):
            if event.ends == moment:
                play.resolve(fired[name])
        for name, event in zip(NAMES, story, strict=False):
            if event.begins == moment:
                fired[name] = play.fire("ServiceDown", service=name, zone=event.zone)
    assert play.state.throttles == {}
    return [
        (int((change.requested_at - START).total_seconds()), change.entity.rpartition("/")[2])
        for change in play.state.changes.values()
    ]


def named(story: Sequence[Event]) -> list[tuple[str, Event]]:
    """The events in the order in which they begin, with the names of their entities."""
    return sorted(zip(NAMES, story, strict=False), key=lambda item: item[1].begins)


@settings(max_examples=60, deadline=None)
@given(events)
def test_once_within_acts_first_and_rests(story: list[Event]) -> None:
    """At the first match of a group, then at the first one that is a whole span later."""
    expected: list[tuple[int, str]] = []
    last: dict[str, int] = {}
    for name, event in named(story):
        if event.zone not in last or event.begins - last[event.zone] >= SPAN:
            last[event.zone] = event.begins
            expected.append((event.begins, name))
    throttle = Throttle(
        kind=ThrottleKind.ONCE_WITHIN, span=timedelta(seconds=SPAN), group_by=BY_ZONE
    )
    assert acts(throttle, story) == expected


@settings(max_examples=60, deadline=None)
@given(events, st.integers(1, 3))
def test_accumulate_within_acts_when_enough_has_gathered(story: list[Event], enough: int) -> None:
    """At the match that makes it full, counted from the first; what is too few is forgotten."""
    expected: list[tuple[int, str]] = []
    begun: dict[str, int] = {}
    counts: dict[str, int] = {}
    for name, event in named(story):
        zone = event.zone
        if counts.get(zone, 0) == 0 or event.begins - begun[zone] >= SPAN:
            begun[zone], counts[zone] = event.begins, 0
        counts[zone] += 1
        if counts[zone] == enough:
            counts[zone] = 0
            expected.append((event.begins, name))
    throttle = Throttle(
        kind=ThrottleKind.ACCUMULATE_WITHIN,
        span=timedelta(seconds=SPAN),
        group_by=BY_ZONE,
        threshold=enough,
    )
    assert acts(throttle, story) == expected


@settings(max_examples=60, deadline=None)
@given(events)
def test_once_after_acts_once_at_the_end_on_what_is_unlike(story: list[Event]) -> None:
    """One span for all groups, from the first match on; in each the first that still fires then."""
    expected: list[tuple[int, str]] = []
    left = named(story)
    while left:
        start = left[0][1].begins
        inside = [item for item in left if item[1].begins < start + SPAN]
        left = left[len(inside) :]
        chosen: dict[str, tuple[str, Event]] = {}
        for name, event in inside:
            first = chosen.get(event.zone)
            if first is None or not first[1].fires_at(event.begins):
                chosen[event.zone] = (name, event)
        end = start + SPAN
        expected += [(end, name) for name, event in chosen.values() if end <= event.ends]
    throttle = Throttle(
        kind=ThrottleKind.ONCE_AFTER, span=timedelta(seconds=SPAN), group_by=BY_ZONE
    )
    assert acts(throttle, story) == expected


def throttled(throttle: Throttle) -> Play:
    """A play whose one rule has this throttle."""
    rule = replace(RULE, target=TargetOf.ALERT, throttle=throttle)
    return Play(config=replace(CONFIG, service_map=MAP, remediation_rules=(rule,)))


ONCE = Throttle(kind=ThrottleKind.ONCE_WITHIN, span=timedelta(minutes=10))


def test_what_is_held_back_is_told_once_a_span() -> None:
    """The story of the incident says why nothing is done, and a storm does not fill it."""
    play = throttled(ONCE)
    for name in NAMES:
        play.fire("ServiceDown", service=name)
    told = [text for number in range(1, 9) for text in play.said(f"INC-{number}", "rule_throttled")]
    assert told == [
        "rule restart-what-is-down: it acted already, and rests until 2026-03-02 10:10:00 UTC"
    ]


def test_a_second_attempt_is_the_same_act() -> None:
    """What failed is tried again after its cooldown, though the throttle still rests."""
    play = throttled(ONCE)
    play.fire("ServiceDown", service="s0")
    play.play(Outcome.FAILED)
    play.play()
    play.trust()
    play.wait(RESTART.cooldown.total_seconds() + 1)
    assert [change.attempt for change in play.state.changes.values()] == [1, 2]


def test_an_alert_that_is_asked_about_again_counts_once() -> None:
    """A new cause has its alerts asked about anew; that makes no second event of them."""
    play = throttled(
        Throttle(kind=ThrottleKind.ACCUMULATE_WITHIN, span=timedelta(minutes=10), threshold=2)
    )
    play.fire("ServiceDown", service="s0")
    play.silence("S1", timedelta(minutes=1), service="s0")
    play.wait(61)
    assert play.state.changes == {}


def test_a_changed_throttle_begins_anew() -> None:
    """What an earlier rule set gathered or held back means nothing to the next."""
    play = throttled(ONCE)
    play.fire("ServiceDown", service="s0")
    changed = replace(
        play.state.config.remediation_rules[0], throttle=replace(ONCE, span=timedelta(minutes=5))
    )
    play.reload(remediation_rules=(changed,))
    play.fire("ServiceDown", service="s1")
    assert [change.entity for change in play.state.changes.values()] == [ref("s0"), ref("s1")]


def test_a_rule_that_is_gone_gathers_nothing() -> None:
    """Nobody acts for it when its span is over."""
    play = throttled(Throttle(kind=ThrottleKind.ONCE_AFTER, span=timedelta(minutes=1)))
    play.fire("ServiceDown", service="s0")
    play.reload(remediation_rules=())
    play.wait(61)
    assert (play.state.throttles, play.state.changes) == ({}, {})


def test_where_no_more_can_be_remembered_nothing_is_done() -> None:
    """A rule that cannot know whether it acted does not act, and says so."""
    play = throttled(replace(ONCE, group_by=("service.ref",)))
    for number in range(throttles.WINDOWS_MAX):
        window = throttles.ThrottleWindow(throttle=ONCE, until=START + timedelta(days=1))
        play.state.throttles[f"other {number}"] = window
    play.fire("ServiceDown", service="s0")
    assert play.state.changes == {}
    assert play.said("INC-1", "rule_throttled") == [
        "rule restart-what-is-down: more than 10000 throttles run; it does not act"
    ]


def test_what_is_due_is_acted_on_before_the_next_match_is_gathered() -> None:
    """A match at the very end of a span belongs to the next one, heard in whichever order."""
    play = throttled(Throttle(kind=ThrottleKind.ONCE_AFTER, span=timedelta(minutes=1)))
    play.fire("ServiceDown", service="s0")
    play.now += timedelta(minutes=1)
    play.fire("ServiceDown", service="s1")
    play.feed(TimeElapsed())
    assert [change.entity for change in play.state.changes.values()] == [ref("s0")]
    play.wait(60)
    assert [change.entity for change in play.state.changes.values()] == [ref("s0"), ref("s1")]


def test_a_snapshot_without_throttles_is_read() -> None:
    """Nothing is missing where an earlier version remembered nothing of them."""
    body = encode_state(Play().state).replace(b'"throttles":{},', b"")
    assert isinstance(decode_state(body, CONFIG), State)
