"""How often one alert changed its state of late. What follows from it: `flapping`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Flap:
    """How often an alert that fired more than once changed its state of late."""

    changed_at: list[datetime]
    """Moments of its last changes, oldest first; bounded, and none is older than the window."""
    since: datetime | None = None
    """Since when it flaps; None: it does not."""
    counted: int = 0
    """How many changes in the window made it flapping."""
    changes: int = 0
    """How many changes there were since the first of those."""
    incident: str | None = None
    """The live incident that holds it as one."""
    label: str = ""
    """What it is called there."""
