"""Why: the explanation is what policy says, check by check, and a what-if leaves no trace."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.policy.explain import explain, imagined
from agent.core.policy.judge import CHECKS, judge
from agent.model.change import Change, ChangeType
from agent.model.policy import Verdict
from agent.runtime.codec import encode_state
from tests.core.gate import FREEZE, HOUR, ask, down, frozen, rule, ruled
from tests.core.play import START, Play, calendar, ref


def what_if(play: Play, service: str = "web1", **more: object) -> Change | str:
    """A request that nobody makes."""
    wish = {"parameters": {}, "by": "bob", "type": None, "incident": None, "at": play.now, **more}
    return imagined(play.state, remediation="restart-service", entity=ref(service), **wish)  # type: ignore[arg-type]


def test_every_check_is_told_and_the_first_against_it_decides() -> None:
    """Also those below."""
    play = frozen(type=ChangeType.STANDARD)
    told = explain(play.state, play.change(), play.now)
    assert [each.check for each in told.checks] == [check.name for check in CHECKS]
    assert [each.check for each in told.checks if each.decides] == ["time"]
    assert told.decision.says(play.change().decision)
    assert told.type_text == "template restarts covers it"
    assert told.rules[-1].outcome == "decides: allowed"


def test_rules_are_told_down_to_the_one_that_decides() -> None:
    """What did not hold, what did, and what could not be told."""
    never, always = replace(rule("false"), name="never"), replace(rule(), name="always")
    play = down(ruled(never, always, replace(rule(), name="below")))
    told = explain(play.state, play.change(), play.now)
    assert [(each.rule, each.outcome) for each in told.rules] == [
        ("never", "does not hold"),
        ("always", "decides: allowed"),
    ]
    play = down(ruled(replace(rule("service.tier == 1"), name="odd"), always))
    told = explain(play.state, play.change(), play.now)
    assert told.rules[0].outcome.startswith("cannot be told")


def test_what_if_answers_as_a_request_would_and_leaves_no_trace() -> None:
    """Byte for byte the same state."""
    play = Play()
    before = encode_state(play.state)
    change = what_if(play)
    assert isinstance(change, Change)
    told = explain(play.state, change, play.now)
    assert encode_state(play.state) == before
    ask(play)
    assert told.decision.says(play.change().decision)
    assert told.risk == play.change().risk


def test_what_if_sees_a_moment_to_come() -> None:
    """A freeze of tomorrow."""
    play = Play()
    play.calendars(calendar("yule", (START + 24 * HOUR, START + 25 * HOUR), purpose=FREEZE))
    later = START + 24.5 * HOUR
    change = what_if(play, at=later)
    assert isinstance(change, Change)
    assert judge(play.state, change, START).verdict is Verdict.ALLOWED
    assert explain(play.state, change, later).decision.reason.value == "frozen"


def test_what_cannot_be_asked_for_says_why() -> None:
    """Before policy is even asked."""
    play = Play()
    assert (
        what_if(play, "nowhere")
        == f"{ref('nowhere')} is not on the map, or has no host or group to act on"
    )
    assert isinstance(what_if(play, parameters={"service": "; reboot"}), str)


@settings(max_examples=60, deadline=None)
@given(
    when=st.sampled_from(
        (
            'change.risk == "high"',
            "change.risk_score < 60",
            "service.has_tier",
            "history.runs == 0",
            "service.budget_left < 0.5",
            'change.type == "standard"',
        )
    ),
    verdict=st.sampled_from((Verdict.ALLOWED, Verdict.REFUSED, Verdict.DEFERRED)),
    target=st.sampled_from(("web1", "web2", "db")),
)
def test_no_explanation_differs_from_the_answer(when: str, verdict: Verdict, target: str) -> None:
    """Whatever the policy."""
    first = replace(rule(when, verdict), name="first", defer_for=HOUR)
    play = down(ruled(first, rule()), target)
    change = play.change()
    told = explain(play.state, change, play.now)
    assert told.decision == judge(play.state, change, play.now)
    deciding = [each.against for each in told.checks if each.decides]
    says_no = told.decision.verdict is not Verdict.ALLOWED
    assert [each is not None and told.decision.says(each) for each in deciding] == [True] * says_no
