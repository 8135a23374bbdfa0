"""Claims about the single writer: order, durability, shared commits, timers, leases."""

import asyncio
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.step import step
from agent.errors import TransientError
from agent.model.entry import (
    AlertsReceived,
    IncidentCommented,
    LeasesRenewed,
    TimeElapsed,
)
from agent.runtime.codec import digest_of
from agent.runtime.database import Database
from agent.runtime.feed import FEED_WAITING_MAX, RESYNC, Feed
from agent.runtime.loop import ENTRIES_WAITING_MAX, JournalError, Overloaded
from agent.runtime.recovery import recover
from agent.runtime.snapshot import Snapshots
from tests.runtime.agents import START, StillClock, alert, received, running


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    """A start knows every entry that was answered for, and decides on it alike."""
    async with running(tmp_path) as first:
        appended = await first.loop.append(received(1, 2))
        assert appended.entry.number == 2
        alerts = set(first.loop.state.alerts)
    async with running(tmp_path) as second:
        assert second.loop.state.alerts.keys() == alerts
        assert (await second.loop.append(received(3))).entry.number == 4


async def test_snapshot_and_tail_equal_everything(tmp_path: Path) -> None:
    """A start from the snapshot and one from the first entry remember the same."""
    async with running(tmp_path) as first:
        for number in range(5):
            await first.loop.append(received(number, number + 1))
    async with running(tmp_path) as second:
        assert second.recovered.tail_entries == 0
        await second.loop.append(received(9))
        whole = recover(tmp_path / "watchkeeper.db", Snapshots(tmp_path / "none"), step)
        assert digest_of(second.loop.state) == digest_of(whole.state)
        assert whole.tail_entries == 8


async def test_concurrent_requests_share_commits(tmp_path: Path) -> None:
    """Many appends at once need far fewer syncs than there are of them."""
    async with running(tmp_path) as agent:
        await asyncio.gather(*(agent.loop.append(received(number)) for number in range(100)))
        assert agent.database.commits < 20


async def test_time_never_runs_backwards_in_the_journal(tmp_path: Path) -> None:
    """Where a clock is set back, no entry is earlier than the one before it."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        first = await agent.loop.append(received(1))
        clock.at -= timedelta(hours=1)
        second = await agent.loop.append(received(2))
        assert first.entry.at == second.entry.at


async def test_timers_are_heard_while_a_clock_that_was_set_back_catches_up(tmp_path: Path) -> None:
    """The journal's time goes on at half its pace, says so, and then follows the clock again."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:

        def behind() -> float | None:
            return agent.registry.get_sample_value("watchkeeper_clock_behind_seconds")

        first = (await agent.loop.append(received(1))).entry
        due = agent.loop.state.next_due()
        assert due is not None
        clock.at -= timedelta(hours=1)
        assert (await agent.loop.append(received(2))).entry.at == first.at
        assert behind() == 3600.0
        with agent.loop.subscribe() as feed:
            clock.move(2 * (due - first.at))
            await agent.loop.append(received(3))
            heard = (await anext(feed)).entry
        assert (TimeElapsed, due) == (type(heard.what), heard.at)
        clock.move(timedelta(hours=2))
        assert (await agent.loop.append(received(4, at=clock.now()))).entry.at == clock.now()
        assert behind() == 0.0


async def test_too_much_waiting_is_refused_at_once(tmp_path: Path) -> None:
    """Past the bound the sender is told when to come again, and nothing of it is kept."""
    async with running(tmp_path) as agent:
        waiting = [
            asyncio.ensure_future(agent.loop.append(received(number)))
            for number in range(ENTRIES_WAITING_MAX + 1)
        ]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [
            place for place, answer in enumerate(answers) if isinstance(answer, Overloaded)
        ] == [ENTRIES_WAITING_MAX]
        refused = answers[-1]
        assert isinstance(refused, Overloaded)
        assert timedelta(seconds=1) == refused.retry_after


async def test_a_failed_commit_answers_everybody_and_ends_the_loop(tmp_path: Path) -> None:
    """When the disk keeps nothing, no caller is told otherwise, and the agent does not go on."""
    async with running(tmp_path) as agent:
        await agent.loop.append(received(1))
        await agent.database.write(lambda connection: connection.execute("PRAGMA max_page_count=1"))
        big = AlertsReceived(source="x", alerts=(alert(1, text="x" * 10_000_000),))
        answers = await asyncio.gather(
            *(agent.loop.append(what) for what in (received(2), big, received(3))),
            return_exceptions=True,
        )
        assert [JournalError] * 3 == [type(answer) for answer in answers]
        with pytest.raises(JournalError):
            await agent.loop.append(received(4))
    async with running(tmp_path) as restarted:
        assert restarted.loop.state.last_number == 3


def _fill(database: Database, gate: threading.Event) -> None:
    while True:
        database.submit(lambda _: gate.wait(10))


async def test_a_full_queue_to_the_disk_is_waited_for(tmp_path: Path) -> None:
    """Others may have filled it: what was decided is kept, and written when there is room."""
    gate = threading.Event()
    async with running(tmp_path) as agent:
        with pytest.raises(TransientError):
            _fill(agent.database, gate)
        appending = asyncio.ensure_future(agent.loop.append(received(1)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (agent.loop.state.last_number, appending.done()) == (2, False)
        gate.set()
        async with asyncio.timeout(10):
            assert (await appending).entry.number == 2


async def test_what_cannot_be_written_is_refused_before_it_is_decided(tmp_path: Path) -> None:
    """Text that is no Unicode reaches its sender as an error and leaves the state as it was."""
    async with running(tmp_path) as agent:
        broken = IncidentCommented(incident="INC-1", text="\ud800", by="ann")
        with pytest.raises(UnicodeEncodeError):
            await agent.loop.append(broken)
        assert (await agent.loop.append(received(1))).entry.number == 2


async def test_a_timer_that_is_due_becomes_an_entry(tmp_path: Path) -> None:
    """The loop itself says that the moment of a timer has come."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        with agent.loop.subscribe() as feed:
            await agent.loop.append(received(1))
            due = agent.loop.state.next_due()
            assert due is not None
            clock.move(due - clock.now())
            await agent.loop.append(received(2))
            seen = [type((await anext(feed)).entry.what) for _ in range(3)]
        assert [AlertsReceived, TimeElapsed, AlertsReceived] == seen


async def test_repeats_are_written_together_before_the_lease_runs_out(tmp_path: Path) -> None:
    """Repeats make no entries; their sum is one entry, ahead of the timer that would expire."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        appended = await agent.loop.append(received(1, 2))
        alerts = appended.entry.what.alerts
        expires_at = START + timedelta(minutes=60)
        for _ in range(100):
            for item in alerts:
                agent.loop.renew(item.fingerprint, expires_at)
        assert agent.loop.state.last_number == 2
        with agent.loop.subscribe() as feed:
            clock.move(timedelta(minutes=6))
            await agent.loop.append(received(3, at=clock.now()))
            first = (await anext(feed)).entry.what
        assert LeasesRenewed(expires_at={item.fingerprint: expires_at for item in alerts}) == first
        assert len(agent.loop.state.alerts) == 3


async def test_effects_are_handed_on_after_their_commit(tmp_path: Path) -> None:
    """Nothing is done in the world that the journal does not hold."""
    async with running(tmp_path) as agent:
        appended = await agent.loop.append(received(1))
        assert list(appended.transition.effects) == agent.performed


async def test_a_sign_of_life_is_left_while_nothing_happens(tmp_path: Path) -> None:
    """The time in which nobody watched begins at the last sign, not at the last entry."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        await agent.loop.append(received(1))
        clock.move(timedelta(minutes=1))
    async with running(tmp_path, clock) as restarted:
        assert clock.now() == restarted.recovered.last_alive


async def test_a_slow_reader_is_told_to_read_anew() -> None:
    """A feed is bounded: what a reader missed is named, and what follows it is complete."""
    feeds: set[Feed[int]] = set()
    with Feed(feeds) as feed:
        for number in range(FEED_WAITING_MAX + 1):
            feed.put(number)
        assert await anext(feed) == RESYNC
        assert await anext(feed) == FEED_WAITING_MAX
    assert set() == feeds
    assert [item async for item in feed] == []


async def test_the_journal_refuses_a_second_entry_of_one_number(tmp_path: Path) -> None:
    """Two writers of one journal cannot go unnoticed."""
    async with running(tmp_path) as agent:
        await agent.loop.append(received(1))
        with pytest.raises(sqlite3.IntegrityError):
            await agent.database.write(
                lambda connection: connection.execute("INSERT INTO journal VALUES (1, 1, 'x', '')")
            )
