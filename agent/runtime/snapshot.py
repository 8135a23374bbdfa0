"""Snapshots: what the agent remembers, as a file, so that a start need not replay everything.

Not here: when one is taken and by whom (`snapshot_schedule`), how a start uses it (`recovery`).
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from agent.core.state import State
from agent.errors import PermanentError
from agent.model.rule import Config
from agent.runtime.codec import Resolve, decode, decode_state, encode, encode_state
from agent.runtime.crashpoint import reach
from agent.runtime.folder import FILE_MODE, FOLDER_MODE

KEPT = 2
"""The newest may be damaged; the one before it still spares the start most of the journal."""
FORMAT = 1
SUFFIX = ".snapshot"


class SnapshotError(PermanentError):
    """A snapshot cannot be used or written; the journal still holds everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of the file."""

    format: int
    number: int
    """The last entry that it takes account of."""
    at: datetime | None
    config: str
    sha256: str


class Snapshots:
    """The folder of snapshots, the newest last."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        self._folder = folder
        for unfinished in folder.glob("*.tmp"):
            unfinished.unlink()

    def paths(self) -> list[Path]:
        """What there is, the newest first."""
        return snapshot_paths(self._folder)

    def oldest_number(self) -> int | None:
        """Entries up to this one are in every snapshot; None while there are fewer than two."""
        paths = self.paths()
        return int(paths[-1].stem) if len(paths) >= KEPT else None

    def write(self, state: State) -> None:
        """Write one here and now. Raises `OSError`."""
        temporary = self.temporary(state)
        write_file(temporary, state)
        self.keep(temporary)

    def temporary(self, state: State) -> Path:
        """Where a snapshot of this state is written before it is kept."""
        return self._folder / f"{state.last_number:020d}.tmp"

    def keep(self, temporary: Path) -> None:
        """Let a start find what was written; the oldest ones go. Raises `OSError`."""
        reach("snapshot.before_replace")
        temporary.rename(temporary.with_suffix(SUFFIX))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        for old in self.paths()[KEPT:]:
            old.unlink()


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots in a folder, the newest first; only looks, as beside a running agent."""
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def read_snapshot(path: Path, resolve: Resolve) -> State:
    """The state in this file. Raises `SnapshotError` where it is damaged or of another version."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        header = decode(Header, head)
        if header.format != FORMAT:
            raise SnapshotError(f"{path}: format {header.format}, this version reads {FORMAT}")
        if hashlib.sha256(body).hexdigest() != header.sha256:
            raise SnapshotError(f"{path}: the file is damaged")
        config: Config = resolve(header.config)
        return decode_state(body, config)
    except (OSError, msgspec.MsgspecError) as error:
        raise SnapshotError(f"{path}: {error}") from error
    except KeyError as error:
        raise SnapshotError(f"{path}: its rule set {error} is gone") from error


def write_file(path: Path, state: State) -> None:
    """Write the state so that it is on the disk. Raises `OSError`."""
    body = encode_state(state)
    header = Header(
        format=FORMAT,
        number=state.last_number,
        at=state.last_at,
        config=state.config.digest,
        sha256=hashlib.sha256(body).hexdigest(),
    )
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(file, "wb") as out:
        out.write(encode(header) + b"\n")
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
