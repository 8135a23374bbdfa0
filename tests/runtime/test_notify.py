"""Notifications through Apprise to a real sink on loopback."""

import asyncio
import socket

import pytest

from agent.errors import PermanentError, TransientError
from agent.model.effect import Notify
from agent.model.incident import Priority
from agent.runtime.links import Links
from agent.runtime.notify import Notifier, Receiver, plain
from tests.servers.world import Recorder


def notify(**changes: object) -> Notify:
    content: dict[str, object] = {
        "id": "7.0",
        "receiver": "sre",
        "group": "INC-1",
        "title": "P1 shop: nginx on app1 does not answer",
        "body": "Affected: shop\nProbable cause: app1",
        "priority": Priority.P1,
        "incidents": ("INC-1",),
        "resolved": False,
    }
    return Notify(**{**content, **changes})  # type: ignore[arg-type]


def notifier(*urls: str, send_s_max: float = 10.0) -> Notifier:
    return Notifier([Receiver(name="sre", urls=lambda: urls)], send_s_max)


async def test_a_receiver_gets_title_body_and_how_bad_it_is(recorder: Recorder) -> None:
    """Apprise's JSON service posts it to a sink that truly listens."""
    to = notifier(f"json://{recorder.address}/hook")
    await to.send(notify())
    await to.send(notify(resolved=True))
    title = "P1 shop: nginx on app1 does not answer"
    got = [(each.body["title"], each.body["type"]) for each in recorder.received]
    assert [(title, "failure"), (title, "success")] == got
    assert recorder.received[0].body["message"] == "Affected: shop\nProbable cause: app1"


async def test_a_receiver_that_is_away_is_worth_another_try_and_shows_no_secret() -> None:
    """The error names the receiver, never its URL."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TransientError) as caught:
        await notifier(f"json://user:t0ken@127.0.0.1:{port}/").send(notify())
    assert str(caught.value) == "receiver sre: 1 of 1 ways failed"


async def test_a_receiver_that_says_nothing_costs_its_time_limit() -> None:
    """Nobody waits longer for a chat than for its limit."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TransientError):
        await notifier(f"json://127.0.0.1:{port}/?rto=2", send_s_max=0.5).send(notify())
    server.close()


async def test_what_the_configuration_lacks_is_final() -> None:
    """An unknown receiver and a URL of no service are mended by a person, not by trying again."""
    with pytest.raises(PermanentError, match='no receiver "nobody"'):
        await notifier().send(notify(receiver="nobody"))
    with pytest.raises(PermanentError, match="URL 0 is none of Apprise's"):
        await notifier("nosuch://t0ken").send(notify())


HOSTILE = {
    "<!channel>": "<\u200b!channel>",
    "@here": "@\u200bhere",
    "[x](javascript:alert(1))": "[x]\u200b(javascript:alert(1))",
    "![b](http://evil.example/b.png)": "![b]\u200b(http://evil.example/b.png)",
    "{html}": "{\u200bhtml}",
    "[~admin]": "[\u200b~admin]",
    "<img src=x>": "<\u200bimg src=x>",
    "a\x1b[31mred\u202e": "a[31mred",
    "a < b, mail me @ noon": "a < b, mail me @ noon",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_mentions_nobody_and_links_nowhere(text: str) -> None:
    """What a chat would act upon is broken up; what people read stays."""
    assert HOSTILE[text] == plain(text, 100)


def test_a_long_text_is_cut() -> None:
    """Services refuse what is too long, and then nobody is told."""
    assert plain("a" * 100, 4) == "aaa…"


async def test_a_message_leads_to_the_console_where_it_is_known(recorder: Recorder) -> None:
    """Who is woken finds the reasons with one touch, also where the text had to be cut."""
    urls = [f"json://{recorder.address}/hook"]
    receiver = Receiver(name="sre", urls=lambda: urls)
    to = Notifier([receiver], links=Links("https://watch.example.net/"))
    await to.send(notify(body="x" * 9_000, incidents=("INC-1", "INC-4")))
    link = "https://watch.example.net/incidents/"
    assert f"…\n\n{link}INC-1\n{link}INC-4" == recorder.received[0].body["message"][7_999:]
