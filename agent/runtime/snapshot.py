"""Snapshots: what the agent remembers, as a file, so that a start need not replay everything.

Not here: when one is taken and by whom (`snapshot_schedule`), how a start uses it (`recovery`).
"""

import os
from pathlib import Path

from agent.core.state import State
from agent.runtime.crashpoint import reach
from agent.runtime.folder import FOLDER_MODE
from agent.runtime.snapshot_file import SUFFIX, snapshot_paths, write_file
from agent.runtime.waypoints import WAYPOINTS_NAME, Waypoints

KEPT = 2
"""The newest may be damaged; the one before it still spares the start most of the journal."""


class Snapshots:
    """The folder of snapshots, the newest last."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        self._folder = folder
        for unfinished in folder.glob("*.tmp"):
            unfinished.unlink()
        self.waypoints = Waypoints(folder / WAYPOINTS_NAME)

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
        """Let a start find what was written; of the oldest ones some stay for replays.

        Raises `OSError`.
        """
        reach("snapshot.before_replace")
        temporary.rename(temporary.with_suffix(SUFFIX))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        for old in self.paths()[KEPT:]:
            self.waypoints.offer(old)
