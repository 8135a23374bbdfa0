"""What SREs declare of metrics: the signals of every kind of entity, as PromQL templates.

Not here: whether a template is PromQL (`signals`), or what its samples mean.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.config.durations import Duration
from agent.config.matchers import Matchers
from agent.config.schema import Name, Spec

SIGNALS_MAX = 20

LatencyUnit = ("seconds", "milliseconds", "microseconds", "nanoseconds")
UNITS: dict[str, tuple[str, ...]] = {
    "latency": LatencyUnit,
    "latency_seen_by_callers": LatencyUnit,
    "latency_seen_of_callees": LatencyUnit,
    "errors": ("ratio", "percent", "per_second", "count"),
    "requests": ("per_second", "count"),
    "resource": ("ratio", "percent", "bytes", "number"),
    "traffic": ("per_second", "count", "bytes", "number"),
}
"""In what each kind can be measured."""


class AboutSpec(Spec):
    """Which entities a document is about: those that fit both lists."""

    kinds: list[Literal["domain", "system", "component", "resource", "api"]] = Field(
        default_factory=list, description="Kinds of entity; none: every kind."
    )
    types: list[str] = Field(
        default_factory=list,
        description="Types as the map says them, such as `service`; none: every type.",
    )


class SignalSpec(Spec):
    """One query over each of these entities."""

    name: Name = Field(description="What reasons call it.")
    kind: Literal[
        "latency",
        "latency_seen_by_callers",
        "latency_seen_of_callees",
        "errors",
        "requests",
        "resource",
        "traffic",
    ] = Field(
        description="What it measures. A latency says whose it is: `latency` is the entity's own "
        "answer time."
    )
    unit: Literal[
        "seconds",
        "milliseconds",
        "microseconds",
        "nanoseconds",
        "ratio",
        "percent",
        "per_second",
        "count",
        "bytes",
        "number",
    ] = Field(description="In what the query answers.")
    more_is: Literal["worse", "better"] = Field(
        default="worse", description="`better` for availability: the share that did not fail."
    )
    query: Annotated[str, Field(min_length=1, max_length=4000)] = Field(
        description="PromQL that gives one series; `$name` inside a string in double quotes "
        "stands for a value of the map."
    )
    quantile: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Of a latency that is no mean, such as 0.5. The mean is preferred, then the "
        "lowest quantile.",
    )
    complaints: Matchers | None = Field(
        default=None, description="Matchers of the alerts that complain about this."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.unit not in UNITS[self.kind]:
            known = ", ".join(UNITS[self.kind])
            raise ValueError(f"a signal of kind {self.kind} is measured in {known}")
        if self.quantile is not None and not self.kind.startswith("latency"):
            raise ValueError("only a latency has a `quantile`")
        if self.more_is == "better" and self.kind != "errors":
            raise ValueError("`moreIs: better` is for `errors` that are given as availability")
        return self


class SignalsSpec(Spec):
    """What is measured of these entities, and how the agent asks for it around an incident."""

    about: AboutSpec = Field(default_factory=AboutSpec, description="Which entities.")
    every: Duration = Field(
        default=timedelta(minutes=1), description="From one sample to the next."
    )
    history: Duration = Field(
        default=timedelta(days=7),
        description="How far back an entity is compared with itself; from three weeks on by hour "
        "of the week.",
    )
    signals: list[SignalSpec] = Field(
        min_length=1, max_length=SIGNALS_MAX, description="The queries."
    )
