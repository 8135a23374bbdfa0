"""What flaps in an incident, for whoever shows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """An alert that fires and clears again and again; its incident holds it as one."""

    alert: str
    """Its fingerprint."""
    name: str
    since: datetime
    changes: int
    """Changes of state, the ones that made it flapping included."""
    changed_at: tuple[datetime, ...]
    """The last of them."""
