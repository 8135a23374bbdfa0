"""Throw-away SSH hosts on one machine: own root, processes, name and services; no container.

    app1, app2   nginx, and behind it a checkout that needs the redis of app3
    app3         redis, shared

To Ansible and to a monitoring server they are hosts like any other. They share the machine's
network, so each listens on loopback ports of its own. Needs Linux and root.
"""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.demo.programs import (
    LOOPBACK,
    READY_S_MAX,
    Program,
    answers,
    free_ports,
    greets,
    listens,
    missing,
)

HERE = Path(__file__).parent
PROGRAMS = (
    *("setpriv", "unshare", "sshd", "ssh", "ssh-keygen", "nginx", "redis-server"),
    "prometheus-node-exporter",
)
SERVICES: Mapping[str, tuple[str, ...]] = {
    "app1": ("nginx", "checkout"),
    "app2": ("nginx", "checkout"),
    "app3": ("redis",),
}
TRIAL_S_MAX = 10
COMMAND_S_MAX = 60.0


def why_not() -> str | None:
    """Why hosts cannot be made on this machine, in a sentence; None if they can."""
    if os.uname().sysname != "Linux":
        return "throw-away hosts need Linux"
    if os.geteuid() != 0:
        return "throw-away hosts need root"
    if absent := missing(PROGRAMS):
        return absent
    trial = (
        "mount --make-rprivate / && mount -t tmpfs none /mnt && cd /mnt && mkdir u w r && "
        "mount -t overlay none -o lowerdir=/etc,upperdir=u,workdir=w r"
    )
    answer = subprocess.run(
        ["unshare", "-m", "-u", "-i", "-p", "--fork", "sh", "-c", trial],
        capture_output=True,
        text=True,
        timeout=TRIAL_S_MAX,
        check=False,
    )
    if answer.returncode != 0:
        return f"this kernel or container forbids own mounts: {answer.stderr.strip()}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One running host. Ports are on 127.0.0.1; `ssh_config` knows it by its name."""

    name: str
    services: tuple[str, ...]
    ssh_port: int
    http_port: int
    checkout_port: int
    redis_port: int
    node_port: int
    ssh_key: Path
    ssh_config: Path
    log: Path

    async def run(self, command: str) -> str:
        """Run a shell command as root over SSH; gives its standard output.

        Raises subprocess.CalledProcessError when it fails, TimeoutError after a minute.
        """
        process = await asyncio.create_subprocess_exec(
            *("ssh", "-F", str(self.ssh_config), self.name, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMMAND_S_MAX):
                out, err = await process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, out, err)
        return out.decode()

    def logins(self) -> int:
        """How many logins its sshd has accepted so far, by its own log."""
        return self.log.read_bytes().count(b"Accepted publickey")

    def is_up(self) -> bool:
        """Whether sshd and the services of the host answer."""
        checks = {
            "nginx": lambda: answers(f"http://{LOOPBACK}:{self.http_port}/"),
            "checkout": lambda: answers(f"http://{LOOPBACK}:{self.http_port}/checkout"),
            "redis": lambda: listens(self.redis_port),
        }
        return greets(self.ssh_port, b"SSH-2.0") and all(checks[name]() for name in self.services)


class Hosts:
    """The hosts app1, app2 and app3, up from `async with` to its end.

    `ssh_key`, `ssh_config` and `known_hosts` are files for whoever wants to log in. Afterwards
    nothing remains but these and one log file a host.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = AsyncExitStack()
        self.ssh_key = folder / "id"
        self.ssh_config = folder / "ssh_config"
        self.known_hosts = folder / "known_hosts"
        redis_port, *ports = free_ports(1 + 4 * len(SERVICES))
        self.all: tuple[Host, ...] = tuple(
            Host(
                name=name,
                services=services,
                ssh_port=ports.pop(),
                http_port=ports.pop(),
                checkout_port=ports.pop(),
                redis_port=redis_port,
                node_port=ports.pop(),
                ssh_key=self.ssh_key,
                ssh_config=self.ssh_config,
                log=folder / f"{name}.log",
            )
            for name, services in SERVICES.items()
        )

    def __getitem__(self, name: str) -> Host:
        """The host of this name."""
        return next(host for host in self.all if host.name == name)

    async def __aenter__(self) -> Self:
        """Start all hosts at once; raises NotReadyError, with nothing left running."""
        self._write_keys()
        async with AsyncExitStack() as starting:
            programs = [await self._start(host, starting) for host in self.all]
            for host, program in zip(self.all, programs, strict=True):
                await program.until_ready(host.is_up, limit_s=READY_S_MAX)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process of every host."""
        await self._running.aclose()

    async def _start(self, host: Host, starting: AsyncExitStack) -> Program:
        folder = self._folder / host.name
        folder.mkdir(exist_ok=True)
        program = await Program.start(
            *("unshare", "-m", "-u", "-i", "-p", "--fork", "--kill-child"),
            *("bash", HERE / "host_init.sh"),
            log=host.log,
            environment={
                "HOST_NAME": host.name,
                "FOLDER": str(folder),
                "KEYS": str(self._folder),
                "SERVICES": " ".join(host.services),
                "SSH_PORT": str(host.ssh_port),
                "HTTP_PORT": str(host.http_port),
                "CHECKOUT_PORT": str(host.checkout_port),
                "REDIS_PORT": str(host.redis_port),
                "NODE_PORT": str(host.node_port),
            },
        )
        # unshare waits for the host and heeds nothing milder
        starting.push_async_callback(program.kill)
        return program

    def _write_keys(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("id", "host"):
            key = self._folder / name
            if not key.exists():
                subprocess.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key],
                    check=True,
                    timeout=TRIAL_S_MAX,
                )
        public = (self._folder / "host.pub").read_text()
        trusted = [f"[{LOOPBACK}]:{host.ssh_port} {public}" for host in self.all]
        self.known_hosts.write_text("".join(trusted))
        everywhere = [
            "User root",
            f"HostName {LOOPBACK}",
            f"IdentityFile {self.ssh_key}",
            "IdentitiesOnly yes",
            "StrictHostKeyChecking yes",
            f"UserKnownHostsFile {self.known_hosts}",
        ]
        own = [f"Host {host.name}\n  Port {host.ssh_port}" for host in self.all]
        text = "\n".join([*own, "Host *", *(f"  {line}" for line in everywhere), ""])
        self.ssh_config.write_text(text)
