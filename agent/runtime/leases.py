"""Repeats of firing alerts, gathered in memory, so that a repeat does not grow the journal.

Written in coarse batches, and always before a lease that the state knows would run out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.entry import LeasesRenewed

WRITE_AT_MOST_EVERY = timedelta(seconds=30)
WRITE_BEFORE = timedelta(minutes=2)
"""What a lease should still have left on the disk: time to restart and to hear the sender again."""
LEASES_AN_ENTRY_MAX = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One more word that an alert fires."""

    expires_at: datetime | None
    """Its lease; None where its source gives none."""
    heard_at: datetime
    beats: bool = False
    """Whether it is a heartbeat, of which the moment counts and not the lease."""


class Leases:
    """Repeats that the state does not know of yet, the last of each alert."""

    __slots__ = ("_repeats", "due")

    def __init__(self) -> None:
        self._repeats: dict[str, Repeat] = {}
        self.due: datetime | None = None
        """When they must be written; None while there are none."""

    def renew(self, fingerprint: str, repeat: Repeat, *, known: datetime | None) -> bool:
        """Remember a repeat; until `known` the state believes in it. True where `due` is nearer."""
        self._repeats[fingerprint] = repeat
        due = repeat.heard_at + WRITE_AT_MOST_EVERY
        if known is not None:
            due = min(known, max(due, known - WRITE_BEFORE))
        if self.due is not None and self.due <= due:
            return False
        self.due = due
        return True

    def take(self) -> list[LeasesRenewed]:
        """Everything remembered, as entries of a bounded size; nothing is left."""
        items = list(self._repeats.items())
        self._repeats = {}
        self.due = None
        return [
            _entry(items[start : start + LEASES_AN_ENTRY_MAX])
            for start in range(0, len(items), LEASES_AN_ENTRY_MAX)
        ]


def _entry(repeats: list[tuple[str, Repeat]]) -> LeasesRenewed:
    return LeasesRenewed(
        expires_at={name: each.expires_at for name, each in repeats if each.expires_at},
        beats={name: each.heard_at for name, each in repeats if each.beats},
    )
