"""Nothing of the throw-away world outlives its maker."""

import asyncio
import sys
from pathlib import Path

import pytest

from deploy.demo import hosts as demo_hosts
from deploy.demo.programs import LOOPBACK, READY_S_MAX, listens, until

END_S_MAX = 10.0
MAKER = """
import asyncio, sys
from pathlib import Path
from deploy.demo.hosts import Hosts

async def main():
    async with Hosts(Path(sys.argv[1])) as hosts:
        print(*(host.node_port for host in hosts.all), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_hosts_end_with_a_killed_maker(tmp_path: Path) -> None:
    """After kill -9 of the process that made them, no host listens any more."""
    if reason := demo_hosts.why_not():
        pytest.skip(reason)
    maker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MAKER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert maker.stdout is not None
    async with asyncio.timeout(READY_S_MAX):
        ports = [int(word) for word in (await maker.stdout.readline()).split()]
    streams = [await asyncio.open_connection(LOOPBACK, port) for port in ports]

    maker.kill()
    await maker.wait()
    async with asyncio.timeout(END_S_MAX):
        last_words = [await reader.read() for reader, _ in streams]
    for _, writer in streams:
        writer.close()

    assert last_words == [b""] * len(demo_hosts.SERVICES)
    # A process that is being killed closes its connections before its listening socket.
    await until(lambda: not any(listens(port) for port in ports), limit_s=END_S_MAX)
    assert [listens(port) for port in ports] == [False] * len(ports)
