"""The data folder: private to its owner, and one agent at a time.

Not for what lies in it: the database, snapshots and runs look after themselves.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import PermanentError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
LOCK_NAME = "lock"
DATABASE_NAME = "watchkeeper.db"


class FolderInUseError(PermanentError):
    """Another agent holds the data folder."""


@contextmanager
def hold_folder(path: Path) -> Iterator[Path]:
    """Create the folder if need be and hold it alone until the block ends.

    Raises `FolderInUseError` where another process holds it, `PermanentError` where it cannot
    be used at all.
    """
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        path.chmod(FOLDER_MODE)
        lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise PermanentError(f"the data folder {path} cannot be used: {error.strerror}") from error
    try:
        _lock(lock, path)
        yield path
    finally:
        os.close(lock)


def _lock(lock: int, path: Path) -> None:
    # A record lock belongs to this process alone: unlike flock, no child keeps it after our death.
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        raise FolderInUseError(
            f"another watchkeeper (pid {holder}) uses this folder: {path}. "
            "Stop it first, or give this one a folder of its own."
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
