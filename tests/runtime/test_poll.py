"""Polls: pace, the place to go on from, and one that fails beside others that do not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.core.state import ActiveAlert, TicketSync
from agent.model.alert import Alert
from agent.model.rule import EMPTY_CONFIG, Watch
from agent.runtime.client import open_session
from agent.runtime.clock import Clock, SystemClock
from agent.runtime.metrics import EffectMetrics
from agent.runtime.poll import Take, TicketPoll, Watches
from agent.runtime.probe import Prober
from agent.runtime.standing import Standing
from connectors.prometheus import Prometheus, PrometheusOptions
from tests.runtime.agents import StillClock
from tests.runtime.edge import MemoryJournal, client, desk, serving


async def test_a_poll_goes_on_where_the_last_one_that_worked_ended() -> None:
    """An outage loses nothing: the next poll asks from the same place."""
    asked: list[str] = []
    is_down = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["since"])
        return web.Response(status=503 if is_down.is_set() else 200)

    journal, metrics = MemoryJournal(), EffectMetrics(CollectorRegistry())
    async with open_session() as session, serving(handler) as port:
        tool = desk(session, port, metrics)
        poll = TicketPoll(tool, journal, timedelta(seconds=1))
        await poll.once()
        assert asked == []
        journal.state.tickets["INC-1"] = {"tool": TicketSync()}
        await poll.once()
        await poll.once()
        assert asked == ["", "1"]
        is_down.set()
        await poll.once()
        assert "status 503" in str(tool.standing.problem("tool"))
        is_down.clear()
        await poll.once()
        assert tool.standing.problem("tool") is None
    assert asked[-1] == "2"
    assert {"2"} == set(asked[2:])


def answer(*hosts: str) -> web.Response:
    """A vector with one series a host."""
    result = [{"metric": {"host": host}, "value": [1.0, "1"]} for host in hosts]
    return web.json_response(
        {"status": "success", "data": {"resultType": "vector", "result": result}}
    )


class Taken:
    """Keeps what a watch gives to intake."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, list[tuple[str, bool]]]] = []

    async def take(self, source: str, alerts: Sequence[Alert], received_at: datetime) -> object:
        given = [(alert.labels["host"], alert.ends_at is None) for alert in alerts]
        self.alerts.append((source, given))
        return received_at


async def test_watches_fire_at_their_own_pace_and_follow_a_reload() -> None:
    """One whose query fails keeps no other waiting, and says nothing false."""
    hosts = ["app1"]

    async def handler(request: web.Request) -> web.Response:
        query = parse_qs((await request.read()).decode())["query"][0]
        if query == "bad":
            return web.json_response(
                {"status": "error", "errorType": "bad_data", "error": "x"}, status=400
            )
        return answer(*hosts)

    slow = Watch(name="Slow", query="a", labels={}, annotations={}, every=timedelta(minutes=1))
    fast = Watch(name="Fast", query="b", labels={}, annotations={}, every=timedelta(seconds=5))
    bad = Watch(name="Bad", query="bad", labels={}, annotations={})
    journal, taken, clock = MemoryJournal(), Taken(), StillClock()
    journal.state.config = replace(EMPTY_CONFIG, watches=(slow, fast, bad))
    async with open_session() as session, serving(handler) as port:
        watches = watching(client(session, port), journal, taken.take, clock)
        assert watches.due() == ["Bad", "Fast", "Slow"]
        for name in watches.due():
            await watches.once(name)
        assert taken.alerts == [("watch", [("app1", True)])] * 2
        assert watches.due() == []

        clock.move(timedelta(seconds=5))
        assert watches.due() == ["Fast"]
        hosts.clear()
        await watches.once("Fast")
        assert taken.alerts[-1] == ("watch", [("app1", False)])

        journal.state.config = replace(EMPTY_CONFIG, watches=(slow,))
        assert watches.due() == []


async def test_a_restart_ends_what_is_gone_meanwhile() -> None:
    """A watch remembers its alerts by what the state says still fires."""

    async def handler(request: web.Request) -> web.Response:
        return answer()

    watch = Watch(name="Disk", query="a", labels={}, annotations={})
    journal, taken, clock = MemoryJournal(), Taken(), StillClock()
    journal.state.config = replace(EMPTY_CONFIG, watches=(watch,))
    labels = {"alertname": "Disk", "host": "app1"}
    alert = Alert(fingerprint="f", labels=labels, annotations={}, starts_at=clock.at)
    journal.state.alerts["f"] = ActiveAlert(
        alert=alert, source="watch", heard_at=alert.starts_at, entity=None
    )
    async with open_session() as session, serving(handler) as port:
        watches = watching(client(session, port), journal, taken.take, clock)
        for name in watches.due():
            await watches.once(name)
    assert taken.alerts == [("watch", [("app1", False)])]


def watching(talk: object, journal: MemoryJournal, take: Take, clock: Clock) -> Watches:
    """The watches of a journal's rule set, asked at that client's server."""
    prober = Prober(
        source=Prometheus(PrometheusOptions()),
        client=talk,  # type: ignore[arg-type]
        standing=Standing(EffectMetrics(CollectorRegistry())),
    )
    return Watches(prober, journal, take, clock)


async def test_a_slow_query_keeps_no_other_watch_waiting() -> None:
    """Each is asked when it is due, and the slow one is not asked twice at once."""
    let, counts = asyncio.Event(), {"slow": 0, "quick": 0}
    asked_again = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        query = parse_qs((await request.read()).decode())["query"][0]
        counts[query] += 1
        if query == "slow":
            await let.wait()
        elif counts["quick"] == 3:
            asked_again.set()
        return answer()

    def named(name: str) -> Watch:
        every = timedelta(milliseconds=20)
        return Watch(name=name, query=name, labels={}, annotations={}, every=every)

    journal = MemoryJournal()
    journal.state.config = replace(EMPTY_CONFIG, watches=(named("slow"), named("quick")))
    async with open_session() as session, serving(handler) as port:
        clock = SystemClock()
        watches = watching(client(session, port), journal, Taken().take, clock)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            task = group.create_task(watches.run())
            await asked_again.wait()
            assert counts["slow"] == 1
            let.set()
            task.cancel()
