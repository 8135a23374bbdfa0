"""People told through Apprise: chat, mail, SMS and push behind one kind of URL.

At least once: what a receiver may not have got is sent again. Texts hold what came from outside,
so they go out as plain text that mentions nobody and links nowhere it did not say.
Not here: who is told what and when (`core.route`).
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from apprise import Apprise, NotifyFormat, NotifyType

from agent.errors import PermanentError, TransientError
from agent.model.effect import Notify
from agent.model.incident import Priority
from agent.runtime.links import NO_LINKS, Links

SEND_S_MAX = 30.0
THREADS = 4
TITLE_CHARS_MAX = 250
BODY_CHARS_MAX = 8_000

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_ACTIVE = re.compile(r"(@)(?=\w)|(<)(?=[!@#/a-zA-Z])|(\])(?=\()|(\[)(?=~)|(\{)(?=\w)")
"""What some chat, mail or ticket takes for a mention, a tag, a link or a macro."""
_BREAK = "\u200b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Whom a route names, and where Apprise finds them."""

    name: str
    urls: Callable[[], Sequence[str]]
    """Apprise URLs, read anew each time; they hold secrets and are never shown."""


class Notifier:
    """Sends notifications from threads of its own, each within a time limit."""

    def __init__(
        self,
        receivers: Sequence[Receiver],
        send_s_max: float = SEND_S_MAX,
        links: Links = NO_LINKS,
    ) -> None:
        self._receivers: Mapping[str, Receiver] = {each.name: each for each in receivers}
        self._send_s_max = send_s_max
        self._links = links
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="notify")

    async def send(self, notify: Notify) -> None:
        """Tell a receiver.

        Raises PermanentError where the configuration is at fault, TransientError where somebody
        may not have been told.
        """
        receiver = self._receivers.get(notify.receiver)
        if receiver is None:
            raise PermanentError(f'no receiver "{notify.receiver}" is configured')
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._send_s_max):
                await loop.run_in_executor(self._threads, self._send, receiver, notify)
        except TimeoutError:
            raise TransientError(
                f"receiver {receiver.name}: not told within {self._send_s_max:.0f} s"
            ) from None

    def stop(self) -> None:
        """Send nothing more; what is being sent ends within its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, receiver: Receiver, notify: Notify) -> None:
        apprise = Apprise()
        try:
            urls = receiver.urls()
        except OSError as error:
            problem = f"receiver {receiver.name}: its file cannot be read: {error.strerror}"
            raise PermanentError(problem) from None
        for place, url in enumerate(urls):
            if not apprise.add(url):
                raise PermanentError(f"receiver {receiver.name}: URL {place} is none of Apprise's")
        told = apprise.notify(
            title=plain(notify.title, TITLE_CHARS_MAX),
            # The links come last and are ours: nothing of them may be cut or broken.
            body=self._links.below(plain(notify.body, BODY_CHARS_MAX) or "-", notify.incidents),
            notify_type=_type(notify),
            body_format=NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=self._send_s_max,
        )
        if not told:
            # Apprise's own words hold URLs with secrets in them
            problem = f"{len(told.results) - told.success_count} of {len(urls)} ways failed"
            raise TransientError(f"receiver {receiver.name}: {problem}")


def plain(text: str, chars_max: int) -> str:
    """Text from anywhere as nothing but text, in every service that Apprise knows."""
    shown = _ACTIVE.sub(lambda found: found.group() + _BREAK, _UNSEEN.sub("", text))
    return shown if len(shown) <= chars_max else f"{shown[: chars_max - 1]}…"


def _type(notify: Notify) -> NotifyType:
    if notify.resolved:
        return NotifyType.SUCCESS
    return NotifyType.FAILURE if notify.priority <= Priority.P2 else NotifyType.WARNING
