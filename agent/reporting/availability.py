"""Availability of one service over a window: every figure is a sum over its ledger.

Availability = (agreed time - unplanned downtime) / agreed time, where agreed time is the service
time of the window less what is unknown and, by convention, less what is excused. "No data" is
never "up": beside the figure stands the range between "all unknown time was down" and "all of it
was up". Degraded time counts as up and is shown apart. Overlaps count once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.incident import StateInterval
from agent.model.interval import Interval
from agent.model.service import EntityRef, Health
from agent.reporting.ledger import Ledger, Slice, ledger


class Convention(StrEnum):
    """What excused time counts as; said on every report, for both are in use."""

    LEFT_OUT = "left_out"
    """It shortens the agreed time."""
    COUNTS_AS_UP = "counts_as_up"
    """It is agreed time in which the service was as promised (Icinga, Nagios)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One uninterrupted time of being down."""

    interval: Interval
    length: timedelta
    """Its service time: nights between service hours are left out."""
    is_excused: bool
    is_over: bool
    """False for one that lasts to the end of the window."""
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """How an entity fared in a window. All durations are real seconds inside the window."""

    entity: EntityRef
    window: Interval
    served: timedelta
    """Service time of the window: all of it, or its service hours."""
    down: timedelta
    degraded: timedelta
    excused: timedelta
    unknown: timedelta
    outages: tuple[Outage, ...]
    convention: Convention = Convention.LEFT_OUT

    @property
    def agreed(self) -> timedelta:
        """The time that the promise is about."""
        if self.convention is Convention.COUNTS_AS_UP:
            return self.served - self.unknown
        return self.served - self.excused - self.unknown

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
        return tuple(sorted(outage.length for outage in over))

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
    agreed: Sequence[Interval] | None = None,
    convention: Convention = Convention.LEFT_OUT,
) -> Availability:
    """How `entity` fared in `window`; the arguments are those of `ledger`."""
    return measure(
        ledger(
            entity,
            intervals,
            window=window,
            known_until=known_until,
            watched_since=watched_since,
            agreed=agreed,
        ),
        convention,
    )


def measure(of: Ledger, convention: Convention = Convention.LEFT_OUT) -> Availability:
    """The figures of a ledger: sums over its slices."""
    return Availability(
        entity=of.entity,
        window=of.window,
        served=sum((piece.interval.length for piece in of.slices), timedelta()),
        down=_sum(of, Health.DOWN),
        degraded=_sum(of, Health.DEGRADED),
        unknown=_sum(of, Health.UNKNOWN),
        excused=sum(
            (piece.interval.length for piece in of.slices if piece.excused_by is not None),
            timedelta(),
        ),
        outages=tuple(_outages(of)),
        convention=convention,
    )


def _sum(of: Ledger, health: Health) -> timedelta:
    return sum(
        (
            piece.interval.length
            for piece in of.slices
            if piece.health is health and piece.excused_by is None
        ),
        timedelta(),
    )


def _outages(of: Ledger) -> Iterator[Outage]:
    for run in _runs(of.slices):
        incidents = dict.fromkeys(incident for piece in run for incident in piece.incidents)
        yield Outage(
            interval=Interval(run[0].interval.start, run[-1].interval.end),
            length=sum((piece.interval.length for piece in run), timedelta()),
            is_excused=all(piece.excused_by is not None for piece in run),
            is_over=run[-1] is not of.slices[-1],
            incidents=tuple(incidents),
        )


def _runs(slices: Sequence[Slice]) -> Iterator[list[Slice]]:
    """Down slices that are one outage: they touch, or one incident lasts from one to the next."""
    run: list[Slice] = []
    for piece in slices:
        goes_on = bool(run) and (
            run[-1].interval.end == piece.interval.start
            or not set(run[-1].incidents).isdisjoint(piece.incidents)
        )
        if run and not (goes_on and piece.health is Health.DOWN):
            yield run
            run = []
        if piece.health is Health.DOWN:
            run.append(piece)
    if run:
        yield run
