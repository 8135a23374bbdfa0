"""Make recorded.jsonl anew from real failures: `python -m deploy.demo.record` (Linux, root)."""

import asyncio
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from deploy.demo.hosts import Hosts
from deploy.demo.monitoring import Monitoring
from deploy.demo.programs import LOOPBACK
from deploy.demo.recording import RECORDED, Post

CHAPTERS = (
    ("nginx stops", "app1", "service nginx stop"),
    ("nginx returns", "app1", "service nginx start"),
    ("redis stops", "app3", "service redis-server stop"),
    ("redis returns", "app3", "service redis-server start"),
)
CHAPTER_S = 6.0
"""Alerts fire, and end, within four."""


class Receiver:
    """Accepts what Prometheus posts and notes it under the running chapter."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self._chapter = ""
        self._began = datetime.now(UTC)

    def begin(self, chapter: str) -> None:
        """What comes from now on belongs to this chapter."""
        self._chapter, self._began = chapter, datetime.now(UTC)

    async def accept(self, request: web.Request) -> web.Response:
        """Note one post."""
        post = Post(
            chapter=self._chapter,
            chapter_began=self._began,
            after=datetime.now(UTC) - self._began,
            alerts=await request.json(),
        )
        self.posts.append(post)
        return web.Response()


async def record() -> list[Post]:
    """Break and mend real services, one chapter after the other; gives what was posted."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/api/v2/alerts", receiver.accept)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        address = "{}:{}".format(*runner.addresses[0])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            async with (
                Hosts(folder) as hosts,
                Monitoring(folder, hosts=hosts.all, alertmanagers=[address]),
            ):
                for chapter, host, command in CHAPTERS:
                    receiver.begin(chapter)
                    await hosts[host].run(command)
                    await asyncio.sleep(CHAPTER_S)
    finally:
        await runner.cleanup()
    return receiver.posts


def main() -> None:
    """Record and write the file."""
    with suppress(KeyboardInterrupt):
        posts = asyncio.run(record())
        RECORDED.write_text("".join(f"{post.to_line()}\n" for post in posts))
        print(f"{len(posts)} posts written to {RECORDED}")


if __name__ == "__main__":
    main()
