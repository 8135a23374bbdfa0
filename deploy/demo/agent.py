"""The agent under demonstration: the real `watchkeeper serve` on its embedded default.

Its rules are those of this folder, with the hosts' addresses filled in; its remediations are the
ones that are shipped.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.demo.hosts import Hosts
from deploy.demo.programs import LOOPBACK, READY_S_MAX, Program, answers

HERE = Path(__file__).parent
REMEDIATIONS = HERE.parent.parent / "remediations"
COMMAND = Path(sys.executable).parent / "watchkeeper"


class Agent:
    """A running agent, from `async with` to its end; `address` is the HOST:PORT it shall have."""

    def __init__(self, folder: Path, *, address: str, hosts: Hosts, prometheus_url: str) -> None:
        self._folder = folder
        self._hosts = hosts
        self._prometheus_url = prometheus_url
        self._running = AsyncExitStack()
        self.address = address
        self.url = f"http://{address}"
        self.log = folder / "watchkeeper.log"

    async def __aenter__(self) -> Self:
        """Start it; raises NotReadyError."""
        settings = self._write_settings()
        async with AsyncExitStack() as starting:
            program = await Program.start(COMMAND, "serve", "--config", settings, log=self.log)
            starting.push_async_callback(program.stop)
            await program.until_ready(lambda: answers(f"{self.url}/-/ready"), limit_s=READY_S_MAX)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self._running.aclose()

    def _write_settings(self) -> Path:
        rules = self._folder / "rules"
        addresses = {
            f"root@{host.name}": f"root@{LOOPBACK}:{host.ssh_port}" for host in self._hosts.all
        }
        shutil.copytree(HERE / "rules", rules)
        for path in sorted((rules / "maps").glob("*.yaml")):
            path.write_text(_filled_in(path.read_text(), addresses))
        settings = {
            "listen": self.address,
            "data": str(self._folder / "data"),
            "rules": str(rules),
            "remediations": str(REMEDIATIONS),
            "prometheus": {"url": self._prometheus_url},
            "ansible": {
                "known_hosts": str(self._hosts.known_hosts),
                "private_key_file": str(self._hosts.ssh_key),
            },
        }
        path = self._folder / "config.yaml"
        path.write_text(json.dumps(settings, indent=1))
        return path


def _filled_in(text: str, addresses: Mapping[str, str]) -> str:
    for name, address in addresses.items():
        text = text.replace(name, address)
    return text
