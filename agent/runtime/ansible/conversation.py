"""The agent's end of the talk with one supervisor.

Not here: what is said (`wire`), who listens at the other end (`supervisor`).
"""

import asyncio
import socket
import time
from collections.abc import Callable

from agent.runtime.ansible.wire import (
    CANCEL,
    MESSAGE_BYTES_MAX,
    Checked,
    Ended,
    Line,
    Started,
    decode,
)
from agent.runtime.log import logger

GOODBYE_TIMEOUT_S = 10.0

log = logger("ansible")


class Conversation:
    """Hears one run to its end; cancels it on request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._over = asyncio.Event()
        self.supervisor: int | None = None
        """Its process id; None while nothing can have been started."""

    @classmethod
    async def over(cls, ours: socket.socket) -> "Conversation":
        """Talk over this socket, which belongs to the conversation from now on."""
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MESSAGE_BYTES_MAX)
        return cls(reader, writer)

    async def listen(
        self, hear: Callable[[Line | Checked], None], *, timeout_s: float
    ) -> Ended | None:
        """The last word about the run; None when its supervisor went away without one."""
        ended: Ended | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while ended is None and (line := await self._reader.readline()).endswith(b"\n"):
                    match decode(line):
                        case Line() | Checked() as said:
                            hear(said)
                        case Started(pid=pid):
                            self.supervisor = pid
                            # How long a start took is what benchmarks and operators ask first.
                            log.info("ansible_started", pid=pid, monotonic=time.monotonic())
                        case Ended() as last:
                            ended = last
            if ended is not None:
                # Its own process is one of the run's, too: it has to be gone before we say so.
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    await self._reader.read()
        except (TimeoutError, OSError, ValueError):
            return ended
        finally:
            self._over.set()
        return ended

    def cancel(self) -> None:
        """Ask the supervisor to end the run."""
        if not self._writer.is_closing():
            self._writer.write(CANCEL)

    async def wait(self, timeout_s: float) -> None:
        """Until the run is over, at most this long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._over.wait()
        except TimeoutError:
            self.close()

    def close(self) -> None:
        """Hang up, which ends the run if it is not over."""
        self._writer.close()
