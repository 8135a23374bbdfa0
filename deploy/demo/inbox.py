"""Where the demonstration's messages go: a receiver that shows what people would be told.

Speaks what Apprise posts to `json://` addresses. To the agent it is a receiver like any other.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from pydantic import BaseModel

from deploy.demo.programs import LOOPBACK

MESSAGES_MAX = 1000


class _Posted(BaseModel):
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it would reach a person."""

    at: datetime
    title: str
    body: str


class Inbox:
    """Takes messages from `async with` to its end; `address` is the Apprise URL to send them to."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self.address = ""
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        application = web.Application()
        application.router.add_post("/", self._accept)
        runner = web.AppRunner(application, access_log=None)
        async with AsyncExitStack() as starting:
            await runner.setup()
            starting.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, 0).start()
            host, port = runner.addresses[0][:2]
            self.address = f"json://{host}:{port}/"
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        await self._running.aclose()

    def take(self) -> list[Message]:
        """What came since the last time this was asked."""
        taken, self._messages = self._messages, []
        return taken

    async def _accept(self, request: web.Request) -> web.Response:
        posted = _Posted.model_validate_json(await request.read())
        if len(self._messages) >= MESSAGES_MAX:
            raise web.HTTPServiceUnavailable(text="nobody empties this inbox")
        self._messages.append(
            Message(at=datetime.now(UTC), title=posted.title, body=posted.message)
        )
        return web.Response()
