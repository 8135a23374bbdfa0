"""What incidents leave behind: a past to compare with, bounded, the same after a replay."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.causes.experience import Experience
from agent.core.causes.lesson import LESSONS_MAX, Lesson, Seen
from agent.core.causes.lessons import correct
from agent.core.causes.tables import experience_of, remember
from agent.core.state import Memory, State
from agent.model.entry import CauseConfirmed
from agent.model.evidence import EvidenceKind
from agent.model.incident import NO_CLEAR_EVIDENCE, Incident
from agent.model.rule import Config, Correlation
from agent.runtime.codec import decode, encode
from tests.core.play import START, Play, entity, minutes, ref, service_map

SHOP = service_map(
    entity("shop", "web", "stock"), entity("web", "db"), entity("stock", "db"), entity("db")
)


def shop() -> Play:
    """A play on a small shop."""
    return Play(config=Config(digest="shop", service_map=SHOP))


def fail(play: Play, *alerts: tuple[str, str]) -> Incident:
    """An incident with these alerts (name, service) comes, ends and closes."""
    before = play.state.incident_count
    said = [play.fire(name, service=service) for name, service in alerts]
    play.wait(90)
    for one in said:
        play.resolve(one)
    play.wait(1200)
    return play.incident(before + 1)


def lesson(name: str, seen: tuple[Seen, ...] = (), **more: object) -> Lesson:
    """A lesson of the shop."""
    full = Lesson(
        incident=name,
        group=ref("db"),
        at=START,
        cause=ref("db"),
        confirmed_by=None,
        signs=len(seen),
        seen=seen,
        evidence={one.entity: {one.kind: 1.0} for one in seen},
        callers={},
        beliefs={ref("db"): 0.5},
        pattern=name,
    )
    return replace(full, **more)  # type: ignore[arg-type]


def test_a_closed_incident_leaves_a_lesson() -> None:
    """With what it showed, what was named, and which pattern it was."""
    play = shop()
    closed = fail(play, ("Down", "db"), ("Slow", "web"))

    assert ["INC-1"] == [one.incident for one in play.state.lessons]
    left = play.state.lessons[0]
    assert (ref("db"), None, 2) == (left.cause, left.confirmed_by, left.signs)
    assert [Seen(ref("db"), "Down", "Down", None), Seen(ref("web"), "Slow", "Slow", None)] == list(
        left.seen
    )
    assert closed.pattern == left.pattern == "INC-1"


def test_what_always_fires_is_no_news() -> None:
    """A place that alerts in every incident loses to one that never did before."""
    play = shop()
    for _ in range(6):
        fail(play, ("Slow", "web"))
    play.fire("Slow", service="web")
    play.fire("Slow", service="stock")

    top = play.incident(7).causes[0]
    assert ref("stock") == top.entity
    assert EvidenceKind.UNUSUAL in {piece.kind for piece in top.evidence}
    web = next(cause for cause in play.incident(7).causes if cause.entity == ref("web"))
    assert web.score < top.score


def test_a_confirmed_cause_is_looked_for_again() -> None:
    """A person said once that the silent database was it: the next such incident names it."""
    play = shop()
    alerts = (("Slow", "web"), ("Errors", "web"))
    first = [play.fire(name, service=service) for name, service in alerts]
    assert play.incident().cause == ref("web")
    play.feed(CauseConfirmed(incident="INC-1", entity=ref("db"), by="ann"))
    for one in first:
        play.resolve(one)
    play.wait(1200)
    for name, service in alerts:
        play.fire(name, service=service)

    top = play.incident(2).causes[0]
    assert ref("db") == top.entity
    said = "a person confirmed the cause of INC-1, which looked like this"
    assert said in top.evidence_for


def test_a_lesson_is_corrected_after_the_fact() -> None:
    """What a person says of a closed incident counts as if it had been known at its end."""
    play = shop()
    fail(play, ("Slow", "web"))

    play.feed(CauseConfirmed(incident="INC-1", entity=ref("db"), by="ann"))
    assert not correct(play.state, "INC-9", ref("db"), "ann")
    assert (ref("db"), "ann") == (play.incident().cause, play.incident().cause_confirmed_by)
    left = play.state.lessons[0]
    assert (ref("db"), "ann") == (left.cause, left.confirmed_by)
    play.fire("Slow", service="web")
    assert ref("db") == play.incident(2).cause


def test_lessons_are_bounded_and_the_oldest_go_first() -> None:
    """The memory does not grow for ever, and the tables forget with it."""
    state = State.of(Memory(), Config(digest="shop", service_map=SHOP))
    group = ref("db")
    for number in range(LESSONS_MAX + 1):
        remember(state, lesson(f"INC-{number}"))

    assert len(state.lessons) <= LESSONS_MAX
    assert f"INC-{LESSONS_MAX}" == state.lessons[-1].incident
    assert "INC-0" not in {one.incident for one in state.lessons}
    assert len(state.lessons) == experience_of(state, group).incidents


SEEN = st.builds(
    Seen,
    st.sampled_from([ref("db"), ref("web"), ref("stock")]),
    st.sampled_from(["Slow", "Down", "cpu #"]),
    st.sampled_from(["Slow", "Down", "cpu 1", "cpu 2"]),
    st.sampled_from([None, ref("shop")]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(SEEN, max_size=6, unique=True), max_size=8))
def test_tables_that_grew_and_tables_built_anew_are_the_same(signs: list[list[Seen]]) -> None:
    """To the last bit: a replay from a snapshot ranks as the agent that never stopped."""
    state = State.of(Memory(), Config(digest="shop", service_map=SHOP))
    grown = experience_of(state, ref("db"))
    for number, seen in enumerate(signs):
        remember(state, lesson(f"INC-{number}", tuple(seen)))
    restored = State.of(decode(Memory, encode(state.memory())), state.config)

    assert grown == experience_of(restored, ref("db"))
    assert isinstance(grown, Experience)


def test_a_restored_agent_names_the_same_causes() -> None:
    """Lessons survive a snapshot, and what follows from them does."""
    play = shop()
    for _ in range(3):
        fail(play, ("Slow", "web"), ("Down", "db"))
    again = State.of(decode(Memory, encode(play.state.memory())), play.state.config)
    other = replace(play, state=again, entries=[], records=[], effects=[])
    for one in (play, other):
        one.fire("Slow", service="stock")
        one.fire("Slow", service="web")

    assert play.incident(4).causes == other.incident(4).causes


def test_the_same_coming_back_is_one_pattern() -> None:
    """Another failure is another; what looks like the first has its name, then and at once."""
    play = shop()
    patterns = [fail(play, ("Down", "db"), ("Slow", "web")).pattern for _ in range(3)]
    patterns.append(fail(play, ("DiskFull", "stock")).pattern)
    play.fire("Down", service="db")
    play.fire("Slow", service="web")

    assert ["INC-1", "INC-1", "INC-1", "INC-4"] == patterns
    assert "INC-1" == play.incident(5).pattern


def test_too_little_evidence_is_no_pattern() -> None:
    """An incident of one sign, where four are usual, is said to be unclear and to be no problem."""
    alerts = tuple((name, service) for name in ("Slow", "Errors") for service in ("db", "web"))
    for faint, expected in ((0.5, NO_CLEAR_EVIDENCE), (0.0, "INC-4")):
        rules = Config(digest="shop", service_map=SHOP, correlation=Correlation(faint=faint))
        play = Play(config=rules)
        for _ in range(3):
            fail(play, *alerts)
        odd = fail(play, ("QueueFull", "stock"))

        assert expected == odd.pattern
        assert (expected != NO_CLEAR_EVIDENCE) == odd.causes[0].is_clear


def test_an_answer_that_has_settled_is_held_against_noise() -> None:
    """A little more elsewhere does not change it, and the answer says that it is held."""
    play = Play(
        config=Config(
            digest="pair",
            service_map=service_map(entity("top", "b", "a"), entity("a"), entity("b")),
        )
    )
    play.fire("Slow", service="top")
    play.fire("Slow", service="b")
    play.wait(minutes(2).total_seconds())
    assert ref("b") == play.incident().cause
    play.fire("Slow", service="a")

    top = play.incident().causes[0]
    assert ref("b") == top.entity
    assert "a is ahead by too little to change the answer" in top.evidence_against


def test_a_storm_is_ranked_by_steps_and_then_by_the_clock() -> None:
    """Of a hundred alerts on one step apart few are ranked for, and none is left out in the end."""
    names = [f"s{number}" for number in range(100)]
    users = [entity(name, "base") for name in names]
    play = Play(config=Config(digest="storm", service_map=service_map(entity("base"), *users)))
    play.fire("Down", service="base")
    for name in names:
        play.fire("Slow", service=name)
    members = play.state.members["INC-1"]

    assert members.ranked_signs < 101
    assert members.rank_waits
    play.wait(6)
    assert (101, False) == (members.ranked_signs, members.rank_waits)
