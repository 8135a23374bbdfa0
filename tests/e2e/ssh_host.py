"""A real sshd on this machine that lets one key in, as the host of a company."""

import asyncio
import getpass
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo.programs import LOOPBACK, free_ports

START_S_MAX = 10.0


@asynccontextmanager
async def ssh_host(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """Where it listens, as `user@address:port`, and the key that it lets in."""
    port = _lay_out(folder)
    sshd = await asyncio.create_subprocess_exec(
        *("/usr/sbin/sshd", "-D", "-E", f"{folder}/log", "-f", f"{folder}/sshd_config")
    )
    try:
        await _answers(port)
        yield f"{getpass.getuser()}@{LOOPBACK}:{port}", folder / "id"
    finally:
        sshd.terminate()
        await sshd.wait()


async def _answers(port: int) -> None:
    async with asyncio.timeout(START_S_MAX):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def _lay_out(folder: Path) -> int:
    folder.mkdir(mode=0o700)
    (port,) = free_ports(1)
    for name in ("host", "id"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    (folder / "sshd_config").write_text(
        f"ListenAddress {LOOPBACK}\nPort {port}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/id.pub\nStrictModes no\nPermitRootLogin yes\n"
        "UsePAM no\nPasswordAuthentication no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    return port
