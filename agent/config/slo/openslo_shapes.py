"""The shapes of OpenSLO v1 and v1alpha (https://github.com/OpenSLO/OpenSLO) that we read.

Not here: what they become (`openslo`).
"""

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from agent.config.slo.objective import Foreign

LabelValues = dict[str, str | list[str]]
Operator = Literal["lte", "gte", "lt", "gt"]


class Camel(Foreign):
    """Keys as they stand in the specification."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Metadata(Camel):
    """What a document is called."""

    name: str = Field(min_length=1, max_length=255)
    display_name: str = Field(default="", alias="displayName")
    labels: LabelValues = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Source(Camel):
    """Where a metric comes from: v1 writes `metricSource`, v1alpha the query itself."""

    metric_source_ref: str = Field(default="", alias="metricSourceRef")
    type: str = ""
    spec: dict[str, Any] = Field(default_factory=dict)


class Metric(Camel):
    """A query and what answers it."""

    metric_source: Source | None = Field(default=None, alias="metricSource")
    source: str = ""
    query_type: str = Field(default="", alias="queryType")
    query: str = ""

    @property
    def text(self) -> str:
        """The query, under whichever key it stands."""
        spec = self.metric_source.spec if self.metric_source else {}
        return self.query or str(spec.get("query") or spec.get("promql") or "")

    @property
    def kind(self) -> str:
        """What answers it; empty where nobody said."""
        return (self.metric_source.type if self.metric_source else self.source).lower()


class RatioMetric(Camel):
    """Events of all events, or a ratio that somebody worked out."""

    counter: bool = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = Field(default=None, alias="rawType")

    @model_validator(mode="after")
    def _one(self) -> "RatioMetric":
        of_total = (self.good is None) != (self.bad is None) and self.total is not None
        if self.raw is not None:
            if self.raw_type is None or self.good or self.bad or self.total:
                raise ValueError("`raw` needs `rawType`, and neither good, bad nor total")
        elif not of_total:
            raise ValueError("give `total` with either `good` or `bad`, or `raw`")
        return self


class SliSpec(Camel):
    """What is measured."""

    description: str = Field(default="", max_length=1050)
    threshold_metric: Metric | None = Field(default=None, alias="thresholdMetric")
    ratio_metric: RatioMetric | None = Field(default=None, alias="ratioMetric")

    @model_validator(mode="after")
    def _one(self) -> "SliSpec":
        if (self.threshold_metric is None) == (self.ratio_metric is None):
            raise ValueError("either `thresholdMetric` or `ratioMetric` says what is measured")
        return self


class Indicator(Camel):
    """An SLI inside of an SLO."""

    metadata: Metadata | None = None
    spec: SliSpec


class Calendar(Camel):
    """Where a window of the calendar begins."""

    start_time: str = Field(alias="startTime")
    time_zone: str = Field(alias="timeZone")


class TimeWindow(Camel):
    """What period the objective is about."""

    duration: str = ""
    is_rolling: bool = Field(default=False, alias="isRolling")
    calendar: Calendar | None = None
    count: int | None = Field(default=None, ge=1)
    unit: str = ""


class Objective(Camel):
    """How much must be good."""

    display_name: str = Field(default="", alias="displayName")
    op: Operator | None = None
    value: float | None = None
    target: float | None = Field(default=None, ge=0, lt=1)
    target_percent: float | None = Field(default=None, alias="targetPercent", ge=0, lt=100)
    time_slice_target: float | None = Field(default=None, alias="timeSliceTarget", ge=0, le=1)
    time_slice_window: str | int | None = Field(default=None, alias="timeSliceWindow")
    ratio_metrics: RatioMetric | None = Field(default=None, alias="ratioMetrics")

    @model_validator(mode="after")
    def _one(self) -> "Objective":
        if (self.target is None) == (self.target_percent is None):
            raise ValueError("either `target` or `targetPercent` says how much must be good")
        return self


class AlertPolicyRef(Camel):
    """An alert policy, by name or in full; passed over."""

    alert_policy_ref: str = Field(default="", alias="alertPolicyRef")
    kind: str = ""
    metadata: Metadata | None = None
    spec: dict[str, Any] = Field(default_factory=dict)


class SloSpec(Camel):
    """What an SLO is made of."""

    description: str = Field(default="", max_length=1050)
    service: str = Field(min_length=1)
    indicator: Indicator | None = None
    indicator_ref: str = Field(default="", alias="indicatorRef")
    time_window: list[TimeWindow] = Field(default=[], alias="timeWindow", max_length=1)
    time_windows: list[TimeWindow] = Field(default=[], alias="timeWindows", max_length=1)
    budgeting_method: Literal["Occurrences", "Timeslices", "RatioTimeslices"] = Field(
        alias="budgetingMethod"
    )
    objectives: list[Objective] = Field(min_length=1)
    alert_policies: list[str | AlertPolicyRef] = Field(default=[], alias="alertPolicies")


class Slo(Camel):
    """A document of kind SLO."""

    api_version: str = Field(alias="apiVersion")
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec


class Sli(Camel):
    """A document of kind SLI."""

    api_version: str = Field(alias="apiVersion")
    kind: Literal["SLI"]
    metadata: Metadata
    spec: SliSpec
