"""Recording and alerting rules for Prometheus that measure an objective and watch its budget.

Names and labels are those of sloth (`slo:sli_error:ratio_rate5m`, `sloth_id`), so that what reads
sloth's rules reads these. Not here: writing them as YAML, or evaluating them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from agent.model.alert_windows import AlertWindows, Pair
from agent.model.slo import (
    Alert,
    BadOfTotal,
    BadRatio,
    BudgetingMethod,
    GoodOfTotal,
    GoodRatio,
    Slo,
    Threshold,
)

SLICE = "5m"
"""The window that every longer figure is put together from."""
RESOLUTION = "1m"
"""How often a threshold is looked at."""
_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A rule that records a series."""

    record: str
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """A rule that raises an alert."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Recording | Alerting, ...] = field(default=())


def groups_of(slo: Slo, windows: AlertWindows) -> Iterator[Group]:
    """What measures the objective, what is known of it, and what alerts on it."""
    yield Group(name=f"sloth-slo-sli-recordings-{slo.id}", rules=tuple(_recordings(slo, windows)))
    yield Group(name=f"sloth-slo-meta-recordings-{slo.id}", rules=tuple(_figures(slo)))
    alerts = tuple(_alerts(slo, windows))
    if alerts:
        yield Group(name=f"sloth-slo-alerts-{slo.id}", rules=alerts)


def length(of: timedelta) -> str:
    """A length of time in the largest unit that it is a whole number of, as Prometheus reads it."""
    seconds = round(of.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


def error_ratio(slo: Slo, window: str) -> str:
    """The share of bad events over a window. Where there were none it has no value, not NaN: one
    quiet hour must not make a whole month unknown."""
    match slo.indicator:
        case BadOfTotal(bad=bad, total=total):
            return _share(bad.over(window), total.over(window))
        case GoodOfTotal(good=good, total=total):
            return f"1 - (\n{_share(good.over(window), total.over(window))}\n)"
        case BadRatio(ratio=ratio):
            return f"({ratio.over(window)}) >= 0"
        case GoodRatio(ratio=ratio):
            return f"1 - (({ratio.over(window)}) >= 0)"
        case Threshold(metric=metric, operator=operator, value=value):
            is_good = f"({metric.over(SLICE)}) {operator} bool {value!r}"
            return f"1 - avg_over_time(({is_good})[{window}:{RESOLUTION}])"


def _share(part: str, whole: str) -> str:
    # A counter that nothing was ever counted by is not there at all: none of them, not unknown.
    return f"(({part}) or ({whole}) * 0)\n/\n(({whole}) > 0)"


def _recordings(slo: Slo, windows: AlertWindows) -> Iterator[Recording]:
    for each in windows.lengths:
        yield _recorded(slo, length(each), error_ratio(slo, length(each)))
    period = length(slo.period)
    yield _recorded(slo, period, _over_period(slo, period))


def _over_period(slo: Slo, period: str) -> str:
    """The share of bad over the whole period, by the method that the objective is counted by."""
    slices = f"slo:sli_error:ratio_rate{SLICE}{_of(slo)}"
    match slo.method:
        case BudgetingMethod.OCCURRENCES:
            return error_ratio(slo, period)
        case BudgetingMethod.RATIO_TIMESLICES:
            return (
                f"sum_over_time({slices}[{period}])\n/ ignoring (sloth_window)\n"
                f"count_over_time({slices}[{period}])"
            )
        case BudgetingMethod.TIMESLICES:
            target = slo.objective if slo.slice_target is None else slo.slice_target
            allowed = _number((100 - target) / 100)
            return f"avg_over_time(({slices} > bool {allowed})[{period}:{SLICE}])"


def _figures(slo: Slo) -> Iterator[Recording]:
    of, labels = _of(slo), _labels(slo)
    days = slo.period / timedelta(days=1)
    budget = f"/ on(sloth_id, sloth_slo, sloth_service) group_left\nslo:error_budget:ratio{of}"
    recorded = {
        "slo:objective:ratio": f"vector({_number(1 - slo.budget)})",
        "slo:error_budget:ratio": f"vector({_number(slo.budget)})",
        "slo:time_period:days": f"vector({_number(days)})",
        "slo:current_burn_rate:ratio": f"slo:sli_error:ratio_rate{SLICE}{of}\n{budget}",
        "slo:period_burn_rate:ratio": (
            f"slo:sli_error:ratio_rate{length(slo.period)}{of}\n{budget}"
        ),
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{of}",
    }
    for record, expr in recorded.items():
        yield Recording(record=record, expr=expr, labels=labels)
    about = {
        **labels,
        "sloth_objective": f"{slo.objective:g}",
        "budgeting_method": slo.method.value,
    }
    yield Recording(record="sloth_slo_info", expr="vector(1)", labels=about)


def _alerts(slo: Slo, windows: AlertWindows) -> Iterator[Alerting]:
    for alert, severity, pairs in (
        (slo.page, "page", windows.page),
        (slo.ticket, "ticket", windows.ticket),
    ):
        if alert is not None:
            yield _alert(slo, alert, severity, pairs)


def _alert(slo: Slo, alert: Alert, severity: str, pairs: tuple[Pair, Pair]) -> Alerting:
    about = "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate"
    return Alerting(
        alert=alert.name,
        expr="\nor\n".join(_burns(slo, pair) for pair in pairs),
        labels={**alert.labels, "sloth_severity": severity},
        annotations={
            "summary": f"{about} is over expected.",
            "title": f"({severity}) {about} is too fast.",
            **alert.annotations,
        },
    )


def _burns(slo: Slo, pair: Pair) -> str:
    allowed = f"({_number(pair.factor(slo.period))} * {_number(slo.budget)})"
    clauses = (
        f"    max(slo:sli_error:ratio_rate{length(window)}{_of(slo)} > {allowed})"
        " without (sloth_window)"
        for window in (pair.short, pair.long)
    )
    return "(\n" + "\n    and\n".join(clauses) + "\n)"


def _recorded(slo: Slo, window: str, expr: str) -> Recording:
    return Recording(
        record=f"slo:sli_error:ratio_rate{window}",
        expr=expr,
        labels={**_labels(slo), "sloth_window": window},
    )


def _labels(slo: Slo) -> dict[str, str]:
    return {
        **slo.labels,
        "sloth_id": slo.id,
        "sloth_service": slo.service,
        "sloth_slo": slo.name,
    }


def _of(slo: Slo) -> str:
    return f'{{sloth_id="{slo.id}", sloth_service="{slo.service}", sloth_slo="{slo.name}"}}'


def _number(value: float) -> str:
    """As short as it can be said without another meaning; arithmetic leaves dust behind."""
    return f"{value:.12g}"
