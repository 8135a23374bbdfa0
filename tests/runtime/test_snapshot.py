"""Claims about snapshots: written beside the work, never ahead of the journal, or passed over."""

import asyncio
import resource
from pathlib import Path

import pytest

from agent.core.step import step
from agent.errors import PermanentError
from agent.model.entry import TimeElapsed
from agent.model.rule import EMPTY_CONFIG, Config
from agent.runtime.codec import digest_of
from agent.runtime.recovery import recover
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import SnapshotError, read_snapshot
from agent.runtime.snapshot_schedule import QUIET_S, SNAPSHOT_ALERTS, SNAPSHOT_EVERY_S
from tests.runtime.agents import Running, StillClock, alert, received, running


def _resolve(digest: str) -> Config:
    return {EMPTY_CONFIG.digest: EMPTY_CONFIG}[digest]


async def _work_until_written(agent: Running) -> Path:
    """The loop answers as ever while the child writes."""
    async with asyncio.timeout(20):
        while not agent.snapshots.paths():
            await agent.loop.append(TimeElapsed())
    return agent.snapshots.paths()[0]


async def test_one_is_written_beside_the_work_after_a_while(tmp_path: Path) -> None:
    """The child writes the state of one moment; entries behind it are the tail."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        before = await agent.loop.append(received(1))
        clock.seconds += SNAPSHOT_EVERY_S
        path = await _work_until_written(agent)
        state = read_snapshot(path, _resolve)
        assert before.entry.number == state.last_number
        again = recover(tmp_path / "watchkeeper.db", agent.snapshots, step)
        assert agent.loop.state.last_number - state.last_number == again.tail_entries
        assert digest_of(agent.loop.state) == digest_of(again.state)


async def test_many_alerts_are_not_left_to_a_replay(tmp_path: Path) -> None:
    """After a burst, silence is used to write one, long before its time has come."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        await agent.loop.append(received(*range(SNAPSHOT_ALERTS // 8)))
        assert agent.snapshots.paths() == []
        clock.seconds += QUIET_S
        await _work_until_written(agent)


async def test_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    """A flipped bit in the newest costs time, not entries, and the start says so."""
    for number in range(2):
        async with running(tmp_path) as agent:
            await agent.loop.append(received(number))
    newest, older = Snapshots(tmp_path / "snapshots").paths()
    body = bytearray(newest.read_bytes())
    body[-10] ^= 1
    newest.write_bytes(body)
    async with running(tmp_path) as agent:
        assert {alert(0).fingerprint, alert(1).fingerprint} == set(agent.loop.state.alerts)
        (reason,) = agent.recovered.unusable
        assert f"{newest}: the file is damaged" == reason
        assert agent.recovered.tail_entries > 0
    assert older.name < newest.name


async def test_entries_that_nothing_accounts_for_stop_the_start(tmp_path: Path) -> None:
    """With the beginning of the journal gone and no snapshot, nobody guesses."""
    async with running(tmp_path) as agent:
        await agent.loop.append(received(1))
        await agent.database.write(lambda c: c.execute("DELETE FROM journal WHERE number = 1"))
    for path in Snapshots(tmp_path / "snapshots").paths():
        path.unlink()
    with pytest.raises(PermanentError, match="begins with entry 2"):
        recover(tmp_path / "watchkeeper.db", Snapshots(tmp_path / "snapshots"), step)


def test_what_is_none_is_refused(tmp_path: Path) -> None:
    """Whatever the file holds, the answer is an error that names it."""
    path = tmp_path / "1.snapshot"
    for content in (b"", b"\x00\xff", b"{}\n{}", b'{"format":9,"number":1,"at":null}\n'):
        path.write_bytes(content)
        with pytest.raises(SnapshotError, match=r"1\.snapshot"):
            read_snapshot(path, _resolve)


async def test_one_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """The journal goes on and holds everything; the failure is counted."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        (tmp_path / "snapshots").rmdir()
        clock.seconds += SNAPSHOT_EVERY_S
        async with asyncio.timeout(20):
            while not agent.registry.get_sample_value("watchkeeper_snapshots_failed_total"):
                await agent.loop.append(TimeElapsed())
        last = agent.loop.state.last_number
    async with running(tmp_path, clock) as agent:
        assert last == agent.recovered.tail_entries


async def test_without_a_free_descriptor_the_work_goes_on(tmp_path: Path) -> None:
    """A snapshot needs a pipe; where there is none, only the next start takes longer."""
    clock = StillClock()
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with running(tmp_path, clock) as agent:
        await agent.loop.append(received(1))
        clock.seconds += SNAPSHOT_EVERY_S
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, allowed[1]))
        try:
            await agent.loop.append(received(2))
            answered = await agent.loop.append(received(3))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, allowed)
        failed = agent.registry.get_sample_value("watchkeeper_snapshots_failed_total")
    assert (answered.entry.number, failed) == (4, 1.0)
