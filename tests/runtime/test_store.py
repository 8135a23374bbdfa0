"""Claims about the history: what was committed is found, and only what is old is let go."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.core.step import step
from agent.model.alert import EndedBy
from agent.model.entry import AlertsReceived, TimeElapsed
from agent.model.incident import IncidentState, StateInterval
from agent.model.interval import Interval
from agent.model.remediation import RunLine
from agent.model.service import Health
from agent.runtime.database import Database, connect
from agent.runtime.migrate import migrate
from agent.runtime.projection import PROJECTIONS, Rows
from agent.runtime.rebuild import rebuild
from agent.runtime.retention import Pruner, Retention
from agent.runtime.snapshot import Snapshots
from agent.runtime.store import Store
from agent.runtime.tokens import mint
from tests.runtime.agents import START, StillClock, alert, own, received, running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A new database at head."""
    migrate(tmp_path / "watchkeeper.db")
    opened = own(tmp_path / "watchkeeper.db")
    yield opened
    opened.close()


async def test_an_alert_leaves_an_incident_with_its_story(tmp_path: Path) -> None:
    """What the loop answered for is in the history at once."""
    async with running(tmp_path) as agent:
        await agent.loop.append(received(1))
        store = Store(agent.database)
        (incident,) = await store.incidents(states=[IncidentState.OPEN])
        assert incident == await store.incident(incident.id)
        assert incident == agent.loop.state.incidents[incident.id]
        assert await store.timeline(incident.id)
        assert await store.incidents(before=incident.id) == ()
        assert await store.incidents(entity="component:default/other") == ()


@pytest.mark.parametrize("identifier", ["", "INC-", "INC-x", "CHG-1", "INC-9" + "9" * 40, "\x00"])
async def test_strange_ids_are_nobody(database: Database, identifier: str) -> None:
    """An id that names nothing is answered with nothing."""
    assert await Store(database).incident(identifier) is None


async def test_an_occurrence_is_a_row_once_it_is_over(tmp_path: Path) -> None:
    """While it fires the state has it, and the history nothing; its end is written once."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        await agent.loop.append(received(1))
        store = Store(agent.database)
        assert await store.alerts_of("INC-1") == ()
        clock.move(timedelta(minutes=1))
        ended = AlertsReceived(source="test", alerts=(alert(1, resolved=True),))
        await agent.loop.append(ended)
        (record,) = await store.alerts_of("INC-1")
        assert (alert(1).fingerprint, EndedBy.RESOLVED) == (record.fingerprint, record.ended_by)


async def test_an_occurrence_that_comes_back_goes_on_in_its_row(tmp_path: Path) -> None:
    """What ended by our own guess and fires on is the same occurrence, heard of at first."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        await agent.loop.append(received(1))
        clock.move(timedelta(minutes=6))
        await agent.loop.append(TimeElapsed())
        store = Store(agent.database)
        (expired,) = await store.alerts_of("INC-1")
        again = replace(alert(1), expires_at=None)
        await agent.loop.append(AlertsReceived(source="test", alerts=(again,)))
        ended = AlertsReceived(source="test", alerts=(alert(1, resolved=True),))
        await agent.loop.append(ended)
        (over,) = await store.alerts_of("INC-2")
        assert await store.alerts_of("INC-1") == ()
        assert (EndedBy.EXPIRED, EndedBy.RESOLVED) == (expired.ended_by, over.ended_by)
        assert expired.heard_at == over.heard_at


async def test_output_is_kept_once_and_read_from_where_one_was(database: Database) -> None:
    """The same line twice is one line; `after` goes on behind it."""
    store = Store(database)
    lines = [RunLine(run="RUN-1", number=n, at=START, text=f"line {n}") for n in (1, 2, 3)]
    await store.add_output([*lines, lines[0]])
    await store.add_output(lines[:1])
    assert tuple(lines[1:]) == await store.run_output("RUN-1", after=1)
    assert await store.run_output("RUN-2") == ()


async def test_intervals_meet_the_window(database: Database) -> None:
    """Half open: one that ends where the window begins is not in it; one that lasts is."""
    hour = timedelta(hours=1)

    def down(entity: str, start: int, end: int | None) -> StateInterval:
        return StateInterval(
            entity=entity,
            start=START + start * hour,
            end=None if end is None else START + end * hour,
            health=Health.DOWN,
        )

    rows = Rows()
    rows.add(1, [down("a", 0, 1), down("a", 1, 3), down("a", 5, None), down("b", 0, 9)])
    await database.write(rows.write)
    window = Interval(START + hour, START + 6 * hour)
    found = await Store(database).intervals(["a", "c"], window)
    assert (down("a", 1, 3), down("a", 5, None)) == found


async def test_tokens_come_and_go(database: Database) -> None:
    """A record added is listed until it is removed."""
    store = Store(database)
    _, record = mint(name="ann", roles=("sre",), at=START)
    await store.add_token(record, by="anna")
    assert (record,) == await store.tokens()
    await store.remove_token(record.id, by="anna", at=START)
    assert await store.tokens() == ()


async def test_the_history_can_be_rebuilt(tmp_path: Path) -> None:
    """From empty tables the journal gives the very same rows."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        for number in range(6):
            await agent.loop.append(received(number, number + 1))
            clock.move(timedelta(minutes=2))
            await agent.loop.append(TimeElapsed())
    path = tmp_path / "watchkeeper.db"
    before = _contents(path)
    assert before["alerts"]
    assert rebuild(path, Snapshots(tmp_path / "snapshots"), step) > 0
    assert before == _contents(path)


async def test_what_is_old_goes_and_what_is_open_stays(tmp_path: Path) -> None:
    """After the retention, closed things are gone; an alert that still fires is not."""
    clock = StillClock()
    async with running(tmp_path, clock) as agent:
        forever = replace(alert(1), expires_at=None)
        await agent.loop.append(AlertsReceived(source="t", alerts=(forever, alert(2))))
        await agent.loop.append(AlertsReceived(source="t", alerts=(alert(2, resolved=True),)))
        store = Store(agent.database)
        retention = Retention(history=timedelta(days=1))
        pruner = Pruner(agent.database, agent.snapshots, clock, retention)
        assert len(await store.incidents()) == 2
        assert await pruner.prune() == 0
        clock.move(timedelta(minutes=20))
        await agent.loop.append(TimeElapsed())
        clock.at += timedelta(days=2)
        assert await pruner.prune() > 0
        (incident,) = await store.incidents()
        assert (incident.id, await store.alerts_of("INC-2")) == ("INC-1", ())
        assert [alert(1).fingerprint] == [*agent.loop.state.alerts]


async def test_the_journal_is_pruned_behind_two_snapshots_only(tmp_path: Path) -> None:
    """However old an entry is: while a start may need it, it stays; a start works afterwards."""
    clock = StillClock()
    for number in range(3):
        async with running(tmp_path, clock) as agent:
            await agent.loop.append(received(number))
    async with running(tmp_path, clock) as agent:
        pruner = Pruner(
            agent.database, agent.snapshots, clock, Retention(journal=timedelta(days=1))
        )
        clock.at += timedelta(days=2)
        behind = agent.snapshots.oldest_number()
        assert behind == await pruner.prune()
    async with running(tmp_path, clock) as agent:
        assert agent.loop.state.incident_count == 3


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(connect(path)) as connection:
        return {
            insert.table: connection.execute(
                f"SELECT * FROM {insert.table} ORDER BY {', '.join(insert.key)}"
            ).fetchall()
            for insert in PROJECTIONS
        }
