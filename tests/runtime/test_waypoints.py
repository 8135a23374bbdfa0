"""Old snapshots stay as places to begin a replay: one a week, as far as the journal goes."""

from datetime import timedelta
from pathlib import Path

from agent.core.state import State
from agent.runtime.codec import digest_of
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import read_snapshot, snapshot_paths
from agent.runtime.waypoints import WAYPOINTS_NAME
from tests.core.play import START


def numbers(folder: Path) -> list[int]:
    """The snapshots in a folder, the oldest first."""
    return sorted(int(path.stem) for path in snapshot_paths(folder))


def written(folder: Path, days: int) -> Snapshots:
    """A folder in which a snapshot was taken every day; day N is entry N."""
    snapshots = Snapshots(folder)
    for day in range(1, days + 1):
        state = State.empty()
        state.last_number, state.last_at = day, START + timedelta(days=day)
        snapshots.write(state)
    return snapshots


def test_one_a_week_stays(tmp_path: Path) -> None:
    """Beside the two that a start needs, and readable as those are."""
    written(tmp_path / "snapshots", 20)
    waypoints = tmp_path / "snapshots" / WAYPOINTS_NAME
    assert numbers(tmp_path / "snapshots") == [19, 20]
    assert numbers(waypoints) == [1, 8, 15]
    (eighth,) = [path for path in snapshot_paths(waypoints) if int(path.stem) == 8]
    state = State.empty()
    state.last_number, state.last_at = 8, START + timedelta(days=8)
    assert digest_of(read_snapshot(eighth, lambda digest: State.empty().config)) == digest_of(state)


def test_what_the_journal_does_not_follow_on_goes(tmp_path: Path) -> None:
    """A place to begin from which nothing leads on is none."""
    snapshots = written(tmp_path / "snapshots", 30)
    snapshots.waypoints.forget_before(9)
    assert numbers(tmp_path / "snapshots" / WAYPOINTS_NAME) == [15, 22]


def test_a_start_reads_none_of_them(tmp_path: Path) -> None:
    """It has the newest two, and the number behind which the journal may go is theirs."""
    snapshots = written(tmp_path / "snapshots", 20)
    assert [int(path.stem) for path in snapshots.paths()] == [20, 19]
    assert snapshots.oldest_number() == 19
