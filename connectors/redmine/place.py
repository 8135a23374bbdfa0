"""Where a poll of Redmine goes on: what a cursor says.

Not here: what is asked for from there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far was heard."""

    at: datetime | None = None
    """The newest change that was seen."""
    journals: frozenset[int] = frozenset()
    """Those heard already of the overlap before that moment."""
    after: str = ""
    """The last key that was asked for, where everything was not yet heard once."""

    @property
    def is_first(self) -> bool:
        """Whether everything ever done is to be heard."""
        return self.at is None or self.after != ""


def read_cursor(cursor: str | None) -> Place:
    """`MOMENT ID,ID`, and ` KEY` where the first hearing is not over."""
    if not cursor:
        return Place()
    at, ids, after = (*cursor.split(" "), "")[:3]
    journals = frozenset(map(int, filter(None, ids.split(","))))
    return Place(datetime.fromisoformat(at), journals, after)


def write_cursor(at: datetime | None, journals: Collection[int], after: str | None) -> str:
    """What `read_cursor` reads; empty where nothing was there to be heard."""
    if at is None:
        return ""
    words = (at.isoformat(), ",".join(map(str, sorted(journals))), after)
    return " ".join(word for word in words if word is not None)
