"""Claims about what comes in: real senders, repeats, late words, silence, our own absence."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo import monitoring
from deploy.demo.monitoring import Alertmanager, Monitoring, Probe
from deploy.demo.programs import LOOPBACK, free_ports, missing
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.sender import alert, moment

REAL_S_MAX = 30.0
BUCKETS_S_MAX = 15.0
"""Expiry is exact to five seconds."""
REPEATS = 200
AWAY_S = 3.0
TOOL_S_MAX = 20
GUARD = "the-own-token-of-the-guarded-source-1234567890"
HEARTBEAT = rule("Heartbeat", "beat", {"match": 'alertname="Watchdog"', "within": "2s"})
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"


class Shop:
    """Something to look at on a port: open or closed."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Answer everybody."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def close(self) -> None:
        """Answer nobody."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An agent, what Prometheus and Alertmanager tell it about, and the folder of their doings."""

    agent: Agent
    shop: Shop

    async def down(self) -> list[dict[str, Any]]:
        """The alerts about the shop, whatever suppresses them."""
        alerts = await self.agent.get("/api/v2/alerts")
        return [each for each in alerts if each["labels"].get("service") == "shop"]

    async def states(self) -> list[str]:
        """The states of the incidents of the shop, oldest first."""
        found = await self.agent.incidents()
        return [each["state"] for each in reversed(found) if "shop" in str(each["services"])]

    async def amtool(self, *words: str) -> str:
        """What the real amtool says when it succeeds."""
        config = self.agent.company.folder / "amtool.yaml"
        config.write_text(f"basic_auth: {{username: us, password: {self.agent.admin_token}}}")
        process = await asyncio.create_subprocess_exec(
            *("amtool", *words, f"--alertmanager.url={self.agent.url}"),
            f"--http.config.file={config}",
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TOOL_S_MAX):
            output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().strip()


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """Prometheus looks at a shop once a second and tells both the agent and an Alertmanager, which
    tells the agent by webhook."""
    absent = monitoring.why_not() or monitoring.why_no_alertmanager() or missing(("amtool",))
    if absent:
        pytest.skip(absent)
    company = Company(folder=tmp_path, tokens={})
    company.found(services=("shop",))
    shop = Shop()
    await shop.open()
    probe = Probe(module="http", target=f"http://{LOOPBACK}:{shop.port}/", host="a", service="shop")
    async with Agent(company) as agent:
        hook = f"{agent.url}/api/v1/webhooks/alertmanager"
        folder = company.folder / "monitoring"
        folder.mkdir()
        async with (
            Alertmanager(folder, webhook=hook) as real,
            Monitoring(
                folder,
                hosts=(),
                alertmanagers=(company.address, real.address),
                probes=(probe,),
            ),
        ):
            yield Watched(agent=agent, shop=shop)
    await shop.close()


async def test_real_senders(watched: Watched) -> None:
    """Prometheus itself and Alertmanager's webhook say the same: one alert, one incident, and
    hardly an entry for all their repeats. A silence stops what is new, and no end of what is."""
    agent = watched.agent

    await watched.shop.close()
    for source in ("alertmanager_v2", "alertmanager"):
        await eventually(partial(_heard, agent, source), bool, limit_s=REAL_S_MAX)
    (down,) = await watched.down()
    before = await agent.entries()
    for _ in range(REPEATS):
        ends = moment(datetime.now(UTC) + timedelta(minutes=4))
        repeat = {name: down[name] for name in ("labels", "annotations", "startsAt")}
        await agent.post("/api/v2/alerts", [repeat | {"endsAt": ends}], who=None)
    grown = await agent.entries() - before
    first = await watched.states()

    silence = await watched.amtool("silence", "add", "service=shop", "--comment=known")
    await watched.shop.open()
    await eventually(watched.down, lambda seen: not seen, limit_s=REAL_S_MAX)
    await eventually(watched.states, lambda seen: seen == ["closed"], limit_s=REAL_S_MAX)
    await watched.shop.close()
    again = await eventually(watched.down, bool, limit_s=REAL_S_MAX)
    silenced = await watched.states()
    await watched.amtool("silence", "expire", silence)
    freed = await eventually(watched.states, lambda seen: len(seen) == 2, limit_s=REAL_S_MAX)

    assert first == ["open"]
    assert grown <= 5
    assert again[0]["status"]["state"] == "suppressed"
    assert silenced == ["closed"]
    assert freed == ["closed", "open"]


async def _heard(agent: Agent, source: str) -> int:
    """How many words about alerts came from this source."""
    lines = str(await agent.get("/metrics")).splitlines()
    mark = "watchkeeper_intake_alerts_total{outcome="
    ours = [line for line in lines if line.startswith(mark) and f'source="{source}"' in line]
    return int(sum(float(line.rpartition(" ")[2]) for line in ours))


async def _names(agent: Agent) -> list[str]:
    return sorted(each["labels"]["alertname"] for each in await agent.get("/api/v2/alerts"))


async def test_words_that_come_late_or_never(company: Company) -> None:
    """An end of an earlier firing does not end this one; an alert that nobody repeats ends; a
    heartbeat that falls silent is an incident, which its return resolves."""
    company.found(HEARTBEAT)
    now = datetime.now(UTC)
    began, earlier = moment(now - timedelta(minutes=1)), moment(now - timedelta(hours=1))
    soon = moment(now + timedelta(seconds=1))
    async with Agent(company) as agent:
        await agent.post("/api/v2/alerts", [alert("web", "Late", startsAt=began)])
        late = alert("web", "Late", startsAt=earlier, endsAt=moment(now - timedelta(minutes=50)))
        await agent.post("/api/v2/alerts", [late])
        await agent.post("/api/v2/alerts", [alert("web", "Lapses", endsAt=soon)])
        await agent.post("/api/v2/alerts", [alert("", "Watchdog")])
        lost = await eventually(
            lambda: _names(agent), lambda names: "HeartbeatLost" in names, limit_s=BUCKETS_S_MAX
        )
        await eventually(
            lambda: _names(agent), lambda names: "Lapses" not in names, limit_s=BUCKETS_S_MAX
        )
        incidents = await _states(agent)
        await agent.post("/api/v2/alerts", [alert("", "Watchdog")])
        back = await eventually(
            lambda: _names(agent), lambda names: "HeartbeatLost" not in names, limit_s=1
        )
        # The history follows the memory at the next commit.
        after = await eventually(
            lambda: _states(agent), lambda states: "open" not in _lost(states), limit_s=5
        )

    assert "Late" in lost
    assert back == ["Late", "Watchdog"]
    assert (_lost(incidents), _lost(after)) == (["open"], ["resolved"])


async def _states(agent: Agent) -> dict[str, str]:
    return {each["title"]: each["state"] for each in await agent.incidents()}


def _lost(states: dict[str, str]) -> list[str]:
    return [state for title, state in states.items() if "heartbeat" in title.lower()]


async def test_our_own_absence_is_unknown_and_ends_no_alert(company: Company) -> None:
    """Killed, and back after every lease ran out: what fired still fires, senders get time to
    repeat it, and the report says unknown, not up, for the time between."""
    company.found(services=("web", "calm"))
    async with Agent(company) as agent:
        lease = moment(datetime.now(UTC) + timedelta(seconds=1))
        await agent.post("/api/v2/alerts", [alert("web", "Down2", endsAt=lease)])
        await agent.kill()
    killed = datetime.now(UTC)
    await asyncio.sleep(AWAY_S)
    async with Agent(company) as agent:
        back = datetime.now(UTC)
        names, incidents = await _names(agent), await agent.incidents()
        report = await agent.get("/api/v1/reports/availability", start=moment(killed))

    rows = {each["title"]: each for each in report["services"]}
    assert names == ["Down2"]
    assert [each["state"] for each in incidents] == ["open"]
    assert rows["calm"]["unknown_s"] >= AWAY_S
    assert rows["calm"]["unknown_s"] <= (back - killed).total_seconds()
    assert rows["calm"]["down_s"] == 0


async def test_a_guarded_source_takes_its_own_token_only(company: Company) -> None:
    """Without its token nobody speaks for it; with it nobody speaks for another, or reads."""
    source = {"name": "guarded", "type": "alertmanager", "token": GUARD}
    company.found(sources=[source], tokens=[])
    body = {"version": "4", "alerts": [{"status": "firing", **alert()}]}
    shown = {"Authorization": f"Bearer {GUARD}"}
    asked: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("POST", "/api/v1/webhooks/guarded", {}),
        ("POST", "/api/v1/webhooks/guarded", shown),
        ("POST", "/api/v1/webhooks/alertmanager", shown),
        ("POST", "/api/v2/alerts", shown),
        ("GET", "/api/v2/alerts", shown),
        ("GET", "/api/v2/alerts", {}),
    )
    async with Agent(company) as agent:
        statuses = [
            (await agent.ask(how, path, who=None, headers=headers, json=body))[0]
            for how, path, headers in asked
        ]
        first_start = agent.admin_token

    assert statuses == [401, 204, 403, 403, 403, 200]
    assert first_start
