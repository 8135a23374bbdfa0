"""How risky: by a table that is data, and what nobody knows counts as the worst."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.policy.history import wilson_low
from agent.core.policy.risk import scored
from agent.model.calendar import CalendarPurpose
from agent.model.change import ChangeType
from agent.model.policy import PolicyRule, Verdict
from agent.model.remediation import Outcome
from agent.model.risk import DEFAULT_RISK_MODEL, POINTS, Risk, RiskLevel, RiskModel
from tests.core.gate import ask, down, rule, ruled
from tests.core.play import START, Play, calendar

INPUTS = tuple(dict.fromkeys(key.partition(".")[0] for key in POINTS))
FINDINGS = {
    name: tuple(key.partition(".")[2] for key in POINTS if key.startswith(f"{name}."))
    for name in INPUTS
}
models = st.builds(
    RiskModel,
    points=st.fixed_dictionaries({key: st.integers(0, 100) for key in POINTS}),
)
findings = st.fixed_dictionaries(
    {name: st.sampled_from((*FINDINGS[name], None)) for name in INPUTS}
)


def risk(play: Play, number: int = 1) -> Risk:
    """The risk of a change as it was judged last."""
    found = play.change(number).risk
    assert found is not None
    return found


def said(play: Play, name: str) -> str:
    """What was found for one input."""
    return next(each.value for each in risk(play).inputs if each.name == name)


@given(model=models, known=findings, name=st.sampled_from(INPUTS))
def test_to_know_more_never_adds_risk(
    model: RiskModel, known: dict[str, str | None], name: str
) -> None:
    """Whatever the table says, and whatever turns out to be so."""
    unknown = scored(model, {each: (found, "") for each, found in {**known, name: None}.items()})
    for found in FINDINGS[name]:
        learnt = scored(model, {k: (v, "") for k, v in {**known, name: found}.items()})
        assert learnt.score <= unknown.score
        assert learnt.level.rank <= unknown.level.rank


@given(known=findings)
def test_the_score_is_the_sum_of_its_inputs(known: dict[str, str | None]) -> None:
    """Nothing counts that is not shown."""
    found = scored(DEFAULT_RISK_MODEL, {name: (each, "it") for name, each in known.items()})
    assert found.score == sum(each.points for each in found.inputs)
    assert [each.value for each in found.inputs] == [
        "it" if each is not None else "unknown: it" for each in known.values()
    ]


def test_every_input_is_looked_at() -> None:
    """And the version of the table is kept."""
    play = down(Play())
    assert tuple(each.name for each in risk(play).inputs) == INPUTS
    assert risk(play).version == DEFAULT_RISK_MODEL.digest


def test_what_is_not_known_says_so() -> None:
    """No run yet, no calendar of business hours."""
    play = down(Play())
    assert said(play, "history").startswith("unknown")
    assert said(play, "time").startswith("unknown")
    assert said(play, "tier") == "1, the highest of the target and what rests on it"


@pytest.mark.parametrize(
    ("hours", "finding"),
    [
        ((-60, 300), "in business hours"),
        ((60, 300), "outside business hours"),
        ((-300, -60), "outside business hours, and days off follow"),
        ((-300, 60), "the last hours before days off"),
    ],
)
def test_time_is_by_the_calendar_of_business_hours(hours: tuple[int, int], finding: str) -> None:
    """Friday evening is not Tuesday evening: nobody is back within a day."""
    play = Play()
    begin, end = (START + timedelta(minutes=each) for each in hours)
    monday = (START + timedelta(days=3), START + timedelta(days=3, hours=8))
    play.calendars(calendar("hours", (begin, end), monday, purpose=CalendarPurpose.HOURS))
    assert said(down(play), "time") == finding


def test_results_become_history() -> None:
    """With a bound for what they are worth: five successes prove less than thirty."""
    play = Play()
    for _ in range(6):
        ask(play)
        play.play(Outcome.CHANGED)
        play.wait(60)
    results = next(iter(play.state.gate.results.values()))
    assert results == [True] * 6
    ask(play, type=ChangeType.NORMAL)
    last = play.change(len(play.state.changes)).risk
    assert last is not None
    history = next(each for each in last.inputs if each.name == "history")
    assert history.value == "6 of 6 helped, at least 61% do"


def test_the_bound_is_wilsons() -> None:
    """Against values of the published formula."""
    expected = {(0, 0): 0.0, (10, 10): 0.7225, (9, 10): 0.5958, (0, 10): 0.0, (95, 100): 0.8882}
    found = {pair: round(wilson_low(*pair), 4) for pair in expected}
    assert found == expected


def test_approvals_are_counted_by_risk() -> None:
    """From a level on more people; unknown risk takes the most."""
    steps = {RiskLevel.LOW: 1, RiskLevel.HIGH: 3}
    asking = PolicyRule(
        name="it", when="true", verdict=Verdict.NEEDS_APPROVAL, approvals_by_risk=steps
    )
    risks = [Risk(level=level, score=0, inputs=(), version="") for level in RiskLevel]
    assert [asking.approvals_for(each) for each in (*risks, None)] == [1, 1, 3, 3, 3]


def test_policy_asks_as_many_people_as_the_risk_demands() -> None:
    """The risk of this moment counts, not that of an earlier one."""
    steps = {RiskLevel.LOW: 1, RiskLevel.MEDIUM: 2, RiskLevel.HIGH: 4, RiskLevel.VERY_HIGH: 4}
    play = ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",), approvals_by_risk=steps))
    down(play)
    decision = play.change().decision
    assert decision is not None
    assert decision.approvals == steps[risk(play).level]


def test_the_facts_that_counted_are_kept() -> None:
    """With the digest of the policy, so that the answer can be told again later."""
    play = down(ruled(rule('change.risk_score > 3 && change.type == "standard"')))
    decision = play.change().decision
    assert decision is not None
    assert decision.policy == "p1"
    assert dict(decision.inputs)["change.risk_score"] == str(risk(play).score)
    assert dict(decision.inputs)["change.type"] == "standard"
