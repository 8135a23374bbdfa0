"""A look at a real Prometheus: backfilled samples become findings; what is away is unknown."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.model.effect import MeasureSignals
from agent.model.entry import SignalsMeasured
from agent.model.labels import Matcher, MatchOperator
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.signal import Signal, SignalKind, SignalSet, Unit
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from agent.runtime.look import QUERIES_AT_ONCE, Observer
from agent.runtime.metrics import EffectMetrics, LookMetrics
from agent.runtime.standing import Standing
from connectors.prometheus import Prometheus, PrometheusOptions
from deploy.demo.programs import LOOPBACK, READY_S_MAX, Program, answers, find, free_ports, missing
from tests.runtime.edge import client, serving

STEP = timedelta(minutes=1)
HISTORY = timedelta(hours=8)
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
NOTICED = END - timedelta(minutes=15)
BEGAN = NOTICED - timedelta(minutes=4)
REQUESTS_A_MINUTE = 120

RATE = 'sum(rate(seconds_sum{job="$job"}[2m])) / sum(rate(seconds_count{job="$job"}[2m]))'
SIGNALS = SignalSet(
    name="services",
    every=STEP,
    history=HISTORY,
    signals=(
        Signal(name="time", kind=SignalKind.LATENCY, unit=Unit.SECONDS, query=RATE),
        Signal(
            name="asked",
            kind=SignalKind.REQUESTS,
            unit=Unit.PER_SECOND,
            query='sum(rate(seconds_count{job="$job"}[2m]))',
        ),
    ),
)


def entity(name: str, *on: str) -> Entity:
    """A service whose job is called as it is."""
    job = Matcher(name="job", operator=MatchOperator.EQUAL, value=name)
    return Entity(ref=name, kind=EntityKind.COMPONENT, name=name, depends_on=on, metrics=(job,))


def config(*signals: Signal) -> Config:
    """A shop that rests on a cart and, so the map says, on a mail server."""
    entities = (entity("shop", "cart", "mail"), entity("cart"), entity("mail"))
    found = {each.ref: each for each in entities}
    sets = (SIGNALS, SignalSet(name="more", signals=signals, every=STEP, history=HISTORY))
    return Config(
        digest="x", service_map=ServiceMap.of(found), signals=sets if signals else sets[:1]
    )


def exposition() -> Iterator[str]:
    """Counters of the shop and the cart; the cart takes half a second longer in the incident.

    The cart's counters begin anew in the middle of the history, as after a restart.
    """
    for job, calm, slow in (("shop", 0.3, 0.8), ("cart", 0.1, 0.6)):
        for name, counts in (("seconds_sum", False), ("seconds_count", True)):
            yield f"# TYPE {name} gauge" if job == "shop" else ""
            total, at = 0.0, END - HISTORY - timedelta(hours=1)
            while at <= END:
                if job == "cart" and at == END - timedelta(hours=4):
                    total = 0.0
                each = slow if at >= BEGAN else calm * (1 + 0.02 * (at.minute % 5))
                total += REQUESTS_A_MINUTE * (1.0 if counts else each)
                yield f'{name}{{job="{job}"}} {total} {at.timestamp():.0f}'
                at += STEP


@pytest_asyncio.fixture
async def prometheus(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a real Prometheus with these samples in its past."""
    if reason := missing(("prometheus", "promtool")):
        pytest.skip(reason)
    await asyncio.to_thread(_backfill, tmp_path)
    settings = tmp_path / "prometheus.yml"
    settings.write_text("scrape_configs: []\n")
    (port,) = free_ports(1)
    program = await Program.start(
        "prometheus",
        f"--config.file={settings}",
        f"--storage.tsdb.path={tmp_path / 'db'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        log=tmp_path / "prometheus.log",
    )
    url = f"http://{LOOPBACK}:{port}"
    try:
        await program.until_ready(lambda: answers(f"{url}/-/ready"), limit_s=READY_S_MAX)
        yield url
    finally:
        await program.stop()


def _backfill(folder: Path) -> None:
    text = folder / "samples.txt"
    # families stand together, as OpenMetrics wants it
    lines = sorted((line for line in exposition() if line), key=_family)
    text.write_text("\n".join([*lines, "# EOF", ""]))
    command = (find("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, folder / "db")
    subprocess.run([str(each) for each in command], check=True, capture_output=True)


def _family(line: str) -> tuple[str, bool]:
    name = line.split()[2] if line.startswith("#") else line.partition("{")[0]
    return name, not line.startswith("#")


def asked(*entities: str) -> MeasureSignals:
    """The look that the core would ask for."""
    return MeasureSignals(
        id="1.0", incident="INC-1", entities=entities, complaints=(), start=NOTICED, end=END
    )


def observer(talk: Client) -> Observer:
    """An observer behind that client."""
    return Observer(
        source=Prometheus(PrometheusOptions()),
        client=talk,
        standing=Standing(EffectMetrics(CollectorRegistry())),
        metrics=LookMetrics(CollectorRegistry()),
    )


async def look(url: str, effect: MeasureSignals, rules: Config) -> SignalsMeasured:
    """What that look comes to at a server."""
    async with open_session() as session:
        endpoint = Endpoint(name="prometheus", url=url, timeout=timedelta(seconds=5))
        registry = ClientMetrics(CollectorRegistry())
        talk = Client(session, endpoint, clock=SystemClock(), metrics=registry)
        return await observer(talk).look(effect, rules)


async def test_a_real_prometheus_tells_who_lost_how_many_seconds(prometheus: str) -> None:
    """Half a second for each of 120 requests a minute; a restart and a silent one do no harm."""
    said = await look(prometheus, asked("shop", "cart", "mail"), config())
    lost = {each.entity: each for each in said.findings if each.kind is SignalKind.LATENCY}

    minutes = (END - BEGAN) / STEP
    for name in ("shop", "cart"):
        assert lost[name].chance > 0.99
        assert pytest.approx(0.5 * REQUESTS_A_MINUTE * minutes, rel=0.1) == lost[name].impact
    assert (("mail",), 6, "") == (said.unknown, said.queries, said.problem)


async def test_a_query_that_must_be_mended_is_named_and_spoils_nothing(prometheus: str) -> None:
    """Many series, or none that add up: that signal is left out, with the reason; others stay."""
    wide = Signal(name="wide", kind=SignalKind.RESOURCE, unit=Unit.NUMBER, query="seconds_sum")
    said = await look(prometheus, asked("shop"), config(wide))

    assert "wide: gives 2 series; aggregate them to one" == said.problem
    assert {SignalKind.LATENCY} == {each.kind for each in said.findings}


async def test_a_metrics_source_that_is_away_leaves_all_unknown() -> None:
    """No answer is no health: every entity is unknown, and the timeline will say why."""
    (port,) = free_ports(1)
    said = await look(f"http://{LOOPBACK}:{port}", asked("shop", "cart"), config())

    assert ((), ("shop", "cart")) == (said.findings, said.unknown)
    assert said.problem


async def test_queries_are_bounded_at_once() -> None:
    """A look at many entities does not fall upon the server with all queries at once."""
    now = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await request.read()
        now -= 1
        return web.json_response({"status": "success", "data": MATRIX})

    names = [f"s{number}" for number in range(40)]
    found = {name: entity(name) for name in names}
    rules = Config(digest="x", service_map=ServiceMap.of(found), signals=(SIGNALS,))
    async with open_session() as session, serving(handler) as port:
        said = await observer(client(session, port)).look(asked(*names), rules)

    assert 0 < most <= QUERIES_AT_ONCE
    assert (80, tuple(names)) == (said.queries, said.unknown)


MATRIX = {"resultType": "matrix", "result": []}
