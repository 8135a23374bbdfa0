"""The metrics source against a real Prometheus that scrapes itself."""

import json
import math
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.connector import Exchange, QueryResult, Response
from agent.errors import PayloadError, PermanentError, TransientError
from agent.model.interval import Interval
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from agent.runtime.metrics import EffectMetrics
from agent.runtime.probe import Prober, selectors
from agent.runtime.standing import Standing
from connectors.prometheus import POINTS_PER_REQUEST_MAX, Prometheus, PrometheusOptions
from deploy.demo.programs import LOOPBACK, Program, answers, free_ports, missing
from tests.connectors.tape import plain_result, recorded, write

TAPES = Path(__file__).parent / "prometheus"
CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
"""
SOURCE = Prometheus(PrometheusOptions())


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a Prometheus that has scraped itself."""
    if reason := missing(("prometheus",)):
        pytest.skip(reason)
    (port,) = free_ports(1)
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.replace("PORT", str(port)))
    url = f"http://{LOOPBACK}:{port}"
    program = await Program.start(
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        log=tmp_path / "prometheus.log",
    )
    try:
        await program.until_ready(lambda: answers(f"{url}/-/ready"), limit_s=30)
        scraped = f"{url}/api/v1/query?query=up"
        await program.until_ready(lambda: _has_series(scraped), limit_s=15)
        async with open_session() as session:
            metrics = ClientMetrics(CollectorRegistry())
            endpoint = Endpoint(name="prometheus", url=url)
            yield Client(session, endpoint, clock=SystemClock(), metrics=metrics)
    finally:
        await program.stop()


def _has_series(url: str) -> bool:
    import urllib.request

    with urllib.request.urlopen(url, timeout=2) as response:
        return bool(json.load(response)["data"]["result"])


async def test_values_ranges_and_mistakes(client: Client) -> None:
    """One real server: samples as they are, gaps as gaps, its own words about a bad query."""
    up = await client.drive(SOURCE.query("up"))
    assert [(s.labels["job"], s.samples[0].value) for s in up.series] == [("self", 1.0)]
    scalar = await client.drive(SOURCE.query("scalar(up) + 1"))
    assert [series.samples[0].value for series in scalar.series] == [2.0]
    nothing = await client.drive(SOURCE.query("0 / (up * 0)"))
    assert math.isnan(nothing.series[0].samples[0].value)
    endless = await client.drive(SOURCE.query("1 / (up * 0)"))
    assert math.isinf(endless.series[0].samples[0].value)
    with pytest.raises(PermanentError, match="bad_data"):
        await client.drive(SOURCE.query("up{"))

    now = datetime.now(UTC)
    hour = Interval(now - timedelta(hours=1), now + timedelta(seconds=5))
    gaps = await client.drive(SOURCE.query_range("up", hour, timedelta(seconds=1)))
    assert 1 <= len(gaps.series[0].samples) < 60
    none = await client.drive(SOURCE.query_range("0 / (up * 0)", hour, timedelta(seconds=1)))
    assert [series.samples for series in none.series] == [()]


async def test_a_probe_knows_how_old_its_samples_are(client: Client) -> None:
    """An answer is stamped with the question's moment; its samples are older, and that counts."""
    prober = Prober(
        source=SOURCE, client=client, standing=Standing(EffectMetrics(CollectorRegistry()))
    )
    now = datetime.now(UTC)
    holds = await prober.ask("up == 1 and on(job) rate(process_cpu_seconds_total[1m]) >= 0", now)
    assert holds.holds in (True, False)
    fresh = await prober.ask("up == 1", now)
    old = await prober.ask("up offset 1ms == 1", now)
    assert (fresh.holds, old.holds) == (True, True)
    assert fresh.measured_at < datetime.now(UTC)
    assert (False, now) == _part(await prober.ask("up == 0", now))
    assert (await prober.ask("0 / (up * 0)", now)).holds is None


def _part(answer: Any) -> tuple[bool | None, datetime]:
    return answer.holds, answer.measured_at


async def test_the_tapes_are_what_prometheus_says(client: Client) -> None:
    """`UPDATE_GOLDEN=1` records them anew."""
    now = datetime.now(UTC).replace(microsecond=0)
    span = {"start": (now - timedelta(seconds=30)).isoformat(), "end": now.isoformat()}
    interval = Interval(*map(datetime.fromisoformat, span.values()))
    step = timedelta(seconds=10)
    await _keep("query", client, {"query": "up"}, SOURCE.query("up"))
    call = {"query": "up", **span, "step_s": 10}
    await _keep("query_range", client, call, SOURCE.query_range("up", interval, step))


async def _keep(
    name: str, client: Client, call: dict[str, Any], exchange: Exchange[QueryResult]
) -> None:
    turns: list[dict[str, Any]] = []
    result = await client.drive(recorded(exchange, turns))
    path = TAPES / f"{name}.exchange.json"
    if os.environ.get("UPDATE_GOLDEN"):
        head = {"tool": "Prometheus 2.42.0", "face": "prometheus", "options": {}}
        write(path, head | {"call": call, "turns": turns, "result": plain_result(result)})
    assert len(json.loads(path.read_text())["turns"]) == len(turns)


def test_a_long_range_is_asked_for_in_parts_that_do_not_overlap() -> None:
    """Ends belong to Prometheus' ranges, so a part begins one step after the one before it."""
    step = timedelta(seconds=1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    interval = Interval(start, start + step * (POINTS_PER_REQUEST_MAX + 5))
    exchange = SOURCE.query_range("up", interval, step)
    first = next(exchange)
    empty = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
    second = exchange.send(Response(status=200, body=empty))
    begins = start.timestamp()
    assert f"start={begins:.3f}&end={begins + POINTS_PER_REQUEST_MAX - 1:.3f}" in _body(first)
    assert f"start={begins + POINTS_PER_REQUEST_MAX:.3f}&end={begins + 10004:.3f}" in _body(second)
    with pytest.raises(StopIteration) as end:
        exchange.send(Response(status=200, body=empty))
    assert end.value.value == QueryResult(series=())


def _body(request: Any) -> str:
    return str(request.body.decode())


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (422, b'{"status":"error","errorType":"execution","error":"x"}', PermanentError),
        (422, b'{"status":"error","errorType":"timeout","error":"x"}', TransientError),
        (404, b"<html>", PermanentError),
        (200, b"<html>", PayloadError),
        (200, b'{"status":"success","data":{"resultType":"string","result":[]}}', PayloadError),
        (
            200,
            b'{"status":"success","data":{"resultType":"scalar","result":[1e300,"1"]}}',
            PayloadError,
        ),
    ],
)
def test_each_failure_has_its_type(status: int, body: bytes, error: type[Exception]) -> None:
    """Who must act follows from the error: nobody yet, the query's author, or the URL's."""
    exchange = SOURCE.query("up")
    next(exchange)
    with pytest.raises(error):
        exchange.send(Response(status=status, body=body))


def test_selectors_of_a_query_are_found() -> None:
    """Whatever they stand in; a query that cannot be read has none."""
    query = 'sum(rate(a{x="1"}[5m] offset 1m)) / count(b) > bool 0 unless absent(c)'
    assert selectors(query) == ['a{x="1"} offset 1m', "b", "c"]
    assert selectors("up{") == []
