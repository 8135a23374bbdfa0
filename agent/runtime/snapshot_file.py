"""How a snapshot lies on the disk: a first line that says what it is, and the memory behind it.

Not here: which snapshots are kept (`snapshot`, `waypoints`).
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
from agent.runtime.folder import FILE_MODE

FORMAT = 1
SUFFIX = ".snapshot"
HEADER_BYTES_MAX = 4096


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


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots in a folder, the newest first; only looks, as beside a running agent."""
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def read_header(path: Path) -> Header:
    """What the file says of itself. Raises `SnapshotError`."""
    try:
        with path.open("rb") as file:
            return decode(Header, file.readline(HEADER_BYTES_MAX))
    except (OSError, msgspec.MsgspecError) as error:
        raise SnapshotError(f"{path}: {error}") from error


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
