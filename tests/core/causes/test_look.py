"""When the agent looks, at what, and what becomes of the answer."""

from dataclasses import replace

import pytest

from agent.core.causes.look import ENTITIES_MAX, LOOK_AFTER, LOOKS_MAX, votes
from agent.core.causes.measured import full_ranking
from agent.model.effect import MeasureSignals
from agent.model.entry import SignalsMeasured
from agent.model.labels import Matcher, MatchOperator
from agent.model.signal import Complaint, Finding, Signal, SignalKind, SignalSet, Unit
from agent.runtime.codec import decode_state, encode_state
from tests.core.play import CONFIG, Play, entity, ref, service_map

SLOW = Matcher(name="alertname", operator=MatchOperator.EQUAL, value="Slow")
LATENCY = Signal(
    name="answer-time",
    kind=SignalKind.LATENCY,
    unit=Unit.SECONDS,
    query='latency{service="$service"}',
    complaints=(SLOW,),
)
SIGNALS = (SignalSet(name="services", signals=(LATENCY,)),)
WATCHED = replace(CONFIG, signals=SIGNALS)
FIRST = LOOK_AFTER[0].total_seconds()


def lost(name: str, seconds: float) -> Finding:
    """A service that lost time for certain, or none at all."""
    odd = 0.9999 if seconds else 0.01
    return Finding(
        entity=ref(name),
        kind=SignalKind.LATENCY,
        signal="answer-time",
        chance=odd,
        surprise=20 * odd,
        impact=seconds,
        usual=0.1,
        now=0.9,
    )


def answer(play: Play, *findings: Finding, unknown: tuple[str, ...] = ()) -> MeasureSignals:
    """The look under way ends with these findings."""
    asked = play.take(MeasureSignals)
    said = SignalsMeasured(
        effect=asked.id,
        incident=asked.incident,
        findings=findings,
        unknown=tuple(map(ref, unknown)),
        queries=len(asked.entities),
    )
    play.feed(said)
    return asked


def test_an_incident_is_looked_at_a_few_seconds_after_it_opened() -> None:
    """Not at once, for a burst is one look; with the window and what is complained of."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    opened = play.now
    play.wait(FIRST - 1)
    assert 0 == play.asked(MeasureSignals)
    play.wait(2)
    asked = answer(play)

    assert {ref("shop"), ref("web1"), ref("web2"), ref("db")} == set(asked.entities)
    assert (Complaint(entity=ref("shop"), kind=SignalKind.LATENCY),) == asked.complaints
    assert (opened, opened + LOOK_AFTER[0]) == (asked.start, asked.end)


def test_without_signals_nothing_is_asked() -> None:
    """Who declares no signal has no look, no timer, no memory of one."""
    play = Play()
    play.fire("Slow", service="shop")
    play.wait(3600)

    assert (0, {}) == (play.asked(MeasureSignals), play.state.looking)


def test_what_lost_the_time_becomes_the_cause() -> None:
    """Only the shop complains, and its alert says who suffers: the metrics say why."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.wait(FIRST)
    answer(play, lost("shop", 100), lost("web1", 99), lost("db", 97), lost("web2", 0))
    incident = play.incident()

    assert ref("db") == incident.cause
    assert (
        "lost 97 s in 1 minute, and calls nobody that is known" in incident.causes[0].evidence_for
    )
    (told,) = play.said("INC-1", "signals_measured")
    assert told.startswith("looked at the metrics of 4 entities; db: lost 97 s")


def test_unknown_entities_are_named_and_not_taken_for_well() -> None:
    """No data of a service: the line says so, and the loss passes through it."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.wait(FIRST)
    answer(play, lost("shop", 100), lost("db", 97), unknown=("web1", "web2"))

    assert ref("db") == play.incident().cause
    assert play.said("INC-1", "signals_measured")[0].endswith("no data of web1, web2")


def test_accidents_do_not_overrule_several_alerts() -> None:
    """Two places alert, and the oddest sample is odd by accident: the alerts go on deciding."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.fire("ServiceDown", service="db")
    play.fire("Slow", service="web1")
    play.wait(FIRST)
    before = play.incident().cause
    noise = replace(lost("web2", 1.0), chance=0.6, surprise=5.0)
    answer(play, noise, lost("db", 0), lost("shop", 0), lost("web1", 0))

    assert before == play.incident().cause


def test_looks_are_bounded_and_end_with_the_incident() -> None:
    """Four looks in a quarter of an hour, then none; nothing is remembered once it is over."""
    play = Play(config=WATCHED)
    said = play.fire("Slow", service="shop")
    for _ in range(200):
        play.wait(60)
        while play.asked(MeasureSignals):
            answer(play, lost("shop", 1))
    asked = play.state.looking["INC-1"].asked
    assert len(LOOK_AFTER) <= asked <= LOOKS_MAX
    play.resolve(said)
    play.wait(3600)

    assert {} == play.state.looking
    assert {} == play.state.outbox.measure


def test_no_second_look_while_one_is_under_way() -> None:
    """A slow metrics source is not asked twice at once, and is asked again after its answer."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.wait(LOOK_AFTER[1].total_seconds() + 5)
    assert 1 == play.asked(MeasureSignals)
    answer(play)
    play.wait(LOOK_AFTER[2].total_seconds())

    assert 1 == play.asked(MeasureSignals)


def test_a_look_survives_a_restart() -> None:
    """Asked and unanswered, it is in the outbox of the snapshot: it will be performed again."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.wait(FIRST)
    (asked,) = play.state.outbox.measure.values()
    restored = decode_state(encode_state(play.state), WATCHED)

    assert [asked] == list(restored.outbox.all())
    answer(play, lost("db", 5))
    again = decode_state(encode_state(play.state), WATCHED)
    assert votes(play.state, "INC-1") == votes(again, "INC-1")


def test_an_answer_that_comes_late_changes_nothing() -> None:
    """The incident is over, or another look was asked for since."""
    play = Play(config=WATCHED)
    said = play.fire("Slow", service="shop")
    play.wait(FIRST)
    play.resolve(said)
    play.wait(3600)
    answer(play, lost("db", 5))

    assert [] == play.said("INC-1", "signals_measured")
    assert {} == play.state.looking


@pytest.mark.parametrize(("count", "expected"), [(10, 10), (2000, ENTITIES_MAX)])
def test_a_look_is_bounded_in_entities_nearest_first(count: int, expected: int) -> None:
    """A hub under two thousand services: the nearest are asked about, not all."""
    names = [f"s{number}" for number in range(count)]
    upper = [entity(name, "hub") for name in names[1:]]
    config = replace(WATCHED, service_map=service_map(entity("hub"), *upper))
    play = Play(config=config)
    play.fire("Slow", service="hub")
    play.wait(FIRST)
    asked = play.take(MeasureSignals)

    assert (ref("hub"), expected) == (asked.entities[0], len(asked.entities))


def test_the_full_ranking_begins_with_what_people_are_shown() -> None:
    """All measured entities are in it, once."""
    play = Play(config=WATCHED)
    play.fire("Slow", service="shop")
    play.wait(FIRST)
    answer(play, lost("shop", 100), lost("web1", 99), lost("db", 97), lost("web2", 0))
    ranking = full_ranking(play.state, "INC-1")

    assert [cause.entity for cause in play.incident().causes] == list(ranking[:4])
    assert (4, ref("db")) == (len(set(ranking)), ranking[0])
