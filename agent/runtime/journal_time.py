"""The time of the journal: the machine's, but never running backwards.

Not here: what time it is (`clock`), or what is due (`core`).
"""

from datetime import datetime, timedelta

from agent.runtime.clock import Clock
from agent.runtime.log import logger
from agent.runtime.metrics import LoopMetrics

CATCHING_UP = 0.5
"""How fast time goes on after the machine's clock was set back, until that has caught up.

Were it to stand still, no timer would be heard; at full pace, it would stay ahead for ever."""
WORTH_A_WARNING = timedelta(seconds=1)

log = logger("journal_time")


class JournalTime:
    """Says at which moment an entry happens. Follows the machine's clock wherever it can."""

    def __init__(self, clock: Clock, metrics: LoopMetrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._set_back: tuple[datetime, float] | None = None
        """Where the journal was when that was noticed, and the monotonic seconds then."""

    def now(self, last: datetime | None) -> datetime:
        """The moment of an entry that follows one at `last`."""
        now = self._clock.now()
        if last is None or now >= last:
            if self._set_back is not None:
                self._set_back = None
                self._metrics.clock_behind.set(0)
            return now
        if self._set_back is None:
            self._set_back = last, self._clock.monotonic()
            if last - now >= WORTH_A_WARNING:
                log.warning("clock.set_back", seconds=(last - now).total_seconds())
        self._metrics.clock_behind.set((last - now).total_seconds())
        at, since = self._set_back
        return max(last, at + CATCHING_UP * timedelta(seconds=self._clock.monotonic() - since))
