"""The time of one service, moment by moment: what every figure about it is a sum over.

A ledger cuts the agreed time of a window into slices that neither overlap nor leave a gap, each in
one state, with what caused it and what excuses it. Percentages are never kept.

Not here: figures (`availability`), and where intervals come from (the history).
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from agent.model.incident import EVERYTHING, StateInterval
from agent.model.interval import Interval, union
from agent.model.service import EntityRef, Health

_PRECEDENCE = (Health.DOWN, Health.DEGRADED, Health.UNKNOWN)
"""Where statements disagree, the worst that somebody saw counts; seen beats unknown."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A time in which nothing about the service changed."""

    interval: Interval
    health: Health
    incidents: tuple[str, ...] = ()
    excused_by: str | None = None
    """What announced it; None for what was not announced, and for all that is up."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Slices in order; together they are exactly the agreed time of the window."""

    entity: EntityRef
    window: Interval
    slices: tuple[Slice, ...]


def ledger(
    entity: EntityRef,
    intervals: Iterable[StateInterval],
    *,
    window: Interval,
    known_until: datetime,
    watched_since: datetime | None,
    agreed: Sequence[Interval] | None = None,
) -> Ledger:
    """The time of `entity` in `window`, from its own state intervals and those of everything.

    An interval without an end lasts until `known_until`. What lies before `watched_since` and after
    `known_until` is unknown; all of it where nobody ever watched (None). `agreed` are the service
    hours that the promise is about; None: round the clock.
    """
    told = [item for item in intervals if item.entity in (entity, EVERYTHING)]
    told.extend(_nobody_watched(entity, window, known_until, watched_since))
    parts = (window,) if agreed is None else _inside(window, agreed)
    borders = _Borders(told, window, known_until)
    slices = [piece for part in parts for piece in borders.slices(part)]
    return Ledger(entity, window, tuple(slices))


class _Borders:
    """A sweep over the moments at which something begins or ends."""

    def __init__(
        self, told: Sequence[StateInterval], window: Interval, known_until: datetime
    ) -> None:
        self._begins = sorted(
            (
                (item.start, min(item.end or known_until, window.end), number, item)
                for number, item in enumerate(told)
                if item.health is not Health.UP
                and item.start < min(item.end or known_until, window.end)
                and (item.end or known_until) > window.start
            ),
            key=lambda begin: begin[:3],
        )

    def slices(self, part: Interval) -> Iterator[Slice]:
        """The slices of one part of the agreed time, neighbours that are alike made one."""
        last: Slice | None = None
        for interval, running in self._cut(part):
            piece = _judged(interval, running)
            if last is not None and _alike(last, piece):
                last = Slice(
                    Interval(last.interval.start, interval.end),
                    last.health,
                    last.incidents,
                    last.excused_by,
                )
                continue
            if last is not None:
                yield last
            last = piece
        if last is not None:
            yield last

    def _cut(self, part: Interval) -> Iterator[tuple[Interval, list[StateInterval]]]:
        moments = {part.start, part.end}
        for start, end, _, _ in self._begins:
            moments.update(moment for moment in (start, end) if part.contains(moment))
        order = sorted(moments)
        waiting = iter(self._begins)
        following = next(waiting, None)
        running: list[tuple[datetime, int, StateInterval]] = []
        for start, end in pairwise(order):
            while following is not None and following[0] <= start:
                heapq.heappush(running, (following[1], following[2], following[3]))
                following = next(waiting, None)
            while running and running[0][0] <= start:
                heapq.heappop(running)
            yield Interval(start, end), [item for _, _, item in sorted(running, key=_by_number)]


def _by_number(running: tuple[datetime, int, StateInterval]) -> int:
    return running[1]


def _judged(interval: Interval, running: Sequence[StateInterval]) -> Slice:
    for health in _PRECEDENCE:
        said = [item for item in running if item.health is health]
        if said:
            incidents = tuple(dict.fromkeys(item.incident for item in said if item.incident))
            excuses = [item.excused_by for item in running if item.excused_by is not None]
            return Slice(interval, health, incidents, excuses[0] if excuses else None)
    return Slice(interval, Health.UP)


def _alike(one: Slice, other: Slice) -> bool:
    return (one.health, one.incidents, one.excused_by) == (
        other.health,
        other.incidents,
        other.excused_by,
    )


def _inside(window: Interval, agreed: Sequence[Interval]) -> tuple[Interval, ...]:
    return union(part for each in agreed if (part := each.clip(window)) is not None)


def _nobody_watched(
    entity: EntityRef, window: Interval, known_until: datetime, watched_since: datetime | None
) -> Iterator[StateInterval]:
    def unknown(start: datetime, end: datetime) -> StateInterval:
        return StateInterval(entity=entity, start=start, end=end, health=Health.UNKNOWN)

    if watched_since is None:
        yield unknown(window.start, window.end)
        return
    if watched_since > window.start:
        yield unknown(window.start, min(watched_since, window.end))
    if known_until < window.end:
        yield unknown(max(known_until, window.start), window.end)
