"""Old snapshots, one a week: where a replay can begin when the journal's beginning is gone.

A start never reads them. Not here: when a snapshot is taken (`snapshot_schedule`), or how far back
the journal goes (`retention`).
"""

from datetime import timedelta
from pathlib import Path

from agent.runtime.folder import FOLDER_MODE
from agent.runtime.snapshot_file import SnapshotError, read_header, snapshot_paths

WAYPOINTS_NAME = "waypoints"
EVERY = timedelta(days=7)
WAYPOINTS_MAX = 60
BYTES_MAX = 64 * 1024 * 1024
"""What was remembered in a storm is larger; the next week has a smaller one."""


class Waypoints:
    """The folder of them, the newest last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def offer(self, snapshot: Path) -> None:
        """Keep a snapshot that no start needs any more if it is time for one, else let it go."""
        if self._is_due(snapshot):
            self._folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            snapshot.rename(self._folder / snapshot.name)
        else:
            snapshot.unlink()

    def forget_before(self, number: int) -> None:
        """Let go of those that the journal does not follow on any more."""
        paths = snapshot_paths(self._folder)
        for path in paths:
            if int(path.stem) < number:
                path.unlink()
        for path in paths[WAYPOINTS_MAX:]:
            path.unlink(missing_ok=True)

    def _is_due(self, snapshot: Path) -> bool:
        try:
            at = read_header(snapshot).at
            newest = next(iter(snapshot_paths(self._folder)), None)
            last = read_header(newest).at if newest else None
            is_small = snapshot.stat().st_size <= BYTES_MAX
        except (SnapshotError, OSError):
            return False
        return is_small and at is not None and (last is None or at - last >= EVERY)
