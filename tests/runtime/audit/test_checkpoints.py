"""Claims about checkpoints: they are made in time, reach the outside, and misfortune is said."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.config.schema_settings import Audit
from agent.errors import PermanentError
from agent.model.entry import IncidentCommented
from agent.runtime.audit.checkpoints import AGAIN_AFTER, AuditMetrics, Publisher
from agent.runtime.audit.destinations import CheckpointFile, Destination, destinations
from agent.runtime.audit.note import open_signer
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.loop import JournalError
from agent.runtime.notify import Notifier
from agent.verifier import Key, open_checkpoint, split_notes
from tests.runtime.agents import StillClock, own, running
from tests.runtime.audit.records import Log
from tests.runtime.test_client import serving


class Published:
    """A publisher on a log, looked at by hand."""

    def __init__(self, log: Log, *places: Destination, events: int = 1000) -> None:
        self.log = log
        self.clock = StillClock()
        self.registry = CollectorRegistry()
        self.database = own(log.path)
        self.publisher = Publisher(
            self.database,
            log.signer,
            places,
            clock=self.clock,
            every=timedelta(minutes=1),
            events=events,
            metrics=AuditMetrics(self.registry),
        )

    def failures(self, name: str) -> float:
        """How often a place did not take one."""
        labels = {"destination": name}
        return self.registry.get_sample_value("watchkeeper_audit_failures_total", labels) or 0.0


@asynccontextmanager
async def published(
    folder: Path, *places: Destination, events: int = 1000
) -> AsyncIterator[Published]:
    """A new log with a publisher."""
    made = Published(Log(folder), *places, events=events)
    try:
        yield made
    finally:
        made.database.close()


def sizes(path: Path, key: Key) -> list[int]:
    """Of the checkpoints in a file, each with a good signature."""
    return [open_checkpoint(note, [key]).size for note in split_notes(path.read_text())]


async def test_new_events_are_signed_within_a_minute_or_a_thousand(tmp_path: Path) -> None:
    """The first at once; then after the time, or when there are enough; never without news."""
    outside = tmp_path / "outside"
    async with published(tmp_path, CheckpointFile(path=outside), events=10) as it:
        await it.publisher.look()
        assert not outside.exists()
        it.log.add(1, is_signed=False)
        await it.publisher.look()
        it.log.add(3, is_signed=False)
        await it.publisher.look()
        assert [1] == sizes(outside, it.log.signer.key)
        it.clock.move(timedelta(minutes=1))
        await it.publisher.look()
        it.log.add(10, is_signed=False)
        await it.publisher.look()
        it.clock.move(timedelta(hours=1))
        await it.publisher.look()
        assert [1, 4, 14] == sizes(outside, it.log.signer.key)


async def test_a_place_that_was_away_gets_the_newest(tmp_path: Path) -> None:
    """It is counted and said while it is away, and over when it is back."""
    outside = tmp_path / "away" / "outside"
    async with published(tmp_path, CheckpointFile(path=outside)) as it:
        it.log.add(1, is_signed=False)
        await it.publisher.look()
        await it.publisher.look()
        assert 1 == it.failures("file")
        (problem,) = it.publisher.problems()
        assert problem.startswith("audit checkpoint not delivered to file:")
        it.clock.move(AGAIN_AFTER)
        await it.publisher.look()
        assert 2 == it.failures("file")
        outside.parent.mkdir()
        it.log.add(1, is_signed=False)
        it.clock.move(timedelta(minutes=1))
        await it.publisher.look()
        assert ([2], []) == (sizes(outside, it.log.signer.key), it.publisher.problems())
        (delivery,) = await it.publisher.deliveries()
        assert ("file", 2, it.clock.now()) == (delivery.destination, delivery.size, delivery.at)


async def test_a_webhook_gets_the_note_until_it_takes_it(tmp_path: Path) -> None:
    """By POST to the very URL, with its token; what it refused comes again."""
    taken: list[tuple[str, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        said = await request.text()
        taken.append((request.path_qs, request.headers["Authorization"], said))
        return web.Response(status=404 if len(taken) == 1 else 204)

    async with serving(take) as port, open_session() as session:
        metrics = ClientMetrics(CollectorRegistry())

        def client(endpoint: Endpoint) -> Client:
            return Client(session, endpoint, clock=StillClock(), metrics=metrics)

        wish = Audit.model_validate(
            {"webhook": {"url": f"http://127.0.0.1:{port}/keep?log=1", "token": "secret-word"}}
        )
        places = destinations(wish, client, Notifier([]))
        async with published(tmp_path, *places) as it:
            it.log.add(3, is_signed=False)
            await it.publisher.look()
            assert 1 == len(it.publisher.problems())
            it.clock.move(AGAIN_AFTER)
            await it.publisher.look()
            assert [] == it.publisher.problems()
    assert [("/keep?log=1", "Bearer secret-word")] * 2 == [(path, who) for path, who, _ in taken]
    assert 3 == open_checkpoint(taken[1][2], [it.log.signer.key]).size


async def test_a_receiver_is_told_once_a_day(tmp_path: Path) -> None:
    """And one that is not there is a problem of the status."""
    places = destinations(Audit(receivers=["auditors"]), _no_client, Notifier([]))
    async with published(tmp_path, *places) as it:
        it.log.add(1, is_signed=False)
        await it.publisher.look()
        assert [
            "audit checkpoint not delivered to receiver auditors: "
            'no receiver "auditors" is configured'
        ] == it.publisher.problems()
    assert timedelta(days=1) == places[0].every


async def test_a_backup_that_was_put_back_is_noticed(tmp_path: Path) -> None:
    """Outside there is a checkpoint of more events than there are, or of others."""
    outside = tmp_path / "outside"
    place = CheckpointFile(path=outside)
    async with published(tmp_path, place) as it:
        it.log.add(4, is_signed=False)
        await it.publisher.look()
        await it.publisher.compare()
        assert [] == it.publisher.problems()
        it.database.submit(
            lambda connection: connection.execute(
                "DELETE FROM audit_nodes WHERE level = 0 AND position = 3"
            )
        ).result()
        await it.publisher.compare()
        (problem,) = it.publisher.problems()
        assert "it knows 4 events, and there are 3 here" in problem


async def test_a_log_that_lacks_a_part_is_told_and_not_written_on(tmp_path: Path) -> None:
    """A tree with a hole cannot grow: nothing becomes durable without its event."""
    log = Log(tmp_path)
    log.add(2)
    async with running(tmp_path) as agent:
        await agent.database.write(
            lambda connection: connection.execute("DELETE FROM audit_nodes WHERE level = 1")
        )
        with pytest.raises(JournalError, match="audit log lacks node"):
            await agent.loop.append(IncidentCommented(incident="INC-1", text="hm", by="anna"))


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    """A second start signs with the same key; nobody but the owner reads it."""
    path = tmp_path / "audit.key"
    first = open_signer(path, None, may_make=True)

    assert first.verifier_key == open_signer(path, None, may_make=True).verifier_key
    assert 0o600 == path.stat().st_mode & 0o777
    assert first.key == Key.parse(first.verifier_key)
    assert "example.org/log" == open_signer(path, "example.org/log", may_make=False).key.name


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    """With its place, and how one is made."""
    path = tmp_path / "audit.key"
    with pytest.raises(PermanentError, match="no such key"):
        open_signer(path, None, may_make=False)
    path.write_text("nothing")
    with pytest.raises(PermanentError, match="openssl genpkey"):
        open_signer(path, None, may_make=True)


def _no_client(_: Endpoint) -> Client:
    raise AssertionError("nobody is asked")
