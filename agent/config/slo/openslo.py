"""OpenSLO documents as objectives: `SLO` with its `SLI`, beside it or inside.

DataSource, Service, AlertPolicy, AlertCondition and AlertNotificationTarget are known and passed
over: where our metrics come from, what services there are and whom to call stand elsewhere. Queries
are PromQL and say their window as `{{.window}}`. Not here: the shapes (`openslo_shapes`).
"""

from dataclasses import dataclass, field
from datetime import timedelta

from agent.config.durations import format_duration, parse_duration
from agent.config.schema import validate
from agent.config.slo import openslo_shapes as shapes
from agent.config.slo.objective import Read, query
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.slo import (
    BadOfTotal,
    BadRatio,
    BudgetingMethod,
    GoodOfTotal,
    GoodRatio,
    Indicator,
    Query,
    Slo,
    Threshold,
)

GROUP = "openslo/"
VERSIONS = ("openslo/v1", "openslo/v1alpha")
PASSED_OVER = (
    *("DataSource", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"),
)
PROMETHEUS = ("", "prometheus", "promql")
_OPERATORS = {"lte": "<=", "gte": ">=", "lt": "<", "gt": ">"}
_UNITS = {"Day": "d", "Week": "w", "Hour": "h", "Minute": "m"}


@dataclass(slots=True)
class Catalogue:
    """The indicators that stand in documents of their own, by name."""

    indicators: dict[str, tuple[shapes.SliSpec, Document, Loc]] = field(default_factory=dict)

    def take(self, document: Document, findings: list[Finding]) -> None:
        """Take up an SLI; other kinds are left to whoever reads them, unknown ones are findings."""
        value = document.value
        assert isinstance(value, dict)
        kind, version = value.get("kind"), value.get("apiVersion")
        if version not in VERSIONS:
            text = f'"{version}" is not known; known are {", ".join(VERSIONS)}.'
            findings.append(document.finding(("apiVersion",), text))
        elif kind == "SLI":
            sli = validate(shapes.Sli, document, value)
            if isinstance(sli, list):
                findings += sli
            else:
                self.indicators[sli.metadata.name] = (sli.spec, document, ("spec",))
        elif kind != "SLO" and kind not in PASSED_OVER:
            text = f'kind "{kind}" is none of OpenSLO.'
            findings.append(document.finding(("kind",), text))


def read(
    document: Document, period: timedelta, catalogue: Catalogue, findings: list[Finding]
) -> list[Read]:
    """One objective for each of the document's, named NAME-0, NAME-1...; [] for other kinds."""
    value = document.value
    assert isinstance(value, dict)
    if value.get("kind") != "SLO" or value.get("apiVersion") not in VERSIONS:
        return []
    written = validate(shapes.Slo, document, value)
    if isinstance(written, list):
        findings += written
        return []
    if not _is_of_period(document, written.spec, period, findings):
        return []
    found: list[Read] = []
    for number, objective in enumerate(written.spec.objectives):
        at: Loc = ("spec", "objectives", number)
        indicator = _indicator(document, written.spec, objective, at, catalogue, findings)
        if indicator is not None:
            slo = _slo(written, objective, number, indicator, period)
            found.append(Read(slo, document, at))
    return found


def _is_of_period(
    document: Document, spec: shapes.SloSpec, period: timedelta, findings: list[Finding]
) -> bool:
    """Whether the objective is about the period that rules are made for."""
    windows = spec.time_window or spec.time_windows
    if not windows:
        return True
    key = "timeWindow" if spec.time_window else "timeWindows"
    at, window = ("spec", key, 0), windows[0]
    if window.calendar is not None:
        text = "rules measure a rolling window; a calendar's belongs to the report."
        findings.append(document.finding(at, text, "Say isRolling: true."))
        return False
    text = window.duration or f"{window.count}{_UNITS.get(window.unit, window.unit)}"
    try:
        length = parse_duration(text)
    except ValueError as error:
        findings.append(document.finding(at, f"{error}."))
        return False
    if length != period:
        said, asked = format_duration(length), format_duration(period)
        hint = f"Make them with --period {said}, apart from the others."
        findings.append(document.finding(at, f"is over {said}, the rules over {asked}.", hint))
        return False
    return True


def _indicator(  # noqa: PLR0917 - where it stands, and what is known
    document: Document,
    spec: shapes.SloSpec,
    objective: shapes.Objective,
    at: Loc,
    catalogue: Catalogue,
    findings: list[Finding],
) -> Indicator | None:
    if objective.ratio_metrics is not None:
        return _ratio(document, (*at, "ratioMetrics"), objective.ratio_metrics, findings)
    below: Loc
    if spec.indicator is not None:
        sli, place, below = spec.indicator.spec, document, ("spec", "indicator", "spec")
    elif spec.indicator_ref in catalogue.indicators:
        sli, place, below = catalogue.indicators[spec.indicator_ref]
    else:
        text = (
            f'there is no SLI "{spec.indicator_ref}".'
            if spec.indicator_ref
            else ("either `indicator` or `indicatorRef` says what is measured.")
        )
        findings.append(document.finding(("spec", "indicatorRef"), text))
        return None
    if sli.ratio_metric is not None:
        return _ratio(place, (*below, "ratioMetric"), sli.ratio_metric, findings)
    assert sli.threshold_metric is not None
    if objective.op is None or objective.value is None:
        text = "a threshold needs `op` and `value`."
        findings.append(document.finding(at, text))
        return None
    metric = _of_prometheus(place, (*below, "thresholdMetric"), sli.threshold_metric, findings)
    if metric is None:
        return None
    operator = _OPERATORS[objective.op]
    return Threshold(metric=metric, operator=operator, value=objective.value)


def _ratio(
    document: Document, at: Loc, metric: shapes.RatioMetric, findings: list[Finding]
) -> Indicator | None:
    asked = {
        name: _of_prometheus(document, (*at, name), written, findings)
        for name in ("good", "bad", "total", "raw")
        if (written := getattr(metric, name)) is not None
    }
    match asked:
        case {"raw": Query() as raw}:
            return GoodRatio(ratio=raw) if metric.raw_type == "success" else BadRatio(ratio=raw)
        case {"good": Query() as good, "total": Query() as total}:
            return GoodOfTotal(good=good, total=total)
        case {"bad": Query() as bad, "total": Query() as total}:
            return BadOfTotal(bad=bad, total=total)
    return None


def _of_prometheus(
    document: Document, at: Loc, metric: shapes.Metric, findings: list[Finding]
) -> Query | None:
    if metric.kind not in PROMETHEUS:
        text = f'"{metric.kind}" answers no PromQL.'
        findings.append(document.finding(at, text, "Only Prometheus is asked."))
        return None
    return query(document, at, metric.text, findings)


def _slo(
    written: shapes.Slo,
    objective: shapes.Objective,
    number: int,
    indicator: Indicator,
    period: timedelta,
) -> Slo:
    slice_target = objective.time_slice_target
    share = objective.target
    return Slo(
        service=written.spec.service,
        name=f"{written.metadata.name}-{number}",
        objective=100 * share if share is not None else objective.target_percent or 0.0,
        period=period,
        indicator=indicator,
        method=BudgetingMethod(written.spec.budgeting_method),
        slice_target=None if slice_target is None else 100 * slice_target,
        description=written.spec.description,
        labels={
            name: value for name, value in written.metadata.labels.items() if isinstance(value, str)
        },
    )
