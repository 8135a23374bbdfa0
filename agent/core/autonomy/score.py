"""What a rule has shown, in figures: how often it helped, and against doing nothing.

One proportion: Wilson's score interval (E. B. Wilson, JASA 22, 1927), which keeps its confidence
for few cases and near 0 and 1 (Brown, Cai and DasGupta, Statistical Science 16, 2001). The
difference of two: Newcombe's hybrid of two of those (R. G. Newcombe, Statistics in Medicine 17,
1998, method 10). Each bound is one-sided at the declared confidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from agent.core.autonomy.memory import Standing
from agent.model.autonomy import Case, CaseOutcome, Mode, Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, with its confidence bounds; the bounds of none of none are 0 and 1."""

    hits: int
    of: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift:
    """How much more often the alert goes than when nothing is done: estimate and bounds."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What counts for the next step of a rule."""

    precision: Share
    """Of its runs since its mode was set: those that helped."""
    cleared: Share
    """Of its do-nothing cases since its text was changed: those that went by themselves."""
    uplift: Uplift | None
    """None while one of the two has no cases."""
    observed: int
    """Do-nothing cases since its mode was set."""


def score(standing: Standing, confidence: float) -> Score:
    """The score of a rule at this confidence."""
    z = NormalDist().inv_cdf(confidence)
    # A run of the very moment at which the mode was set belongs to what came before.
    recent = [case for case in standing.cases if case.at > standing.since]
    of_text = [case for case in standing.cases if case.at >= standing.text_since]
    helped, runs = _count(recent, CaseOutcome.HELPED)
    went, controls = _count(of_text, CaseOutcome.CLEARED)
    observed = sum(c.outcome.is_control and c.at >= standing.since for c in standing.cases)
    return Score(
        precision=share(helped, runs, z),
        cleared=share(went, controls, z),
        uplift=difference(helped, runs, went, controls, z) if runs and controls else None,
        observed=observed,
    )


def share(hits: int, of: int, z: float) -> Share:
    """A proportion with Wilson's score bounds; `z` is the normal quantile of the confidence."""
    assert 0 <= hits <= of, "no more hits than cases"
    if of == 0:
        return Share(hits=0, of=0, low=0.0, high=1.0)
    rate, square = hits / of, z * z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    half = z * sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == of else min(1.0, middle + half)
    return Share(hits=hits, of=of, low=low, high=high)


def difference(hits: int, of: int, other_hits: int, other_of: int, z: float) -> Uplift:
    """First proportion less the second, with Newcombe's bounds; both need cases."""
    assert min(of, other_of) > 0, "a difference of something"
    one, other = share(hits, of, z), share(other_hits, other_of, z)
    p, q = hits / of, other_hits / other_of
    return Uplift(
        estimate=p - q,
        low=p - q - sqrt((p - one.low) ** 2 + (other.high - q) ** 2),
        high=p - q + sqrt((one.high - p) ** 2 + (q - other.low) ** 2),
    )


def missing(found: Score, terms: Promotion, to: Mode) -> tuple[str, ...]:
    """What is missing for the step up to that mode, in words; nothing where it is earned."""
    if to is Mode.SUGGEST:
        return _missing_to_suggest(found, terms)
    wanting: list[str] = []
    runs, percent = found.precision, f"{terms.confidence:.0%}"
    if runs.of < terms.cases:
        wanting.append(f"{terms.cases - runs.of} more runs: {runs.of} of {terms.cases}")
    if runs.low < terms.precision:
        wanting.append(
            f"precision: at least {runs.low:.1%} at {percent} confidence, {terms.precision:.1%} is "
            f"asked for ({runs.hits} of {runs.of} helped)"
        )
    if found.uplift is None:
        if found.cleared.of == 0 and terms.minimum_uplift > -1.0:
            wanting.append("a do-nothing case to compare with")
    elif found.uplift.low < terms.minimum_uplift:
        wanting.append(
            f"uplift over doing nothing: at least {found.uplift.low:+.1%} at {percent} confidence, "
            f"{terms.minimum_uplift:+.1%} is asked for"
        )
    return tuple(wanting)


def _missing_to_suggest(found: Score, terms: Promotion) -> tuple[str, ...]:
    """To suggest it has to have been watched, and acting must be able to be worth it."""
    wanting: list[str] = []
    if found.observed < terms.cases:
        wanting.append(
            f"{terms.cases - found.observed} more do-nothing cases: "
            f"{found.observed} of {terms.cases}"
        )
    if found.cleared.of and found.cleared.low > 1 - terms.minimum_uplift:
        wanting.append(
            f"alerts that stay: at least {found.cleared.low:.1%} go by themselves, so that no "
            f"action can reach an uplift of {terms.minimum_uplift:+.1%}"
        )
    return tuple(wanting)


def _count(cases: Iterable[Case], hit: CaseOutcome) -> tuple[int, int]:
    """Cases of the same sort as `hit`: the hits, and all."""
    wanted = [case.outcome for case in cases if case.outcome is not CaseOutcome.VOID]
    alike = [outcome for outcome in wanted if outcome.is_run == hit.is_run]
    return sum(outcome is hit for outcome in alike), len(alike)
