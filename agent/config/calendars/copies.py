"""Copies of subscribed calendars on disk: the last good one of each, with its age.

One file holds both, so that no crash separates them; it is replaced whole. Not here: fetching
(`runtime.subscriptions`), or whether a copy is in order (`read`).
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = "calendars"
"""Below the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What was fetched last and found to be in order."""

    content: bytes
    fetched_at: datetime
    """When its source said last that it is so."""
    etag: str = ""
    modified: str = ""
    """What the source wants to hear again, to say that nothing has changed."""

    @property
    def is_conditional(self) -> bool:
        """Whether it can be asked for on the condition that it is another by now."""
        return bool(self.etag or self.modified)


def read_copy(folder: Path, name: str, url: str) -> Copy | None:
    """The copy of a calendar; None where there is none of this URL, or it is not whole."""
    try:
        head, _, content = (folder / f"{name}.copy").read_bytes().partition(b"\n")
        told = json.loads(head)
        fetched_at = datetime.fromisoformat(told["fetched_at"]).astimezone(UTC)
        is_ours = told["url"] == _digest(url.encode()) and told["content"] == _digest(content)
        etag, modified = str(told["etag"]), str(told["modified"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_ours:
        return None
    return Copy(content=content, fetched_at=fetched_at, etag=etag, modified=modified)


def write_copy(folder: Path, name: str, url: str, copy: Copy) -> None:
    """Keep a copy in place of the one before. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = {
        "url": _digest(url.encode()),
        "content": _digest(copy.content),
        "fetched_at": copy.fetched_at.isoformat(),
        "etag": copy.etag,
        "modified": copy.modified,
    }
    beside = folder / f".{name}.new"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(json.dumps(head).encode() + b"\n" + copy.content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / f"{name}.copy")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
