"""What is remembered of a run that has to prove itself: plain data, part of `Memory`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Verifying:
    """A run is over and has to prove itself."""

    deadline: datetime
    holds_since: datetime | None = None
    ended_at: datetime
    probing: str | None = None
    """The effect id of the probe under way."""
    is_overdue: bool = False
    """A lost run whose signal has not cleared in time: a person was told, we go on looking."""
