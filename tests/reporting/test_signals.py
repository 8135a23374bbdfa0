"""From samples to findings: seconds and requests, and silence that is not taken for health."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from agent.model.signal import Finding, Signal, SignalKind, Unit
from agent.reporting.signals import Measured, Window, find
from agent.reporting.surprise import Samples

STEP_S = 60.0
PAST = np.arange(600) * STEP_S
RECENT = 600 * STEP_S + np.arange(40) * STEP_S
NOTICED = float(RECENT[25])
WINDOW = Window(noticed=NOTICED, step_s=STEP_S)
IS_BAD = RECENT >= WINDOW.onset
UNITS = {
    SignalKind.LATENCY: Unit.SECONDS,
    SignalKind.REQUESTS: Unit.COUNT,
    SignalKind.ERRORS: Unit.RATIO,
    SignalKind.RESOURCE: Unit.NUMBER,
    SignalKind.TRAFFIC: Unit.BYTES,
}


def measured(
    entity: str,
    kind: SignalKind,
    history: Sequence[float] | np.ndarray,
    recent: Sequence[float] | np.ndarray,
    **more: object,
) -> Measured:
    """A signal of an entity with these values, a minute apart."""
    unit = more.pop("unit", UNITS[kind])
    name = more.pop("name", kind.value)
    signal = Signal(name=name, kind=kind, query="", unit=unit, **more)  # type: ignore[arg-type]
    return Measured(
        entity=entity,
        signal=signal,
        history=Samples(PAST[: len(history)], np.asarray(history, dtype=float)),
        recent=Samples(RECENT[: len(recent)], np.asarray(recent, dtype=float)),
    )


def noise(level: float, spread: float, count: int = 600, seed: int = 0) -> np.ndarray:
    """Values around a level."""
    return np.abs(np.random.default_rng(seed).normal(level, spread, count))


def found(
    *each: Measured, callers: Mapping[str, Sequence[str]] | None = None
) -> dict[tuple[str, SignalKind], Finding]:
    """The findings by entity and kind."""
    return {(f.entity, f.kind): f for f in find(each, WINDOW, callers or {})}


REQUESTS = measured("a", SignalKind.REQUESTS, noise(100, 3), np.full(40, 100.0))


def test_seconds_lost_are_excess_times_requests() -> None:
    """Half a second more for twenty samples of a hundred requests: a thousand seconds."""
    slow = np.where(IS_BAD, 0.7, 0.2)
    finding = found(measured("a", SignalKind.LATENCY, noise(0.2, 0.01), slow), REQUESTS)
    lost = finding["a", SignalKind.LATENCY]

    assert int(IS_BAD.sum()) == 20
    assert pytest.approx(0.5 * 100 * 20, rel=0.02) == lost.impact
    assert (True, 0.7) == (lost.chance > 0.99, lost.now)


def test_milliseconds_and_seconds_are_one_currency() -> None:
    """The same samples in another unit are the same loss."""
    slow = np.where(IS_BAD, 0.7, 0.2)
    seconds = found(measured("a", SignalKind.LATENCY, noise(0.2, 0.01), slow), REQUESTS)
    thousands = measured(
        "a", SignalKind.LATENCY, noise(0.2, 0.01) * 1e3, slow * 1e3, unit=Unit.MILLISECONDS
    )

    expected = seconds["a", SignalKind.LATENCY].impact
    assert pytest.approx(expected) == found(thousands, REQUESTS)["a", SignalKind.LATENCY].impact


def test_availability_is_the_share_that_did_not_fail() -> None:
    """A fall from 100 % to 95 % of a hundred requests in twenty samples: a hundred failed."""
    down = np.where(IS_BAD, 95.0, 100.0)
    availability = measured(
        "a", SignalKind.ERRORS, np.full(600, 100.0), down, unit=Unit.PERCENT, more_is_better=True
    )

    assert pytest.approx(100, rel=0.01) == found(availability, REQUESTS)["a", "errors"].impact


def test_a_rate_of_errors_needs_no_count_of_requests() -> None:
    """Two failed requests a second are 120 a sample, whatever the traffic."""
    rate = measured(
        "a", SignalKind.ERRORS, np.zeros(600), np.where(IS_BAD, 2.0, 0.0), unit=Unit.PER_SECOND
    )

    assert pytest.approx(20 * 120, rel=0.01) == found(rate)["a", SignalKind.ERRORS].impact


def test_no_samples_no_finding() -> None:
    """A silent kind is unknown: neither a loss nor a clean bill."""
    silent = measured("a", SignalKind.LATENCY, noise(0.2, 0.01), np.full(40, np.nan))
    unborn = measured("b", SignalKind.LATENCY, [], np.full(40, 9.0))

    assert {} == found(silent, unborn)


def test_calm_is_a_finding_too() -> None:
    """An entity that answers as ever is known to be well: its callers' loss is their own."""
    calm = measured("a", SignalKind.LATENCY, noise(0.2, 0.01), noise(0.2, 0.01, 40, seed=1))

    finding = found(calm, REQUESTS)["a", SignalKind.LATENCY]
    # the oddest of forty samples is odd once in forty
    assert finding.chance < 0.9
    assert finding.impact < 10


def test_a_counter_that_was_reset_says_nothing() -> None:
    """A negative rate is no sample: the usual number of requests stands in for it."""
    slow = measured("a", SignalKind.LATENCY, noise(0.2, 0.01), np.where(IS_BAD, 0.7, 0.2))
    reset = measured("a", SignalKind.REQUESTS, noise(100, 3), np.full(40, -5000.0))
    lost = found(slow, reset)

    expected = found(slow, REQUESTS)["a", SignalKind.LATENCY].impact
    assert pytest.approx(expected, rel=0.05) == lost["a", SignalKind.LATENCY].impact


def test_a_guessed_number_of_requests_counts_half() -> None:
    """Where nobody ever counted its requests, those of its callers stand in, with doubt."""
    slow = measured("b", SignalKind.LATENCY, noise(0.2, 0.01), np.where(IS_BAD, 0.7, 0.2))
    lost = found(slow, REQUESTS, callers={"b": ["a"]})["b", SignalKind.LATENCY]

    assert pytest.approx(0.5 * 100 * 20 / 2, rel=0.05) == lost.impact


def test_missing_counts_are_taken_as_usual() -> None:
    """Every second count is missing: the loss is what it would have been."""
    slow = measured("a", SignalKind.LATENCY, noise(0.2, 0.01), np.where(IS_BAD, 0.7, 0.2))
    half = np.where(np.arange(40) % 2, 100.0, np.nan)
    gaps = measured("a", SignalKind.REQUESTS, noise(100, 3), half)

    expected = found(slow, REQUESTS)["a", SignalKind.LATENCY].impact
    assert pytest.approx(expected, rel=0.02) == found(slow, gaps)["a", SignalKind.LATENCY].impact


def test_the_mean_is_preferred_then_the_lowest_quantile() -> None:
    """Quantiles do not add up along a call: the 99th is not even looked at."""
    wild = np.where(IS_BAD, 50.0, 0.2)
    mild = np.where(IS_BAD, 0.7, 0.2)
    past = noise(0.2, 0.01)
    high = measured("a", SignalKind.LATENCY, past, wild, quantile=0.99, name="p99")
    low = measured("a", SignalKind.LATENCY, past, mild, quantile=0.5, name="p50")
    mean = measured("a", SignalKind.LATENCY, past, mild, name="mean")

    names = [found(*each, REQUESTS)["a", "latency"].signal for each in ((high, low), (low, mean))]
    assert ["p50", "mean"] == names


def test_a_resource_that_its_requests_explain_is_no_evidence() -> None:
    """Twice the requests, twice the processor: nothing odd. The same without more requests is."""
    counts = noise(100, 20)
    cpu = counts / 100 + np.random.default_rng(1).normal(0, 0.01, 600)
    doubled = np.where(IS_BAD, 200.0, 100.0)
    used = measured("a", SignalKind.RESOURCE, cpu, doubled / 100)
    explained = found(used, measured("a", SignalKind.REQUESTS, counts, doubled))
    alone = found(used, measured("a", SignalKind.REQUESTS, counts, np.full(40, 100.0)))

    chances = [each["a", SignalKind.RESOURCE].chance for each in (explained, alone)]
    assert chances[0] < 0.1 < 0.95 < chances[1]


def test_less_of_a_resource_is_well_and_less_traffic_is_odd() -> None:
    """A processor that idles harms nobody; a pipe that falls silent tells of something."""
    less = np.where(IS_BAD, 0.0, 1.0)
    past = noise(1.0, 0.05)
    seen = found(
        measured("a", SignalKind.RESOURCE, past, less),
        measured("a", SignalKind.TRAFFIC, past, less),
    )

    assert seen["a", SignalKind.RESOURCE].chance < 0.1
    assert seen["a", SignalKind.TRAFFIC].chance > 0.95


def test_calls_that_did_not_come_are_counted() -> None:
    """Half a request to `b` for each to `a`: with none of them, half of a hundred are missing."""
    counts = noise(100, 20)
    asking = measured("a", SignalKind.REQUESTS, counts, np.full(40, 100.0))
    asked = measured("b", SignalKind.REQUESTS, counts / 2, np.where(IS_BAD, 0.0, 50.0))
    missing = found(asking, asked, callers={"b": ["a"]})["b", SignalKind.MISSING_CALLS]

    assert pytest.approx(50 * 20, rel=0.02) == missing.impact


def test_exact_fits_raise_no_alarm_over_rounding() -> None:
    """Requests that follow their callers' to the last digit differ by rounding only."""
    counts = noise(100, 20)
    now = noise(100, 20, 40, seed=2)
    seen = found(
        measured("a", SignalKind.REQUESTS, counts, now),
        measured("b", SignalKind.REQUESTS, counts / 3, now / 3),
        callers={"b": ["a"]},
    )

    assert seen["b", SignalKind.MISSING_CALLS].surprise < 2.0
