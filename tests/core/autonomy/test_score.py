"""The figures behind a promotion: bounds as published, counts as they happened."""

from dataclasses import replace
from datetime import timedelta
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.autonomy.memory import Standing
from agent.core.autonomy.score import Score, difference, missing, score, share
from agent.model.autonomy import Case, CaseOutcome, Mode, Promotion
from tests.core.play import START

Z = NormalDist().inv_cdf(0.975)
"""The tables are of two-sided intervals of 95 %."""


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_bounds_of_a_share_are_the_published_ones(
    hits: int, of: int, low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3 (Wilson's score)."""
    found = share(hits, of, Z)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_bounds_of_a_difference_are_the_published_ones(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10."""
    found = difference(*first, *second, Z)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.0, 3.5))
def test_bounds_hold_the_estimate_and_stay_shares(hits: int, more: int, z: float) -> None:
    """However few cases there are, and whatever the confidence."""
    found = share(hits, hits + more, z)
    assert 0.0 <= found.low <= found.high <= 1.0
    if hits + more:
        assert found.low - 1e-12 <= hits / (hits + more) <= found.high + 1e-12


@given(st.lists(st.tuples(st.sampled_from(CaseOutcome), st.integers(0, 9)), max_size=60))
def test_counts_are_those_of_the_cases(happened: list[tuple[CaseOutcome, int]]) -> None:
    """Runs since the mode was set, do-nothing cases since the text was: void ones never count."""
    cases = [_case(outcome, at) for outcome, at in happened]
    found = score(_standing(cases, text_since=2, since=5), 0.95)

    runs = [o for o, at in happened if at > 5 and o.value in RUNS]
    controls = [o for o, at in happened if at >= 2 and o.value in ("cleared", "not_cleared")]
    assert (found.precision.hits, found.precision.of) == (runs.count(CaseOutcome.HELPED), len(runs))
    assert (found.cleared.hits, found.cleared.of) == (
        controls.count(CaseOutcome.CLEARED),
        len(controls),
    )
    assert (found.uplift is None) == (not runs or not controls)


RUNS = ("helped", "relapsed", "failed", "rolled_back", "harmful")
TERMS = Promotion(precision=0.9, confidence=0.95, cases=10, minimum_uplift=0.2)


@pytest.mark.parametrize(
    ("helped", "failed", "earned"), [(24, 0, False), (25, 0, True), (49, 1, True), (45, 2, False)]
)
def test_what_a_precision_takes(helped: int, failed: int, earned: bool) -> None:
    """0.9 at 0.95 takes 25 runs that all helped, or 50 of which 49 did."""
    cases = [_case(CaseOutcome.HELPED, 5)] * helped + [_case(CaseOutcome.FAILED, 5)] * failed
    cases += [_case(CaseOutcome.NOT_CLEARED, 5)] * 10
    assert (not missing(_score(cases), TERMS, Mode.AUTO)) == earned


def test_what_goes_by_itself_earns_nothing() -> None:
    """A restart before an alert that always clears is verified each time, and does not help."""
    cases = [_case(CaseOutcome.HELPED, 5)] * 50 + [_case(CaseOutcome.CLEARED, 5)] * 20
    (said,) = missing(_score(cases), TERMS, Mode.AUTO)
    assert said.startswith("uplift over doing nothing: at least -")


def test_without_a_comparison_nothing_is_earned_where_one_is_asked_for() -> None:
    """Nobody knows whether the alert would have gone by itself."""
    cases = [_case(CaseOutcome.HELPED, 5)] * 50
    assert missing(_score(cases), TERMS, Mode.AUTO) == ("a do-nothing case to compare with",)
    asks_none = replace(TERMS, minimum_uplift=-1.0)
    assert missing(_score(cases), asks_none, Mode.AUTO) == ()


def test_to_suggest_it_has_to_have_been_watched_where_acting_can_be_worth_it() -> None:
    """Nothing ran yet, so that only do-nothing cases can speak."""
    stays = [_case(CaseOutcome.NOT_CLEARED, 5)] * 10
    goes = [_case(CaseOutcome.CLEARED, 5)] * 40
    assert missing(_score(stays), TERMS, Mode.SUGGEST) == ()
    assert missing(_score(stays[:9]), TERMS, Mode.SUGGEST)[0].startswith("1 more do-nothing")
    assert missing(_score(goes), TERMS, Mode.SUGGEST)[0].startswith("alerts that stay")


def _case(outcome: CaseOutcome, at: int) -> Case:
    moment = START + timedelta(minutes=at)
    return Case(
        id="CASE-1",
        rule="r",
        mode=Mode.SUGGEST,
        at=moment,
        entity="e",
        trigger="t",
        incident="INC-1",
        outcome=outcome,
        ended_at=moment,
    )


def _standing(cases: list[Case], *, text_since: int, since: int) -> Standing:
    return Standing(
        text="",
        text_since=START + timedelta(minutes=text_since),
        since=START + timedelta(minutes=since),
        cases=cases,
    )


def _score(cases: list[Case]) -> Score:
    return score(_standing(cases, text_since=0, since=0), TERMS.confidence)
