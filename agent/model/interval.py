"""Half-open intervals of time in UTC and the little algebra that windows and reports need."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """`[start, end)`: the start belongs to it, the end does not. Never empty, never reversed."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"an interval must end after it starts: {self.start} .. {self.end}")

    @property
    def length(self) -> timedelta:
        """Real seconds between both ends, whatever the clocks did between."""
        return self.end - self.start

    def contains(self, at: datetime) -> bool:
        """Whether the moment lies inside; the end does not."""
        return self.start <= at < self.end

    def clip(self, other: "Interval") -> "Interval | None":
        """The part of this interval inside the other, or None where they do not meet."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same moments as disjoint intervals in order; touching ones become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return tuple(merged)


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> tuple[Interval, ...]:
    """The moments of `intervals` that lie in none of the `holes`, as disjoint intervals."""
    left = list(union(intervals))
    for hole in union(holes):
        left = [piece for interval in left for piece in _without(interval, hole)]
    return tuple(left)


def total(intervals: Sequence[Interval]) -> timedelta:
    """The length of the union: overlaps count once."""
    return sum((interval.length for interval in union(intervals)), timedelta())


def _without(interval: Interval, hole: Interval) -> Iterable[Interval]:
    if interval.clip(hole) is None:
        yield interval
        return
    if interval.start < hole.start:
        yield Interval(interval.start, hole.start)
    if hole.end < interval.end:
        yield Interval(hole.end, interval.end)
