"""A TCP proxy that loses answers: the request arrives, its answer does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65536


@dataclass(slots=True)
class FaultyProxy:
    """Forwards to a port; the first requests whose head starts with `lose` get no answer."""

    target: int
    lose: bytes = b""
    times: int = 0
    lost: int = 0
    port: int = 0
    open_writers: set[asyncio.StreamWriter] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection; it is cut once the server has answered what is to be lost."""
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self.target)
        cut = asyncio.Event()
        self.open_writers |= {writer, upstream_writer}
        self.idle.clear()

        async def forth() -> None:
            while data := await reader.read(CHUNK_BYTES):
                if self.lost < self.times and data.startswith(self.lose):
                    self.lost += 1
                    cut.set()
                upstream_writer.write(data)
                await upstream_writer.drain()
            upstream_writer.close()

        async def back() -> None:
            while data := await upstream_reader.read(CHUNK_BYTES):
                if cut.is_set():
                    break
                writer.write(data)
                await writer.drain()
            writer.close()
            upstream_writer.close()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(forth())
                group.create_task(back())
        except* OSError:
            pass
        finally:
            self.open_writers -= {writer, upstream_writer}
            if not self.open_writers:
                self.idle.set()


@asynccontextmanager
async def faulty_proxy(target: int, *, lose: bytes, times: int = 1) -> AsyncIterator[FaultyProxy]:
    """A proxy on a free loopback port."""
    proxy = FaultyProxy(target=target, lose=lose, times=times)
    proxy.idle.set()
    server = await asyncio.start_server(proxy.serve, LOOPBACK, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for writer in list(proxy.open_writers):
            writer.close()
        await asyncio.wait_for(proxy.idle.wait(), timeout=5)
