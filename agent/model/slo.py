"""Service level objectives in OpenSLO's words, whichever dialect they were written in.

Not here: reading them (`config.slo`), or the rules that measure them (`reporting.service_level`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

WINDOW = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
"""What stands for the length of time in a query, as sloth writes it."""


class BudgetingMethod(StrEnum):
    """How the budget is counted (OpenSLO v1): by events, by good slices, or by mean of slices."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL with a place for the length of time that it is about."""

    text: str

    def over(self, window: str) -> str:
        """The query about that length of time, such as `5m`."""
        return WINDOW.sub(window, self.text).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class BadOfTotal:
    """Events counted twice: those that were bad, and all."""

    bad: Query
    total: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodOfTotal:
    """Events counted twice: those that were good, and all."""

    good: Query
    total: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRatio:
    """The share of bad events, worked out by whoever wrote the query."""

    ratio: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRatio:
    """The share of good events, worked out by whoever wrote the query."""

    ratio: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A measurement that is good while it stands so to a value; `operator` as in PromQL."""

    metric: Query
    operator: str
    value: float


Indicator = BadOfTotal | GoodOfTotal | BadRatio | GoodRatio | Threshold
"""What is measured (SLI)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert on burning the budget: what it is called, and what it carries along."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What share of a service's work must be good over a period."""

    service: str
    name: str
    objective: float
    """In per cent, above 0 and below 100 or exactly 100."""
    period: timedelta
    indicator: Indicator
    method: BudgetingMethod
    slice_target: float | None = None
    """With Timeslices: the share of good events, in per cent, at which a slice is a good one."""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    page: Alert | None = None
    ticket: Alert | None = None

    @property
    def id(self) -> str:
        """Unique among all objectives."""
        return f"{self.service}-{self.name}"

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return (100 - self.objective) / 100
