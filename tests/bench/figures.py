"""What a benchmark says: a figure of ours, the same of a baseline, their ratio and the goal."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Statistic = Callable[[Sequence[float]], float]


class Sense(StrEnum):
    """Which side of the limit is good."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The limit on the ratio to the baseline, or on our own value."""

    sense: Sense
    limit: float
    on_ratio: bool = True

    def __str__(self) -> str:
        """As people write it; an `x` marks a ratio."""
        return f"{self.sense} {self.limit:g}{'x' if self.on_ratio else ''}"

    def is_met(self, value: float) -> bool:
        """Whether `value` is on the good side."""
        return value >= self.limit if self.sense is Sense.AT_LEAST else value <= self.limit


def at_least(limit: float) -> Goal:
    """A ratio: more is better."""
    return Goal(sense=Sense.AT_LEAST, limit=limit)


def at_most(limit: float) -> Goal:
    """A ratio: less is better."""
    return Goal(sense=Sense.AT_MOST, limit=limit)


def value_at_least(limit: float) -> Goal:
    """Our own value: more is better."""
    return Goal(sense=Sense.AT_LEAST, limit=limit, on_ratio=False)


def value_at_most(limit: float) -> Goal:
    """Our own value: less is better."""
    return Goal(sense=Sense.AT_MOST, limit=limit, on_ratio=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One contender's measured values, or the reason why there are none."""

    name: str
    values: tuple[float, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; `baseline` is None where nothing compares."""

    name: str
    unit: str
    ours: Side
    baseline: Side | None = None
    goal: Goal | None = None
    statistic: Statistic = statistics.median

    @property
    def our_value(self) -> float | None:
        """Our value, by the figure's statistic over all rounds."""
        return self.statistic(self.ours.values) if self.ours.values else None

    @property
    def baseline_value(self) -> float | None:
        """The baseline's value, by the same statistic."""
        if self.baseline is None or not self.baseline.values:
            return None
        return self.statistic(self.baseline.values)

    @property
    def ratio(self) -> float | None:
        """Ours over the baseline's."""
        if self.our_value is None or not self.baseline_value:
            return None
        return self.our_value / self.baseline_value

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where that cannot be said."""
        if self.goal is None:
            return None
        judged = self.ratio if self.goal.on_ratio else self.our_value
        if judged is None:
            return None
        return self.goal.is_met(judged)

    @property
    def missing(self) -> str:
        """Why a side has no values; empty where both have."""
        sides = [self.ours, *([self.baseline] if self.baseline else [])]
        return "; ".join(f"{side.name}: {side.missing}" for side in sides if side.missing)


def percentile(share: float) -> Statistic:
    """The statistic below which `share` of the values lie, without interpolation."""

    def of(values: Sequence[float]) -> float:
        return sorted(values)[min(len(values) - 1, int(share * len(values)))]

    return of
