"""A rule about several alerts acts when each of its conditions holds for an alert of its own."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.remediation import Host, Outcome
from agent.model.rule import Correlation, TargetOf
from tests.core.play import CONFIG, RESTART, RULE, START, Play, entity, minutes, ref, service_map

MAP = service_map(
    entity("web", "db", host=Host(name="app1", address="127.0.0.1")),
    entity("db", host=Host(name="app3", address="127.0.0.1")),
)
WHEN = 'alert.name == "Down"'
ALSO = ('alert.name == "Slow"', 'alert.name == "Slow" || alert.name == "Full"')
WITHIN = 60


def play_with(within: int | None = WITHIN) -> Play:
    """A play of one rule that needs three alerts."""
    rule = replace(
        RULE,
        when=WHEN,
        also=ALSO,
        within=None if within is None else timedelta(seconds=within),
        target=TargetOf.ALERT,
    )
    wide = Correlation(window=timedelta(hours=1))
    return Play(
        config=replace(CONFIG, service_map=MAP, remediation_rules=(rule,), correlation=wide)
    )


@dataclass(frozen=True)
class Event:
    """An alert of this name begins, and ends, at these seconds."""

    begins: int
    ends: int
    name: str


events = st.lists(
    st.builds(
        lambda begins, lasts, name: Event(begins, begins + lasts, name),
        st.integers(0, 200),
        st.integers(1, 300),
        st.sampled_from(["Down", "Slow", "Full", "Other"]),
    ),
    max_size=6,
    unique_by=lambda event: event.begins,
)


def fits(event: Event, condition: int) -> bool:
    """Whether the condition of this number holds for the alert."""
    return event.name in (("Down",), ("Slow",), ("Slow", "Full"))[condition]


def first_complete(story: list[Event]) -> int | None:
    """The second at which three different alerts that fire, near in time, meet the conditions."""
    for moment in sorted(event.begins for event in story):
        there = [event for event in story if event.begins <= moment < event.ends]
        for chosen in permutations(there, 3):
            begins = [event.begins for event in chosen]
            if all(map(fits, chosen, range(3))) and max(begins) - min(begins) <= WITHIN:
                return moment
    return None


@settings(max_examples=100, deadline=None)
@given(events)
def test_a_rule_acts_once_all_that_it_needs_fires_near_in_time(story: list[Event]) -> None:
    """In whichever order the alerts begin, and not for what is over by then."""
    play = play_with()
    fired = {}
    moments = sorted({e.begins for e in story} | {e.ends for e in story})
    for moment in moments:
        play.wait((START + timedelta(seconds=moment) - play.now).total_seconds())
        for number, event in enumerate(story):
            if event.ends == moment:
                play.resolve(fired[number])
        for number, event in enumerate(story):
            if event.begins == moment:
                fired[number] = play.fire(event.name, service="web", number=str(number))
    changes = list(play.state.changes.values())
    first = int((changes[0].requested_at - START).total_seconds()) if changes else None
    assert first == first_complete(story)


def test_the_alert_of_the_first_condition_is_the_one_acted_on() -> None:
    """Its entity, its labels, its clearing; whoever came last."""
    play = play_with(within=None)
    play.fire("Full", service="db")
    down = play.fire("Down", service="web")
    play.wait(3000)
    assert play.state.changes == {}
    play.fire("Slow", service="web")
    assert [(c.entity, c.trigger) for c in play.state.changes.values()] == [
        (ref("web"), down.fingerprint)
    ]


def test_more_of_the_same_is_no_new_reason() -> None:
    """A further alert that would complete the rule again leads to no second change."""
    play = play_with(within=None)
    play.fire("Down", service="web")
    play.fire("Slow", service="web", number="1")
    play.fire("Full", service="db")
    play.play(Outcome.FAILED)
    play.play()
    play.wait(RESTART.cooldown.total_seconds() / 2)
    play.fire("Slow", service="web", number="2")
    assert len(play.state.changes) == 1


def test_what_is_muted_completes_nothing() -> None:
    """Somebody works on it, so it speaks for nothing."""
    play = play_with(within=None)
    play.silence("S1", minutes(60), service="db")
    play.fire("Down", service="web")
    play.fire("Slow", service="web")
    play.fire("Full", service="db")
    assert play.state.changes == {}
