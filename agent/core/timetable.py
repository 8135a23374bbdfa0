"""All calendars as look-up tables: what is open at a moment, and what may run when.

Rebuilt where the calendars are others, stored never. Not here: what follows from a window.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.interval import Interval, subtract, union
from agent.model.service import EntityRef

ALWAYS = Interval(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
MOMENT = timedelta(microseconds=1)
SCOPES_KEPT_MAX = 2_000
"""Of so many different sets of windows the sums are kept; more are worked out again."""

Concerns = Callable[[tuple[EntityRef, ...], EntityRef | None], bool]
"""Whether an entity is one of these, or one of these rests on it."""


@dataclass(frozen=True, slots=True)
class Named:
    """A window and the calendar that it is of."""

    calendar: str
    window: CalendarWindow

    def __str__(self) -> str:
        return self.window.named(self.calendar)

    @property
    def muter(self) -> str:
        """As what it stands where alerts are muted and downtime is excused."""
        name = str(self)
        where = f"calendar:{self.calendar}"
        return where if name == self.calendar else f"{where}: {name}"


class Timetable:
    """The windows of all calendars, by purpose."""

    def __init__(self, calendars: Mapping[str, Calendar], concerns: Concerns) -> None:
        self._concerns = concerns
        self._permits = tuple(
            dict.fromkeys(scope for each in calendars.values() for scope in each.permits)
        )
        self._lines = {purpose: _Line(calendars, purpose, concerns) for purpose in CalendarPurpose}
        self._may_run: dict[tuple[bool, ...], tuple[Interval, ...]] = {}
        self._borders = sorted(
            {
                border
                for calendar in calendars.values()
                for window in calendar.windows
                for border in (window.interval.start, window.interval.end)
            }
            | {each.fresh_until for each in calendars.values() if each.fresh_until is not None}
        )

    def open_at(
        self, purpose: CalendarPurpose, entity: EntityRef | None, at: datetime
    ) -> Iterator[Named]:
        """The windows with this purpose for this entity that are open at a moment."""
        return self._lines[purpose].meeting(entity, Interval(at, at + MOMENT))

    def meeting(
        self, purpose: CalendarPurpose, entity: EntityRef | None, span: Interval
    ) -> Iterator[Named]:
        """The windows with this purpose for this entity that share a moment with the span."""
        return self._lines[purpose].meeting(entity, span)

    def stretches(self, purpose: CalendarPurpose, entity: EntityRef | None) -> tuple[Interval, ...]:
        """All time that windows with this purpose cover for this entity, disjoint, in order."""
        return self._lines[purpose].stretches(entity)

    def is_windowed(self, entity: EntityRef | None) -> bool:
        """Whether some entry permits changes of this entity: outside of it there are none."""
        return any(self._concerns(scope, entity) for scope in self._permits)

    def may_run(self, entity: EntityRef, *, in_windows: bool) -> tuple[Interval, ...]:
        """When no freeze holds, and a window is open where one is needed: disjoint, in order."""
        key = (in_windows, *self._lines[CalendarPurpose.FREEZE].key(entity))
        key += self._lines[CalendarPurpose.PERMIT].key(entity) if in_windows else ()
        known = self._may_run.get(key)
        if known is None:
            known = self._worked_out(entity, in_windows=in_windows)
            if len(self._may_run) < SCOPES_KEPT_MAX:
                self._may_run[key] = known
        return known

    def working_hours(self, entity: EntityRef | None) -> tuple[Interval, ...]:
        """Business hours without holidays: disjoint, in order."""
        holidays = self.stretches(CalendarPurpose.HOLIDAY, entity)
        return subtract(self.stretches(CalendarPurpose.HOURS, entity), holidays)

    def _worked_out(self, entity: EntityRef, *, in_windows: bool) -> tuple[Interval, ...]:
        open_time = self.stretches(CalendarPurpose.PERMIT, entity) if in_windows else (ALWAYS,)
        return subtract(open_time, self.stretches(CalendarPurpose.FREEZE, entity))

    def next_border(self, after: datetime) -> datetime | None:
        """When the next window of any calendar begins or ends, or a copy grows too old."""
        place = bisect_right(self._borders, after)
        return self._borders[place] if place < len(self._borders) else None


class _Line:
    """The windows of one purpose, in order of time."""

    def __init__(
        self, calendars: Mapping[str, Calendar], purpose: CalendarPurpose, concerns: Concerns
    ) -> None:
        self._concerns = concerns
        self._windows = sorted(
            (
                Named(calendar.name, window)
                for calendar in calendars.values()
                for window in calendar.windows
                if purpose in window.purposes
            ),
            key=lambda named: (named.window.interval, named.calendar, named.window.summary),
        )
        self._starts = [named.window.interval.start for named in self._windows]
        self._ends: list[datetime] = []
        """Up to each window, the latest end: before it no earlier window is open any more."""
        for named in self._windows:
            last = self._ends[-1] if self._ends else named.window.interval.end
            self._ends.append(max(last, named.window.interval.end))
        self._scopes = tuple(dict.fromkeys(named.window.entities for named in self._windows))
        self._kept: dict[tuple[bool, ...], tuple[Interval, ...]] = {}

    def meeting(self, entity: EntityRef | None, span: Interval) -> Iterator[Named]:
        first = bisect_right(self._ends, span.start)
        for named in self._windows[first : bisect_right(self._starts, span.end)]:
            is_met = named.window.interval.clip(span) is not None
            if is_met and self._concerns(named.window.entities, entity):
                yield named

    def key(self, entity: EntityRef | None) -> tuple[bool, ...]:
        """Which of the scopes concern this entity: those that agree in it see the same windows."""
        return tuple(self._concerns(scope, entity) for scope in self._scopes)

    def stretches(self, entity: EntityRef | None) -> tuple[Interval, ...]:
        key = self.key(entity)
        known = self._kept.get(key)
        if known is None:
            held = {scope for scope, is_held in zip(self._scopes, key, strict=True) if is_held}
            known = union(
                named.window.interval for named in self._windows if named.window.entities in held
            )
            if len(self._kept) < SCOPES_KEPT_MAX:
                self._kept[key] = known
        return known
