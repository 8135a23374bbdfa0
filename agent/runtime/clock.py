"""The only reader of time: everything else is told what time it is.

Not for waiting: who waits does so with a timeout of its own.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The moment in UTC. May jump, also backwards, when the machine's clock is set."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; only differences mean something."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()
