"""Repeats of firing alerts, gathered in memory, so that a repeat does not grow the journal.

Written in coarse batches, and always before a lease that the state knows would run out.
"""

from datetime import datetime, timedelta

from agent.model.entry import LeasesRenewed

WRITE_AT_MOST_EVERY = timedelta(seconds=30)
WRITE_BEFORE = timedelta(minutes=2)
"""What a lease should still have left on the disk: time to restart and to hear the sender again."""
LEASES_AN_ENTRY_MAX = 5000


class Leases:
    """Renewals that the state does not know of yet."""

    __slots__ = ("_expires_at", "due")

    def __init__(self) -> None:
        self._expires_at: dict[str, datetime] = {}
        self.due: datetime | None = None
        """When they must be written; None while there are none."""

    def renew(
        self, fingerprint: str, *, known: datetime | None, expires_at: datetime, now: datetime
    ) -> bool:
        """Remember a renewal; `known` is the lease in the state. True where `due` moved nearer."""
        self._expires_at[fingerprint] = expires_at
        due = now + WRITE_AT_MOST_EVERY
        if known is not None:
            due = min(known, max(due, known - WRITE_BEFORE))
        if self.due is not None and self.due <= due:
            return False
        self.due = due
        return True

    def take(self) -> list[LeasesRenewed]:
        """Everything remembered, as entries of a bounded size; nothing is left."""
        items = list(self._expires_at.items())
        self._expires_at = {}
        self.due = None
        return [
            LeasesRenewed(expires_at=dict(items[start : start + LEASES_AN_ENTRY_MAX]))
            for start in range(0, len(items), LEASES_AN_ENTRY_MAX)
        ]
