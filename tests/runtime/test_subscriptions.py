"""Subscribed calendars: the last good copy counts, and it counts only as long as it is young."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.config.calendars.copies import FOLDER, read_copy
from agent.config.check import check
from agent.config.load import Loaded, load_config
from agent.config.schema_settings import Calendars, Settings
from agent.errors import ConfigError
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.subscriptions import Subscriptions
from tests.config.test_calendars import calendar
from tests.runtime.test_client import serving

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = calendar("DTSTART:20260304T020000Z\nDTEND:20260304T040000Z\nSUMMARY:Sale")
BETTER = calendar("DTSTART:20260305T020000Z\nDTEND:20260305T040000Z\nSUMMARY:Move")
POLICY = """\
apiVersion: watchkeeper.io/v1
kind: ChangePolicy
metadata: {name: policy}
spec:
  rules: [{name: all, when: "true", decision: allow}]
---
"""


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        """The moment that was set."""
        return self.at

    def monotonic(self) -> float:
        """Its seconds."""
        return self.at.timestamp()


class Source:
    """Somebody's calendar server, and an agent that subscribes to it."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self.text, self.status, self.etag = GOOD, 200, ""
        self.heard: list[web.Request] = []
        self.asked = 0
        self.news = asyncio.Event()
        self.clock = HandClock()
        self.registry = CollectorRegistry()
        self.folder = folder
        self._session = session
        self.settings = Settings(
            data=folder / "data",
            rules=folder / "rules",
            calendars=Calendars(allowed_hosts=["127.0.0.1"]),
        )
        metrics = ClientMetrics(self.registry)

        def client(endpoint: Endpoint) -> Client:
            return Client(session, endpoint, clock=self.clock, metrics=metrics)

        self.subscriptions = Subscriptions(folder / "data", client, self.clock, self.registry)

    def take_over(self) -> None:
        """What the agent would read anew."""
        self.asked += 1
        self.news.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the server says."""
        self.heard.append(request)
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        headers = {"ETag": self.etag} if self.etag else {}
        return web.Response(status=self.status, text=self.text, headers=headers)

    def subscribe(self, port: int, more: str = "") -> None:
        """Write the rules."""
        (self.folder / "rules").mkdir(exist_ok=True)
        (self.folder / "url").write_text(
            f"http://127.0.0.1:{port}/private-7f3a/basic.ics?key=sesame"
        )
        (self.folder / "token").write_text("tok3n\n")
        (self.folder / "rules" / "policy.yaml").write_text(
            f"{POLICY}apiVersion: watchkeeper.io/v1\nkind: Calendar\nmetadata: {{name: sales}}\n"
            f"spec:\n  urlFile: ../url\n  tokenFile: ../token\n  purposes: [freeze]\n{more}"
        )

    def load(self) -> Loaded:
        """What would come into force now."""
        return load_config(self.settings, self.clock.at)

    async def fetch(self) -> Loaded:
        """Fetch it once, and read it."""
        loaded = self.load()
        self.subscriptions.want(loaded.subscriptions)
        if await self.subscriptions.fetch(loaded.subscriptions[0]):
            self.take_over()
        return self.load()

    def fetched(self, outcome: str) -> float:
        """How often that came of a fetch."""
        labels = {"calendar": "sales", "outcome": outcome}
        return self.registry.get_sample_value("watchkeeper_calendar_fetches_total", labels) or 0


@pytest_asyncio.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with open_session() as session:
        made = Source(tmp_path, session)
        async with serving(made.answer) as port:
            made.subscribe(port)
            yield made


def summaries(loaded: Loaded) -> list[str]:
    """What the windows of its calendars are called."""
    return [window.summary for each in loaded.calendars for window in each.windows]


async def test_before_the_first_copy_nothing_is_read(source: Source) -> None:
    """The rules are in force, and the calendar is one that cannot be read; a check warns."""
    loaded = source.load()
    assert (("sales",), ()) == (loaded.config.calendars, loaded.calendars)
    assert ("calendar sales has not been fetched yet",) == loaded.problems
    (warning,) = check(source.settings).warnings
    assert "nothing runs before it is" in warning.message


async def test_a_copy_is_kept_with_its_age(source: Source) -> None:
    """Fetched with the token, once; asked for again with what its source wants to hear."""
    source.etag = '"1"'
    first = await source.fetch()
    assert ["Sale"] == summaries(first)
    assert NOW + timedelta(days=1) == first.calendars[0].fresh_until
    assert "Bearer tok3n" == source.heard[0].headers["Authorization"]
    assert "key=sesame" == source.heard[0].query_string
    source.clock.at += HOUR
    second = await source.fetch()
    assert NOW + timedelta(days=1) + HOUR == second.calendars[0].fresh_until
    assert (2, 1.0, 1.0) == (
        len(source.heard),
        source.fetched("changed"),
        source.fetched("unchanged"),
    )
    assert first.calendars[0].windows == second.calendars[0].windows
    assert 1 == source.asked, "what is as it was is not put into force anew each time"
    source.text, source.etag = BETTER, '"2"'
    assert ["Move"] == summaries(await source.fetch())
    assert 2 == source.asked


@pytest.mark.parametrize(
    ("text", "status", "outcome"),
    [
        ("<html>sign in</html>", 200, "refused"),
        (GOOD.replace("DTEND", "DTSTART"), 200, "refused"),
        (GOOD.replace("END:VCALENDAR\n", ""), 200, "refused"),
        (GOOD + "x" * 5_000_000, 200, "failed"),
        (GOOD, 404, "failed"),
        (GOOD, 302, "failed"),
        (GOOD, 304, "failed"),
        (GOOD, 401, "failed"),
    ],
)
async def test_a_bad_answer_replaces_nothing(
    source: Source, text: str, status: int, outcome: str
) -> None:
    """The copy stays and grows old, and the status says why without the secret address."""
    before = await source.fetch()
    source.text, source.status = text, status
    source.clock.at += HOUR
    assert before.calendars[0].windows == (await source.fetch()).calendars[0].windows
    assert before.calendars[0].fresh_until == source.load().calendars[0].fresh_until
    assert 1 == source.fetched(outcome)
    (problem,) = source.subscriptions.problems
    assert problem.startswith("subscribed calendar sales: ")
    assert not [word for word in ("private-7f3a", "sesame", "tok3n") if word in problem]
    source.text, source.status = BETTER, 200
    assert ["Move"] == summaries(await source.fetch())
    assert [] == source.subscriptions.problems


async def test_a_copy_that_was_damaged_is_none(source: Source) -> None:
    """Neither is one of another address."""
    await source.fetch()
    file = source.settings.data / FOLDER / "sales.copy"
    assert 0o600 == file.stat().st_mode & 0o777
    content = file.read_bytes()
    for bad in (content[:-9], content.replace(b"Sale", b"Sole"), b"", b"{}\n", b"[1]\nx"):
        file.write_bytes(bad)
        assert [] == summaries(source.load())
    file.write_bytes(content)
    assert ["Sale"] == summaries(source.load())
    assert read_copy(file.parent, "sales", "https://example.org/other.ics") is None


async def test_rules_may_fetch_only_from_hosts_that_the_operator_allows(source: Source) -> None:
    """Whoever may write a rule cannot make the agent talk to what is near it."""
    source.settings = source.settings.model_copy(update={"calendars": Calendars()})
    with pytest.raises(ConfigError, match=r"calendars\.allowed_hosts"):
        source.load()


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{purposes: [freeze]}", "exactly one of `file`, `url` and `urlFile`"),
        ("{url: 'ftp://x/a', purposes: [freeze]}", "starts with https:// or http://"),
        ("{url: 'https://me:pw@x/a', purposes: [freeze]}", "must not hold a password"),
        ("{urlFile: none, purposes: [freeze]}", 'urlFile: "none": No such file'),
        ("{url: 'http://127.0.0.1/a', tokenFile: t, purposes: [mute]}", 'no file "t"'),
        ("{url: 'http://127.0.0.1/a', every: 30s, purposes: [mute]}", "not be less than 1m"),
        ("{url: 'http://127.0.0.1/a', staleAfter: 15m, purposes: [mute]}", "more than `every`"),
        ("{file: a.ics, zone: Europe/Berln, purposes: [mute]}", 'no time zone "Europe/Berln"'),
        ("{file: a.ics, purposes: [mute], unmarked: [freeze]}", "`purposes` does not grant"),
    ],
)
async def test_what_a_document_may_not_say_is_told(source: Source, spec: str, problem: str) -> None:
    """With its place."""
    file = source.folder / "rules" / "policy.yaml"
    head = "apiVersion: watchkeeper.io/v1\nkind: Calendar\nmetadata: {name: sales}\nspec: "
    file.write_text(head + spec)
    with pytest.raises(ConfigError) as refused:
        source.load()
    told = [str(finding) for finding in refused.value.findings]
    assert any(problem in each and "policy.yaml:" in each for each in told), told


async def test_what_is_due_is_fetched_without_being_asked(source: Source) -> None:
    """Beginning when the rules subscribe to it."""
    running = asyncio.create_task(source.subscriptions.run(source.take_over))
    source.subscriptions.want(source.load().subscriptions)
    async with asyncio.timeout(10):
        await source.news.wait()
    running.cancel()
    await asyncio.wait([running])
    assert ["Sale"] == summaries(source.load())
