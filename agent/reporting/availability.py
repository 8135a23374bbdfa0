"""Availability of one entity over a window, from its state intervals: every figure is a sum.

Availability = (agreed time - unplanned downtime) / agreed time, where agreed time is the window
less what is excused and what is unknown. "No data" is never "up": beside the figure stands the
range between "all unknown time was down" and "all of it was up". Degraded time counts as up and
is shown apart. Overlaps count once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.incident import EVERYTHING, StateInterval
from agent.model.interval import Interval, subtract, total, union
from agent.model.service import EntityRef, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One uninterrupted time of being down."""

    interval: Interval
    is_excused: bool
    is_over: bool
    """False for one that still lasts at the end of what is known."""
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """How an entity fared in a window. All durations are real seconds inside the window."""

    entity: EntityRef
    window: Interval
    down: timedelta
    degraded: timedelta
    excused: timedelta
    unknown: timedelta
    outages: tuple[Outage, ...]

    @property
    def agreed(self) -> timedelta:
        """The time that the promise is about."""
        return self.window.length - self.excused - self.unknown

    @property
    def share(self) -> float | None:
        """Availability from 0 to 1; None where nothing is known of the whole window."""
        if self.agreed <= timedelta():
            return None
        return 1.0 - self.down / self.agreed

    @property
    def lowest(self) -> float | None:
        """Availability if all unknown time was down."""
        promised = self.agreed + self.unknown
        return 1.0 - (self.down + self.unknown) / promised if promised else None

    @property
    def highest(self) -> float | None:
        """Availability if all unknown time was up."""
        promised = self.agreed + self.unknown
        return 1.0 - self.down / promised if promised else None

    @property
    def restorations(self) -> tuple[timedelta, ...]:
        """How long each unplanned outage that is over lasted, shortest first."""
        over = (o for o in self.outages if o.is_over and not o.is_excused)
        return tuple(sorted(outage.interval.length for outage in over))

    @property
    def mean_time_to_restore(self) -> timedelta | None:
        """MTRS (ITIL 4); None below three outages: a mean of two says nothing."""
        lengths = self.restorations
        return sum(lengths, timedelta()) / len(lengths) if len(lengths) >= 3 else None


def availability(
    entity: EntityRef,
    intervals: Sequence[StateInterval],
    *,
    window: Interval,
    known_until: datetime,
    watched_since: datetime | None,
) -> Availability:
    """How `entity` fared in `window`, told from its state intervals and those of everything.

    An interval without an end lasts until `known_until`. Time before `watched_since` and after
    `known_until` is unknown; so is all of it where nobody ever watched (None).
    """
    own = [item for item in intervals if item.entity == entity]
    blind = [item for item in intervals if item.entity == EVERYTHING]
    unknown = [
        *_clipped([i for i in [*own, *blind] if i.health is Health.UNKNOWN], window, known_until),
        *_outside(window, watched_since, known_until),
    ]
    down_all = _clipped([i for i in own if i.health is Health.DOWN], window, known_until)
    excused = _clipped([i for i in own if i.excused_by is not None], window, known_until)
    degraded = _clipped([i for i in own if i.health is Health.DEGRADED], window, known_until)
    # What monitoring saw while the agent slept is still known: an outage beats "unknown".
    unknown_only = subtract(unknown, [*down_all, *degraded])
    return Availability(
        entity=entity,
        window=window,
        down=total(subtract(down_all, excused)),
        degraded=total(subtract(degraded, [*excused, *down_all])),
        excused=total(excused),
        unknown=total(subtract(unknown_only, excused)),
        outages=_outages([i for i in own if i.health is Health.DOWN], window, known_until),
    )


def _clipped(
    items: Sequence[StateInterval], window: Interval, known_until: datetime
) -> list[Interval]:
    found: list[Interval] = []
    for item in items:
        end = item.end or known_until
        if item.start < end:
            part = Interval(item.start, end).clip(window)
            if part is not None:
                found.append(part)
    return found


def _outside(
    window: Interval, watched_since: datetime | None, known_until: datetime
) -> list[Interval]:
    if watched_since is None or watched_since >= window.end or known_until <= window.start:
        return [window]
    parts: list[Interval] = []
    if watched_since > window.start:
        parts.append(Interval(window.start, watched_since))
    if known_until < window.end:
        parts.append(Interval(known_until, window.end))
    return parts


def _outages(
    items: Sequence[StateInterval], window: Interval, known_until: datetime
) -> tuple[Outage, ...]:
    outages: list[Outage] = []
    for whole in union(_clipped(items, window, known_until)):
        of_it = [
            item
            for item in items
            if item.start < whole.end and (item.end or known_until) > whole.start
        ]
        outages.append(
            Outage(
                interval=whole,
                is_excused=all(item.excused_by is not None for item in of_it),
                is_over=all(item.end is not None for item in of_it),
                incidents=tuple(dict.fromkeys(i.incident for i in of_it if i.incident)),
            )
        )
    return tuple(outages)
