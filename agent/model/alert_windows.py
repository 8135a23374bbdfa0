"""How fast a budget may burn before somebody is called: pairs of windows with their factors.

The Google SRE workbook, chapter 5: of the budget of 30 days 2 % in an hour and 5 % in six hours are
worth waking somebody, 10 % in a day or in three are worth a ticket. The long window says that it
matters, the short one that it still goes on.
"""

from dataclasses import dataclass
from datetime import timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both windows have to burn faster than allowed; `share` of the budget is gone by then."""

    short: timedelta
    long: timedelta
    share: float

    def factor(self, period: timedelta) -> float:
        """How many times faster than evenly over the period."""
        return self.share * (period / self.long)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWindows:
    """Two pairs to be woken by, two for a ticket."""

    page: tuple[Pair, Pair]
    ticket: tuple[Pair, Pair]

    @property
    def lengths(self) -> tuple[timedelta, ...]:
        """Every window that has to be recorded, shortest first."""
        pairs = (*self.page, *self.ticket)
        return tuple(sorted({length for pair in pairs for length in (pair.short, pair.long)}))


USUAL = AlertWindows(
    page=(
        Pair(short=5 * MINUTE, long=HOUR, share=0.02),
        Pair(short=30 * MINUTE, long=6 * HOUR, share=0.05),
    ),
    ticket=(
        Pair(short=2 * HOUR, long=DAY, share=0.10),
        Pair(short=6 * HOUR, long=3 * DAY, share=0.10),
    ),
)
"""Those of the workbook, which sloth uses as well."""
