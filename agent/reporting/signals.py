"""From samples to findings: what each entity lost during an incident, in seconds and requests.

Not here: asking for the samples (`runtime.look`), and which entity is guilty
(`core.causes.net_impact`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from agent.model.service import EntityRef
from agent.model.signal import Finding, Signal, SignalKind, Unit
from agent.reporting.residuals import huber, shares
from agent.reporting.surprise import Judged, Samples, Values, gate, judge, without_season

BASE: Mapping[Unit, float] = {
    Unit.MILLISECONDS: 1e-3,
    Unit.MICROSECONDS: 1e-6,
    Unit.NANOSECONDS: 1e-9,
    Unit.PERCENT: 1e-2,
}
LATENCIES = (SignalKind.LATENCY, SignalKind.SEEN_BY_CALLERS, SignalKind.SEEN_OF_CALLEES)
NEVER_NEGATIVE = (*LATENCIES, SignalKind.ERRORS, SignalKind.REQUESTS)
MANY_OF_A_KIND = (SignalKind.RESOURCE, SignalKind.TRAFFIC)
LATE_S = 300.0
"""How late an alert is: it is scraped, evaluated and held back."""
SECONDS_FLOOR = 1e-6
FAILING_FLOOR = 1e-3
"""A share of failing requests that says nothing, where the number of requests is not known."""
ESTIMATED = 0.5
"""What an impact counts whose requests nobody counted: their number is a guess."""
CALLERS_FITTED_MAX = 20
DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The samples of one signal of one entity."""

    entity: EntityRef
    signal: Signal
    history: Samples
    recent: Samples
    """From some time before the incident to its end, or to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an incident was noticed (seconds since 1970), and the time between two samples."""

    noticed: float
    step_s: float

    @property
    def onset(self) -> float:
        """From when on samples may show it: who complains is late, and a sample tells of a span."""
        return self.noticed - max(LATE_S, self.step_s)


@dataclass(frozen=True, slots=True)
class _Series:
    """Both parts of a series in its base unit, where more is worse."""

    history: Samples
    recent: Samples

    def less(self, history: Values, recent: Values) -> "_Series":
        """Without what is expected."""
        return _Series(
            Samples(self.history.times, self.history.values - history),
            Samples(self.recent.times, self.recent.values - recent),
        )

    def judge(self, onset: float, floor: float) -> Judged | None:
        """The samples of the incident."""
        is_before = self.recent.times < onset
        values = self.recent.values
        return judge(self.history.known, values[is_before], values[~is_before], floor)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One kind of signal of one entity, judged."""

    entity: EntityRef
    kind: SignalKind
    signal: str
    judged: Judged
    weight: Values | float
    """What an excess is multiplied with to become an impact."""

    def finding(self, examined: int) -> Finding:
        """What remains of it for the decision."""
        chances = gate(self.judged.surprise, examined)
        impact = np.nansum(chances * self.judged.excess * self.weight)
        return Finding(
            entity=self.entity,
            kind=self.kind,
            signal=self.signal,
            chance=_rounded(np.nanmax(chances)),
            surprise=_rounded(np.nanmax(self.judged.surprise)),
            impact=_rounded(impact),
            usual=_rounded(self.judged.usual),
            now=_rounded(self.judged.worst),
        )


def find(
    measured: Iterable[Measured],
    window: Window,
    callers: Mapping[EntityRef, Sequence[EntityRef]],
) -> tuple[Finding, ...]:
    """What every entity with samples did during an incident, compared with its own past.

    Latencies become seconds lost, errors requests failed, requests requests missing. A kind
    without samples has no finding: it is unknown, not well.
    """
    chosen = _preferred(measured)
    requests = {
        each.entity: _series(each, window)
        for each in chosen
        if each.signal.kind is SignalKind.REQUESTS
    }
    seen = [
        found
        for each in chosen
        if each.signal.kind is not SignalKind.REQUESTS
        and (found := _look_at(each, requests, window, callers))
    ]
    seen += _missing_calls(requests, window, callers)
    examined = sum(each.judged.samples for each in seen)
    return tuple(each.finding(examined) for each in seen)


def _preferred(measured: Iterable[Measured]) -> list[Measured]:
    """One series a kind: of a latency the mean, else the lowest quantile. Resources: all."""
    best: dict[tuple[EntityRef, SignalKind, str], Measured] = {}
    for each in measured:
        if not (each.history.known.size and each.recent.known.size):
            continue
        kind = each.signal.kind
        key = (each.entity, kind, each.signal.name if kind in MANY_OF_A_KIND else "")
        known = best.setdefault(key, each)
        if (each.signal.quantile or 0.0) < (known.signal.quantile or 0.0):
            best[key] = each
    return list(best.values())


def _series(each: Measured, window: Window) -> _Series:
    signal = each.signal
    factor = window.step_s if signal.unit is Unit.PER_SECOND else BASE.get(signal.unit, 1.0)

    def prepared(samples: Samples) -> Samples:
        values = samples.values * factor
        if signal.kind in NEVER_NEGATIVE:
            # a counter that was reset, or a clock: it says nothing
            values = np.where(values < 0.0, np.nan, values)
        if signal.more_is_better:
            values = (1.0 if signal.kind is SignalKind.ERRORS else 0.0) - values
        return Samples(samples.times, values)

    return _Series(*without_season(prepared(each.history), prepared(each.recent)))


def _look_at(
    each: Measured,
    requests: Mapping[EntityRef, _Series],
    window: Window,
    callers: Mapping[EntityRef, Sequence[EntityRef]],
) -> _Seen | None:
    kind, series = each.signal.kind, _series(each, window)
    if kind in MANY_OF_A_KIND:
        rest = _rest_on_requests(kind, series, requests.get(each.entity), window)
        return _Seen(each.entity, kind, each.signal.name, rest, 0.0) if rest else None
    is_counted = each.signal.unit in (Unit.PER_SECOND, Unit.COUNT)
    usual = _usual_requests(each.entity, requests, callers)
    if kind is not SignalKind.ERRORS:
        floor = SECONDS_FLOOR
    elif is_counted:
        floor = 1.0
    else:
        floor = 1.0 / usual if usual > 1.0 else FAILING_FLOOR
    if kind is SignalKind.ERRORS:
        # a second failed request is as unlikely as the first, where none ever failed
        floor /= log(series.history.known.size + 1.0)
    judged = series.judge(window.onset, floor)
    if judged is None:
        return None
    if is_counted:
        return _Seen(each.entity, kind, each.signal.name, judged, 1.0)
    times = series.recent.times[series.recent.times >= window.onset]
    own = requests.get(each.entity)
    counts = own.recent.at(times) if own else np.full(times.shape, np.nan)
    if own is None:
        usual *= ESTIMATED
    weight = np.where(np.isfinite(counts), counts, usual)
    return _Seen(each.entity, kind, each.signal.name, judged, weight)


def _usual_requests(
    entity: EntityRef,
    requests: Mapping[EntityRef, _Series],
    callers: Mapping[EntityRef, Sequence[EntityRef]],
) -> float:
    """Requests of a usual sample; those of its callers, or of anybody, where it counts none."""
    for asked in ((entity,), callers.get(entity, ()), requests):
        known = [requests[each].history.known for each in asked if each in requests]
        if known:
            return float(np.median([np.median(each) for each in known]))
    return 1.0


def _rest_on_requests(
    kind: SignalKind, series: _Series, own: _Series | None, window: Window
) -> Judged | None:
    """What its own requests do not explain: resources upwards only, traffic both ways."""
    floor = SECONDS_FLOOR
    if own is not None:
        driver = own.history.at(series.history.times)
        now = own.recent.at(series.recent.times)
        intercept, slope = huber(driver, series.history.values)
        level = float(np.median(own.history.known))
        floor = max(floor, 0.01 * abs(intercept + slope * level))
        expected = [np.where(np.isfinite(x), x, level) * slope for x in (driver, now)]
        series = series.less(*expected)
    upwards = series.judge(window.onset, floor)
    if kind is SignalKind.RESOURCE or upwards is None:
        return upwards
    mirrored = _Series(
        Samples(series.history.times, -series.history.values),
        Samples(series.recent.times, -series.recent.values),
    ).judge(window.onset, floor)
    if mirrored is None or np.nanmax(mirrored.surprise) <= np.nanmax(upwards.surprise):
        return upwards
    return Judged(-mirrored.usual, -mirrored.worst, mirrored.surprise, mirrored.excess)


def _missing_calls(
    requests: Mapping[EntityRef, _Series],
    window: Window,
    callers: Mapping[EntityRef, Sequence[EntityRef]],
) -> list[_Seen]:
    """Requests that an entity's callers usually lead to, and did not."""
    found: list[_Seen] = []
    for entity, series in requests.items():
        known = [each for each in callers.get(entity, ()) if each in requests][:CALLERS_FITTED_MAX]
        if not known:
            continue
        history = np.stack([requests[each].history.at(series.history.times) for each in known], 1)
        share = shares(history, series.history.values)
        if share is None:
            continue
        recent = np.stack([requests[each].recent.at(series.recent.times) for each in known], 1)
        lacking = _Series(
            Samples(series.history.times, history @ share - series.history.values),
            Samples(series.recent.times, recent @ share - series.recent.values),
        )
        floor = max(1.0, 0.01 * float(np.median(series.history.known)))
        judged = lacking.judge(window.onset, floor)
        if judged is not None:
            found.append(_Seen(entity, SignalKind.MISSING_CALLS, "requests", judged, 1.0))
    return found


def _rounded(value: float) -> float:
    """To a few digits: the journal keeps what matters."""
    return float(f"{value:.{DIGITS}g}")
