"""Patience with one tool: rest after failures in a row, and never ask faster than agreed.

Both only look at the clock they are given; waiting is the caller's business.
"""

from datetime import timedelta

from agent.errors import TransientError
from agent.runtime.clock import Clock

FAILURES_MAX = 5
"""So many in a row, and the tool is left alone for a while."""
REST_FIRST_S = 2.0
REST_MAX_S = 60.0


class Breaker:
    """Open after failures in a row, for a time that each further failure doubles."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_from = 0.0

    def check(self) -> None:
        """Raises TransientError while the tool is to be left alone."""
        rest_s = self._closed_from - self._clock.monotonic()
        if rest_s > 0:
            problem = f"not asked: failed {self._failures} times in a row"
            raise TransientError(problem, timedelta(seconds=rest_s))

    def failed(self) -> None:
        """It did not answer as it should."""
        self._failures += 1
        beyond = self._failures - FAILURES_MAX
        if beyond >= 0:
            rest_s = min(REST_MAX_S, REST_FIRST_S * 2 ** min(beyond, 10))
            self._closed_from = self._clock.monotonic() + rest_s

    def answered(self) -> None:
        """It answered."""
        self._failures, self._closed_from = 0, 0.0


class Pace:
    """Hands out moments that are far enough apart; a short burst may go at once."""

    BURST = 10

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._apart_s = 1 / per_second
        self._next = 0.0

    def turn(self) -> float:
        """Seconds to wait before the next request; each call takes one turn."""
        now = self._clock.monotonic()
        self._next = max(self._next + self._apart_s, now - self.BURST * self._apart_s)
        return max(0.0, self._next - now)
