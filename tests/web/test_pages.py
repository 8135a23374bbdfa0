"""Pages over HTTP: what they show, what their forms do, and what they refuse."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape

import aiohttp
import pytest
import pytest_asyncio

from agent.model.change_entries import ApprovalGiven
from agent.model.entry import IncidentAcknowledged, IncidentCommented, SilenceAdded
from agent.web.pages import page_routes
from agent.web.pages.sign_in import local_path
from agent.web.server import Listener
from tests.web.sample import HOSTILE, Sample, bad_morning, site_of, token_of

PAGES = (
    "/",
    "/?show=trouble",
    "/map",
    "/incidents",
    "/incidents?state=resolved",
    "/incidents?state=all&priority=P1&q=database",
    "/incidents/INC-1",
    "/incidents/INC-3",
    "/changes",
    "/changes?state=awaiting_approval",
    "/changes/CHG-901",
    "/changes/CHG-902",
    "/runs/RUN-901",
    "/problems",
    "/problems/PRB-1",
    "/reported",
    "/incidents/INC-1/review",
    "/silences",
    "/autonomy",
    "/login",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A client that keeps cookies and follows no redirect, and the agent that it talks to."""

    url: str
    client: aiohttp.ClientSession
    sample: Sample

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text."""
        async with self.client.get(self.url + path, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, **fields: str) -> tuple[int, str, str]:
        """Status, text, and where it sends the browser."""
        async with self.client.post(self.url + path, data=fields, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def sign_in(self, name: str) -> str:
        """Sign in; returns what every form of the session has to send."""
        await self.post("/login", token=token_of(name), next="/")
        _, text = await self.get("/incidents/INC-1")
        found = re.search(r'name="csrf_token" value="([^"]+)"', text)
        assert found is not None
        return unescape(found[1])


async def _browser(*, tokens_required: bool) -> AsyncIterator[Browser]:
    sample = await bad_morning()
    site = site_of(sample, tokens_required=tokens_required)
    listener = Listener(site, page_routes(), "127.0.0.1", 0)
    host, port = await listener.start()
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(
        cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=20)
    ) as client:
        yield Browser(f"http://{host}:{port}", client, sample)
    await listener.stop()


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """On loopback: reading needs no token."""
    async for one in _browser(tokens_required=False):
        yield one


@pytest_asyncio.fixture
async def guarded() -> AsyncIterator[Browser]:
    """Where reading needs a token, too."""
    async for one in _browser(tokens_required=True):
        yield one


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_for_a_reader(browser: Browser, path: str) -> None:
    """Each page answers with HTML, and nothing hostile in it is more than text."""
    status, text = await browser.get(path)
    assert status == 200
    assert text.lstrip().startswith("<!doctype html>")
    assert "<script>window" not in text
    assert "<img src=x" not in text
    assert "javascript:" not in re.sub(r"<dd>[^<]*</dd>", "", text)


async def test_hostile_words_are_shown_as_they_came(browser: Browser) -> None:
    """A label is neither hidden nor changed: the reader sees its very characters."""
    _, text = await browser.get("/incidents/INC-3")
    assert HOSTILE in unescape(text)


async def test_no_page_carries_script_or_style_of_its_own(browser: Browser) -> None:
    """The content security policy forbids inline code, so no page relies on it."""
    for path in PAGES:
        _, text = await browser.get(path)
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"", text) == []


async def test_an_incident_says_what_to_do_and_why(browser: Browser) -> None:
    """The page of an incident names next step, cause with evidence, and its part of the map."""
    _, text = await browser.get("/incidents/INC-1")
    for said in (
        "Acknowledge it: response is overdue",
        "CHG-902 Restart postgresql on db1",
        "Checkout API, Catalogue API rest on it",
        "down · cause",
        "did not clear within 2 min",
    ):
        assert said in unescape(text)


async def test_an_unwatched_service_is_unknown_not_up(browser: Browser) -> None:
    """Where no alert could ever tell, the front page does not claim health."""
    _, text = await browser.get("/")
    row = text[text.index("Meeting rooms") :]
    assert row.index("unknown") < row.index("</tr>")


async def test_a_missing_record_is_a_page_with_a_way_back(browser: Browser) -> None:
    """A wrong address answers 404 as a page."""
    status, text = await browser.get("/incidents/INC-99")
    assert status == 404
    assert "There is no incident" in unescape(text)


async def test_without_a_token_a_reader_is_asked_to_sign_in(guarded: Browser) -> None:
    """Where reading needs a token, every page leads to the sign-in and back."""
    async with guarded.client.get(
        guarded.url + "/incidents?state=all", allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/login?next=%2Fincidents%3Fstate%3Dall"
    status, _, location = await guarded.post(
        "/login", token=token_of("vera"), next="/incidents?state=all"
    )
    assert (status, location) == (303, "/incidents?state=all")
    status, _ = await guarded.get(location)
    assert status == 200


async def test_the_sign_in_tells_nothing_of_what_goes_on(guarded: Browser) -> None:
    """Counts in the navigation are for readers only."""
    _, text = await guarded.get("/login")
    assert "waiting for approval" not in text


async def test_a_wrong_token_is_refused_in_words(guarded: Browser) -> None:
    """A token that nobody holds opens nothing."""
    status, text, _ = await guarded.post("/login", token="wk_nobody", next="/")
    assert status == 401
    assert "unknown, or no longer valid" in text


@pytest.mark.parametrize(
    "given", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", ""]
)
def test_the_sign_in_leads_to_this_site_only(given: str) -> None:
    """An address of another site is no way on."""
    assert local_path(given) == "/"


async def test_acknowledging_takes_a_form_and_a_redirect(browser: Browser) -> None:
    """The form works without a script: POST, 303, and a page that says so."""
    csrf = await browser.sign_in("otto")
    status, _, location = await browser.post("/incidents/INC-1/acknowledge", csrf_token=csrf)
    assert (status, location) == (303, "/incidents/INC-1?done=acknowledged")
    assert browser.sample.loop.appended[-1] == IncidentAcknowledged(incident="INC-1", by="otto")
    _, text = await browser.get(location)
    assert "Acknowledged: response has begun." in text
    assert 'id="acknowledge"' not in text


async def test_a_form_without_the_sessions_word_is_refused(browser: Browser) -> None:
    """Another site cannot make a browser send our forms."""
    await browser.sign_in("otto")
    status, text, _ = await browser.post("/incidents/INC-1/acknowledge", csrf_token="guess")
    assert status == 403
    assert "<h1>Forbidden</h1>" in text
    assert not isinstance(browser.sample.loop.appended[-1], IncidentAcknowledged)


async def test_an_approval_names_exactly_what_the_page_showed(browser: Browser) -> None:
    """The form carries the digest that the approver saw, and the roles held at that moment."""
    csrf = await browser.sign_in("ada")
    _, text = await browser.get("/changes/CHG-902")
    binding = re.search(r'name="binding" value="([^"]+)"', text)
    assert binding is not None
    await browser.post(
        "/changes/CHG-902/decide",
        csrf_token=csrf,
        binding=binding[1],
        decision="approve",
        note="go",
    )
    assert browser.sample.loop.appended[-1] == ApprovalGiven(
        change="CHG-902", binding="sha256:" + "b1d2" * 16, by="ada", roles=("admin",), note="go"
    )


async def test_a_change_shows_what_check_mode_said(browser: Browser) -> None:
    """Who approves sees each task with its diff, and what nobody could check; all of it as text."""
    _, text = await browser.get("/changes/CHG-902")
    assert "of the tasks 1 would change something, 1 cannot be checked" in text
    assert f"+{HOSTILE}" in unescape(text)
    assert "service postgresql restart" in text
    assert "3 found nothing to do" in text


async def test_an_operator_sees_no_form_that_would_be_refused(browser: Browser) -> None:
    """Who may not approve is told what it needs instead."""
    await browser.sign_in("otto")
    _, text = await browser.get("/changes/CHG-902")
    assert 'value="approve"' not in text
    assert "It needs 1 × sre or admin. You hold: operator." in unescape(text)


async def test_what_the_core_refuses_is_said_on_a_page(browser: Browser) -> None:
    """A merge into itself is refused with the core's own words and a way back."""
    csrf = await browser.sign_in("otto")
    status, text, _ = await browser.post("/incidents/INC-1/merge", csrf_token=csrf, into="INC-1")
    assert status == 409
    assert 'href="/incidents/INC-1"' in text


async def test_a_silence_shows_what_it_mutes_before_it_is_added(browser: Browser) -> None:
    """Preview counts the firing alerts and adds nothing; then the same form adds it."""
    csrf = await browser.sign_in("otto")
    wish = {"matchers": 'alertname="HighErrorRate"', "hours": "2", "comment": "deployment"}
    status, text, _ = await browser.post("/silences", csrf_token=csrf, do="preview", **wish)
    assert status == 200
    assert "<strong>2</strong> firing alerts would be silent now, in INC-1" in text
    count = len(browser.sample.loop.state.silences)
    status, _, location = await browser.post("/silences", csrf_token=csrf, do="add", **wish)
    assert (status, location) == (303, "/silences?done=silenced")
    assert isinstance(browser.sample.loop.appended[-1], SilenceAdded)
    assert len(browser.sample.loop.state.silences) == count + 1


@pytest.mark.parametrize(
    ("matchers", "said"),
    [
        ('alertname=~"("', "cannot be read"),
        ('alertname=~".*"', "would silence everything"),
        ("", "at least one matcher"),
    ],
)
async def test_a_bad_silence_is_given_back_with_what_is_wrong(
    browser: Browser, matchers: str, said: str
) -> None:
    """What was typed stays in the form."""
    csrf = await browser.sign_in("otto")
    status, text, _ = await browser.post(
        "/silences", csrf_token=csrf, matchers=matchers, hours="3", comment="why", do="add"
    )
    assert status == 200
    assert said in unescape(text)
    assert 'value="3"' in text


async def test_a_stream_says_that_something_changed(browser: Browser) -> None:
    """A page that shows an incident hears of it, and not of others."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with browser.client.get(
        browser.url + "/live?topic=INC-1&topic=silences", timeout=timeout
    ) as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readuntil(b"\n\n") == b"retry: 2000\n\n"
        await browser.sample.loop.append(IncidentAcknowledged(incident="INC-2", by="otto"))
        await browser.sample.loop.append(IncidentAcknowledged(incident="INC-1", by="otto"))
        said = await stream.content.readuntil(b"\n\n")
    number = browser.sample.loop.state.last_number
    assert said == f"event: changed\ndata: {number}\n\n".encode()


async def test_new_output_of_a_run_is_news(browser: Browser) -> None:
    """A page that shows a run under way hears of its output, which is in no journal."""
    async with browser.client.get(browser.url + "/live?topic=RUN-903") as stream:
        await stream.content.readuntil(b"\n\n")
        first = await stream.content.readuntil(b"\n\n")
        last = browser.sample.history.lines[-1]
        browser.sample.history.lines.append(replace(last, number=last.number + 1, text="more"))
        second = await stream.content.readuntil(b"\n\n")
    assert first.startswith(b"event: changed\n")
    assert second.startswith(b"event: changed\n")


async def test_a_stream_needs_the_permission_to_read(guarded: Browser) -> None:
    """Nobody listens who may not read."""
    status, _ = await guarded.get("/live?topic=incidents")
    assert status == 401


async def test_old_ages_grow_with_the_clock(browser: Browser) -> None:
    """A page fetched later tells later ages: nothing is kept between two requests."""
    browser.sample.clock.pass_by(timedelta(hours=1))
    _, text = await browser.get("/incidents")
    assert "1 h 14 min" in text


async def test_files_are_served_by_name_only(browser: Browser) -> None:
    """No path leads out of what was read at start."""
    _, page = await browser.get("/")
    for href in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        status, _ = await browser.get(unescape(href))
        assert status == 200
    for path in ("/static/..%2fassets.py", "/static/vendor/NOTICE", "/static/nothing.css"):
        status, _ = await browser.get(path)
        assert status == 404


async def test_a_stream_ends_with_the_browser(browser: Browser) -> None:
    """A page that is closed leaves no feed behind."""
    async with browser.client.get(browser.url + "/live?topic=incidents") as stream:
        await stream.content.readuntil(b"\n\n")
        assert len(browser.sample.loop._feeds) == 1
    async with asyncio.timeout(5):
        while browser.sample.loop._feeds:
            await browser.sample.loop.append(IncidentAcknowledged(incident="INC-1", by="otto"))
            await asyncio.sleep(0)


async def test_a_text_of_several_lines_folds_in_the_story(browser: Browser) -> None:
    """What a look at a host attached stays a table, and does not push the story away."""
    said = IncidentCommented(incident="INC-1", by="otto", text="app1, memory:\ntotal <used>\n8 7")
    await browser.sample.loop.append(said)
    await browser.sign_in("otto")
    _, text = await browser.get("/incidents/INC-1")

    assert "<summary>app1, memory:</summary><pre>total &lt;used&gt;\n8 7</pre>" in text
