"""Claims about sudden death: what was acknowledged is kept, and the named places exist."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.core.step import step
from agent.runtime.audit.log import head_of, read_events
from agent.runtime.crashpoint import CRASH_POINTS, VARIABLE
from agent.runtime.database import connect
from agent.runtime.recovery import recover
from agent.runtime.snapshot import Snapshots
from agent.verifier import verify
from tests.runtime.agents import alert, received, running

ROOT = Path(__file__).parents[2]
ACKNOWLEDGED_MAX = 300


def _appending(folder: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.runtime.journal_process", str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def _acknowledged(process: "subprocess.Popen[str]", at_most: int) -> set[str]:
    """The alerts that were answered for, until the process dies or as many as asked for."""
    assert process.stdout is not None
    seen: set[str] = set()
    for line in process.stdout:
        # The last line may have been cut by the kill.
        if line.endswith("\n"):
            seen.add(alert(int(line)).fingerprint)
        if len(seen) == at_most:
            process.kill()
    return seen


def _kept(folder: Path) -> set[str]:
    snapshots = Snapshots(folder / "snapshots")
    return set(recover(folder / "watchkeeper.db", snapshots, step).state.alerts)


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Whoever was answered finds his alert after the next start."""
    with _appending(tmp_path) as process:
        acknowledged = _acknowledged(process, ACKNOWLEDGED_MAX)
    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) >= ACKNOWLEDGED_MAX
    assert acknowledged <= _kept(tmp_path)


@pytest.mark.parametrize("point", ["loop.before_commit", "loop.after_commit"])
async def test_death_around_a_commit_loses_nothing_acknowledged(tmp_path: Path, point: str) -> None:
    """Before the commit nobody was answered; after it the entry is there, answered for or not."""
    with _appending(tmp_path, **{VARIABLE: f"{point}:20"}) as process:
        acknowledged = _acknowledged(process, 10_000)
    assert process.returncode == -signal.SIGKILL
    assert acknowledged
    assert acknowledged <= _kept(tmp_path)
    async with running(tmp_path) as agent:
        assert acknowledged <= set(agent.loop.state.alerts)


@pytest.mark.parametrize("point", ["loop.before_commit", "loop.after_commit"])
def test_death_leaves_one_audit_event_for_each_deed(tmp_path: Path, point: str) -> None:
    """Whenever it comes: events are those of the journal, one each, and the tree is in order."""
    with _appending(tmp_path, **{VARIABLE: f"{point}:20"}) as process:
        _acknowledged(process, 10_000)
    assert process.returncode == -signal.SIGKILL
    with closing(connect(tmp_path / "watchkeeper.db")) as connection:
        deeds = connection.execute(
            "SELECT number FROM journal WHERE kind != 'AlertsReceived' AND kind != 'TimeElapsed'"
            " ORDER BY number"
        ).fetchall()
        bodies = [event.body for event in read_events(connection)]
        assert deeds == [(json.loads(body)["entry"],) for body in bodies]
        assert len(deeds) > 1
        assert head_of(connection).root == verify(bodies, ()).root


def test_every_crash_point_is_passed_in_one_place() -> None:
    """A name stands for one moment, and no name is without its place."""
    sources = [path.read_text() for path in (ROOT / "agent").rglob("*.py")]
    found = sorted(name for text in sources for name in re.findall(r'\breach\("([^"]+)"\)', text))
    assert sorted(CRASH_POINTS) == found


def test_an_unknown_crash_point_is_refused() -> None:
    """A test that asks for a place that is not there would prove nothing."""
    answer = subprocess.run(
        [sys.executable, "-c", "import agent.runtime.crashpoint"],
        cwd=ROOT,
        env={**os.environ, VARIABLE: "loop.nowhere:1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert answer.returncode != 0
    assert "unknown point 'loop.nowhere'" in answer.stderr


async def test_two_processes_with_other_hash_seeds_remember_the_same(tmp_path: Path) -> None:
    """The same journal gives the same state, down to its order, wherever it is replayed."""
    async with running(tmp_path) as agent:
        for number in range(20):
            await agent.loop.append(received(number, number + 1, number + 2))
    assert len({_replayed(tmp_path, seed) for seed in ("1", "2")}) == 1


def _replayed(folder: Path, hash_seed: str) -> str:
    """What a process with this seed remembers after all entries."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom agent.core.step import step\n"
        "from agent.runtime.codec import digest_of\nfrom agent.runtime.recovery import recover\n"
        "from agent.runtime.snapshot import Snapshots\nfolder = Path(sys.argv[1])\n"
        "found = recover(folder / 'watchkeeper.db', Snapshots(folder / 'none'), step)\n"
        "print(found.tail_entries, digest_of(found.state))"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
