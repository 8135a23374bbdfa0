"""The Alertmanager API with the clients that other people wrote: amtool and Prometheus."""

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.demo.programs import LOOPBACK, Program, free_ports, missing
from tests.web.conftest import Running

AMTOOL_S_MAX = 20
PROMETHEUS_S_MAX = 40


class Amtool:
    """The real amtool, pointed at an agent."""

    def __init__(self, agent: Running, folder: Path) -> None:
        self._url = agent.url
        self._config = folder / "http.yaml"
        self._config.write_text(
            yaml.safe_dump(
                {"basic_auth": {"username": "amtool", "password": agent.tokens["operator"]}}
            )
        )

    async def __call__(self, *words: str) -> str:
        """Its standard output, once it has succeeded without a word of warning."""
        code, output, errors = await self._run(*words)
        assert (words, 0, "") == (words, code, errors)
        return output

    async def refused(self, *words: str) -> str:
        """What it says when it fails."""
        code, _, errors = await self._run(*words)
        assert (words, 1) == (words, code)
        return errors

    async def _run(self, *words: str) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            "amtool",
            *words,
            f"--alertmanager.url={self._url}",
            f"--http.config.file={self._config}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(AMTOOL_S_MAX):
            output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()

    async def json(self, *words: str) -> Any:
        """Its output as data."""
        return json.loads(await self(*words, "--output=json"))


@pytest.fixture
def amtool(agent: Running, tmp_path: Path) -> Amtool:
    """amtool with the token of an operator as its password."""
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not installed: it comes with prometheus-alertmanager")
    return Amtool(agent, tmp_path)


async def test_amtool_adds_and_queries_alerts(agent: Running, amtool: Amtool) -> None:
    """`amtool alert add` fires, `alert query` finds it by every kind of matcher."""
    await amtool("alert", "add", "Down", "service=db", "--annotation=summary=it is down")
    await amtool("alert", "add", "Slow", "service=shop")
    queries: dict[Sequence[str], set[str]] = {
        (): {"Down", "Slow"},
        ("Down",): {"Down"},
        ("service=db",): {"Down"},
        ('service=~"s.*"',): {"Slow"},
        ("service!=db", 'alertname!~"D.*"'): {"Slow"},
    }
    for matchers, expected in queries.items():
        found = await amtool.json("alert", "query", *matchers)
        assert (matchers, expected) == (matchers, {a["labels"]["alertname"] for a in found})
    assert "it is down" in await amtool("alert", "query", "Down", "--output=extended")
    await amtool("alert", "add", "Down", "service=db", "--end=2020-01-01T00:00:00Z")
    assert [a["labels"]["alertname"] for a in await amtool.json("alert", "query")] == ["Slow"]


async def test_amtool_silences(agent: Running, amtool: Amtool, tmp_path: Path) -> None:
    """`amtool silence` adds, queries, updates, imports and expires."""
    await amtool("alert", "add", "Down", "service=db")
    words = ("--comment=deploy", "--author=mallory", "--duration=1h")
    identifier = (await amtool("silence", "add", "service=db", *words)).strip()
    (shown,) = await amtool.json("silence", "query")
    assert (identifier, "operator-anna") == (shown["id"], shown["createdBy"])
    assert await amtool.json("alert", "query") == []
    assert len(await amtool.json("alert", "query", "--silenced")) == 1
    assert identifier in await amtool("silence", "update", "--duration=2h", identifier)
    assert await amtool.json("silence", "query", "service=other") == []
    saved = tmp_path / "silences.json"
    saved.write_text(await amtool("silence", "query", "--output=json"))
    await amtool("silence", "expire", identifier)
    assert await amtool.json("silence", "query") == []
    assert len(await amtool.json("alert", "query")) == 1
    await amtool("silence", "import", "--force", str(saved))
    assert len(await amtool.json("silence", "query")) == 1


async def test_amtool_hears_why_not(agent: Running, amtool: Amtool) -> None:
    """What we refuse, amtool tells in our words."""
    for words, reason in ((("silence", "add", "--comment=all", "a=~.*"), "empty"),):
        assert reason in await amtool.refused(*words)


async def test_amtool_reads_status(agent: Running, amtool: Amtool) -> None:
    """`amtool config show`, `config routes show` and `cluster show` understand our status."""
    assert "oncall" in await amtool("config", "show")
    assert "oncall" in await amtool("config", "routes", "show")
    assert "disabled" in await amtool("cluster", "show")


async def test_prometheus_posts_to_us(agent: Running, tmp_path: Path) -> None:
    """A real Prometheus finds us, posts its alert, repeats it for nothing, and ends it."""
    if reason := missing(("prometheus", "setpriv")):
        pytest.skip(reason)
    (port,) = free_ports(1)
    address = f"{LOOPBACK}:{port}"
    rules = tmp_path / "rules.yaml"
    rules.write_text(_rules("vector(1)"))
    (tmp_path / "prometheus.yaml").write_text(_prometheus(str(urlsplit(agent.url).netloc)))
    program = await Program.start(
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yaml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address={address}",
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=1s",
        log=tmp_path / "prometheus.log",
    )
    try:
        async with asyncio.timeout(PROMETHEUS_S_MAX):
            (alert,) = await _until(agent, bool)
            assert alert["labels"] == {"alertname": "Always", "service": "db"}
            assert "graph" in alert["generatorURL"]
            await _until(agent, lambda _: agent.taken("repeated") > 1)
            assert agent.taken("kept") == 1
            rules.write_text(_rules("vector(1) == 0"))
            async with agent.client.post(f"http://{address}/-/reload") as reloaded:
                assert reloaded.status == 200
            await _until(agent, lambda alerts: not alerts)
    finally:
        await program.stop()


async def _until(agent: Running, accept: Callable[[list[Any]], bool]) -> list[Any]:
    while True:
        _, alerts = await agent.ask("GET", "/api/v2/alerts")
        if accept(alerts):
            return list(alerts)
        await asyncio.sleep(0.2)


def _rules(expression: str) -> str:
    rule = {"alert": "Always", "expr": expression, "labels": {"service": "db"}}
    return yaml.safe_dump({"groups": [{"name": "g", "interval": "1s", "rules": [rule]}]})


def _prometheus(alertmanager: str) -> str:
    return yaml.safe_dump(
        {
            "global": {"evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        }
    )
