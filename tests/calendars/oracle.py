"""What a person would say who looks at a clock every minute: no rule of recurrence, no algebra.

The clock of a zone is read for each minute in UTC. A window opens in the first minute in which
the clock shows its beginning; where no minute does, since the clocks skip it, as many minutes after
the last one before as the clock would have needed. Nothing of the agent's is used here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Minutes = npt.NDArray[np.bool_]
"""For each minute of a span, whether something holds in it."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE = datetime(1970, 1, 1)  # noqa: DTZ001 a clock on the wall
MINUTE = timedelta(minutes=1)
BESIDE = timedelta(days=4)
"""Windows that begin before the span, or end after it, count as far as they lie in it."""


@dataclass(frozen=True)
class Entry:
    """A recurring window, as a person says it: on which days, from when to when."""

    days: Callable[[date], bool]
    begin: time
    length: timedelta
    """On the clock where it `ends_on_clock`, otherwise real minutes."""
    ends_on_clock: bool = True
    without: frozenset[date] = frozenset()


class Clock:
    """The clock of a zone, minute by minute, from `start` for so many days (UTC)."""

    def __init__(self, zone: str, start: datetime, length: timedelta) -> None:
        self.start, self.length = start, length
        self._origin = (start - BESIDE - EPOCH) // MINUTE
        count = (length + 2 * BESIDE) // MINUTE
        read = ZoneInfo(zone)
        first = self._origin * 60
        offsets = (datetime.fromtimestamp(first + 60 * n, read).utcoffset() for n in range(count))
        shift = np.fromiter((o // MINUTE for o in offsets if o is not None), np.int64, count)
        self._shown = np.arange(self._origin, self._origin + count) + shift
        self._low = int(self._shown.min())
        self._first = np.full(int(self._shown.max()) - self._low + 1, -1, np.int64)
        for n in range(count - 1, -1, -1):
            self._first[self._shown[n] - self._low] = n

    @property
    def changes(self) -> list[datetime]:
        """The minutes in the span in which the clock was set."""
        places = np.flatnonzero(np.diff(self._shown) != 1) + 1
        moments = (EPOCH + (self._origin + int(n)) * MINUTE for n in places)
        return [m for m in moments if self.start <= m < self.start + self.length]

    def minutes(self, entries: Iterable[Entry]) -> Minutes:
        """In which minutes of the span any of these windows is open."""
        held = np.zeros(len(self._shown), np.bool_)
        day = (self.start - BESIDE + timedelta(days=2)).date()
        last = (self.start + self.length + BESIDE - timedelta(days=2)).date()
        entries = list(entries)
        while day <= last:
            for entry in entries:
                if entry.days(day) and day not in entry.without:
                    self._mark(held, day, entry)
            day += timedelta(days=1)
        before = BESIDE // MINUTE
        return held[before : before + self.length // MINUTE]

    def _mark(self, held: Minutes, day: date, entry: Entry) -> None:
        begin = datetime.combine(day, entry.begin)
        opens = self._minute_of(begin)
        if entry.ends_on_clock:
            closes = self._minute_of(begin + entry.length)
        else:
            whole = timedelta(days=entry.length.days)
            closes = self._minute_of(begin + whole) + (entry.length - whole) // MINUTE
        held[opens:closes] = True

    def _minute_of(self, shown: datetime) -> int:
        wanted = (shown - NAIVE) // MINUTE - self._low
        place = wanted
        while self._first[place] < 0:
            place -= 1
        # The clock is put forward in the minute after the last one that it showed before.
        last = self._last_before(place) if place != wanted else int(self._first[place])
        return last + wanted - place

    def _last_before(self, place: int) -> int:
        shows = np.flatnonzero(self._shown == place + self._low)
        return int(shows[-1])


def fits(may: Minutes, length: int) -> Minutes:
    """In which minutes something that takes so many may begin: all of them must be free."""
    left = np.zeros(len(may) + 1, np.int64)
    for n in range(len(may) - 1, -1, -1):
        left[n] = left[n + 1] + 1 if may[n] else 0
    return np.asarray(left[:-1] >= length)


def next_true(fitting: Minutes) -> Sequence[int]:
    """For each minute, the first from it on that fits; the number of minutes where none does."""
    following = np.full(len(fitting) + 1, len(fitting), np.int64)
    for n in range(len(fitting) - 1, -1, -1):
        following[n] = n if fitting[n] else following[n + 1]
    return following.tolist()
