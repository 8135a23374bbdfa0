"""The virtual clock: what will happen when, and the present moment. Nobody waits for it."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

Act = Callable[[], None]


class Agenda:
    """Acts in the order of their moments; what is put down first for a moment happens first."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._count = 0
        self._waiting: list[tuple[datetime, int, Act]] = []

    def at(self, moment: datetime, act: Act) -> None:
        """Put an act down; a moment that has passed means now."""
        self._count += 1
        heapq.heappush(self._waiting, (max(moment, self.now), self._count, act))

    def after(self, seconds: float, act: Act) -> None:
        """Put an act down for some seconds from now."""
        self.at(self.now + timedelta(seconds=seconds), act)

    def next_at(self) -> datetime | None:
        """The moment of the next act."""
        return self._waiting[0][0] if self._waiting else None

    def advance(self, moment: datetime) -> None:
        """Let time pass up to a moment; it never runs back."""
        self.now = max(self.now, moment)

    def take(self) -> Act:
        """The next act, removed; the clock stands at its moment."""
        moment, _, act = heapq.heappop(self._waiting)
        self.advance(moment)
        return act
