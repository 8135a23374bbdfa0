"""Pages in a real browser: quiet console, inert labels, keyboard, no script, contrast, live."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from agent.model.entry import AlertsReceived, IncidentAcknowledged
from agent.web.assets import STATIC
from agent.web.pages import page_routes
from agent.web.server import Listener
from tests.web.sample import Sample, alert, bad_morning, site_of, token_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATHS = (
    "/",
    "/incidents",
    "/incidents/INC-1",
    "/incidents/INC-3",
    "/changes",
    "/changes?state=awaiting_approval",
    "/changes/CHG-902",
    "/runs/RUN-901",
    "/cab",
    "/problems",
    "/problems/PRB-1",
    "/reported",
    "/incidents/INC-1/review",
    "/silences",
)
PATIENCE_MS = 8000
TABS_MAX = 40

UNFOLD = "document.querySelectorAll('details').forEach((one) => one.open = true)"

FAINT_TEXTS = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const part = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ({ r, g, b }) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.a === 1) return colour;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    if (element.closest("svg, datalist, option")) continue;
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".unseen")) continue;
    const [light, dark] = [
      luminance(parse(getComputedStyle(element).color)),
      luminance(behind(element)),
    ].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faint.push(`${element.className} ${element.textContent.trim()} ${ratio}`);
  }
  return faint;
}"""


@dataclass(slots=True)
class Console:
    """The sample behind a listener, and a browser to look at it with."""

    url: str
    sample: Sample
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    """Errors of pages and of their console: violations of the content security policy, too."""

    async def open(self, path: str, *, signed_in: str = "", **context: object) -> Page:
        """A new window on a page; closed with the browser."""
        window = await self.browser.new_context(**context)  # type: ignore[arg-type]
        page = await window.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        if signed_in:
            await page.goto(f"{self.url}/login?next={path}")
            await page.fill("#token", token_of(signed_in))
            await page.press("#token", "Enter")
            await page.wait_for_url(self.url + path)
        else:
            await page.goto(self.url + path)
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests here."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(CHROMIUM_ARGUMENTS)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def console(running: Browser) -> AsyncIterator[Console]:
    """A fresh sample for each test."""
    sample = await bad_morning()
    listener = Listener(site_of(sample), page_routes(), "127.0.0.1", 0)
    host, port = await listener.start()
    yield Console(f"http://{host}:{port}", sample, running)
    for window in running.contexts:
        await window.close()
    await listener.stop()


@pytest.mark.parametrize("width", [1280, 360])
async def test_pages_are_quiet_inert_and_fit(console: Console, width: int) -> None:
    """No error, no broken policy, no label that runs, nothing wider than the window."""
    size = {"width": width, "height": 800}
    page = await console.open("/", signed_in="ada", viewport=size)
    for path in PATHS:
        await page.goto(console.url + path)
        await page.locator("#live-status", has_text="Live").wait_for()
        assert await page.evaluate("typeof window.__xss") == "undefined", path
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, path
    assert console.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_enough(console: Console, scheme: str) -> None:
    """All text has a contrast of 4.5 to what is behind it, in light and in dark."""
    page = await console.open("/login", color_scheme=scheme)
    assert await page.evaluate(FAINT_TEXTS) == []
    page = await console.open("/", signed_in="ada", color_scheme=scheme)
    for path in PATHS:
        await page.goto(console.url + path)
        await page.evaluate(UNFOLD)
        assert await page.evaluate(FAINT_TEXTS) == [], path


async def test_the_keyboard_alone_acknowledges(console: Console) -> None:
    """Tab shows where it is, and Enter on the button acknowledges."""
    page = await console.open("/incidents/INC-1", signed_in="otto")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.keyboard.press("Enter")
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "acknowledge":
            break
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(outline) == "solid"
    await page.keyboard.press("Enter")
    await page.get_by_text("Acknowledged: response has begun.").wait_for()
    assert console.sample.loop.appended[-1] == IncidentAcknowledged(incident="INC-1", by="otto")


async def test_everything_works_without_a_script(console: Console) -> None:
    """Sign in, read and acknowledge with scripts forbidden."""
    page = await console.open("/incidents/INC-1", signed_in="otto", java_script_enabled=False)
    await page.click("#acknowledge")
    await page.get_by_text("Acknowledged: response has begun.").wait_for()
    assert await page.locator("#live-status").text_content() == "Reload to see what changed."


async def test_an_open_list_shows_a_new_incident(console: Console) -> None:
    """What happens appears on an open page without a reload, and the count with it."""
    page = await console.open("/incidents")
    await page.locator("#live-status", has_text="Live").wait_for()
    fresh = alert("RoomsDark", 0, service="meeting-rooms-7", severity="warning")
    await console.sample.loop.append(AlertsReceived(source="prometheus", alerts=(fresh,)))
    await page.locator("#row-INC-4").wait_for()
    await page.locator("#nav .count", has_text="4").first.wait_for()


async def test_a_run_prints_on_the_open_page(console: Console) -> None:
    """A line that Ansible prints appears by itself, and the end of the output stays in view."""
    page = await console.open("/runs/RUN-903")
    await page.locator("#live-status", has_text="Live").wait_for()
    last = console.sample.history.lines[-1]
    console.sample.history.lines.append(replace(last, number=last.number + 1, text="brand new"))
    await page.locator("#output-RUN-903", has_text="brand new").wait_for()


async def test_a_live_page_leaves_what_is_typed_alone(console: Console) -> None:
    """A change of the incident redraws it around the comment that somebody is writing."""
    page = await console.open("/incidents/INC-1", signed_in="otto")
    await page.locator("#live-status", has_text="Live").wait_for()
    await page.locator("#alerts details summary").first.click()
    await page.locator("#comment").press_sequentially("half a sen")
    await console.sample.loop.append(IncidentAcknowledged(incident="INC-1", by="ada"))
    await page.locator("#acknowledge").wait_for(state="detached")
    assert await page.input_value("#comment") == "half a sen"
    assert await page.evaluate("document.activeElement.id") == "comment"
    assert await page.locator("#alerts details[open]").count() == 1


async def test_pages_are_readable_without_the_vendor_files(
    running: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where nothing was installed the page stays live and asks for no lost file."""
    bare = tmp_path_factory.mktemp("static")
    shutil.copytree(STATIC, bare, dirs_exist_ok=True, ignore=shutil.ignore_patterns("vendor"))
    sample = await bad_morning()
    listener = Listener(site_of(sample), page_routes(bare), "127.0.0.1", 0)
    host, port = await listener.start()
    console = Console(f"http://{host}:{port}", sample, running)
    page = await console.open("/incidents/INC-1")
    await page.locator("#live-status", has_text="Live").wait_for()
    await sample.loop.append(IncidentAcknowledged(incident="INC-1", by="ada"))
    await page.get_by_text("Acknowledge it").wait_for(state="detached")
    assert console.complaints == []
    await page.context.close()
    await listener.stop()
