"""The agent's hold on the fork server: keeps one warm, replaces a dead or outdated one.

Not here: the server's own program (`warm`), what its children do (`supervisor`).
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

import agent
from agent.config.collections import COLLECTIONS_PATH
from agent.errors import PermanentError
from agent.runtime.ansible import warm
from agent.runtime.ansible.installation import PRELOADED, PRIMED, Installation, find_installation
from agent.runtime.ansible.processes import TAG

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TZ")
"""All of the agent's environment that Ansible gets to see: the rest may hold secrets."""

log = structlog.get_logger(__name__)


class ForkServer:
    """Starts processes with Ansible already imported; falls back to a plain start."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._requests: socket.socket | None = None
        self._installation: Installation | None = None
        self._changing = asyncio.Lock()
        self.plain_starts = 0
        """How often a run had to wait for Ansible's imports, since the server was gone or stale."""

    async def start(self) -> Installation:
        """Have a server ready. Raises `PermanentError` when Ansible is not installed."""
        async with self._changing:
            if self._installation is None or not self._is_fresh():
                await self._stop()
                self._installation = await self._start(find_installation())
            return self._installation

    async def ready(self) -> Installation:
        """What a run starts with: the warm server, or a new one when it is dead or outdated."""
        if self._installation is not None and self._is_fresh():
            return self._installation
        self._count_plain_start("the fork server was gone or out of date")
        return await self.start()

    async def stop(self) -> None:
        """End the server; its children end themselves."""
        async with self._changing:
            await self._stop()

    def fork(self, *, call: str, tag: str, order: str, descriptor: int) -> bool:
        """Have `call(descriptor, order)` run in a new process that carries `tag`.

        False when the server was found dead; it may also die before it answers.
        """
        request = json.dumps({"call": call, "tag": tag, "order": order}).encode()
        if len(request) > warm.REQUEST_BYTES_MAX:
            raise PermanentError(f"the run needs {len(request)} bytes to describe: too many")
        if self._requests is None:
            return False
        try:
            socket.send_fds(self._requests, [request], [descriptor])
        except OSError:
            return False
        return True

    def _count_plain_start(self, why: str) -> None:
        self.plain_starts += 1
        log.warning("ansible.plain_start", why=why)

    def _is_fresh(self) -> bool:
        alive = self._process is not None and self._process.returncode is None
        return alive and self._installation is not None and self._installation.is_current()

    async def _start(self, installation: Installation) -> Installation:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An empty one of ours, or Ansible would look for one in the home of whoever we run as.
        (self._folder / "ansible.cfg").touch(mode=0o600)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *_command(theirs.fileno(), PRELOADED),
                env=self._environment_of(installation),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._requests = ours
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                ready = await asyncio.get_running_loop().sock_recv(ours, warm.REQUEST_BYTES_MAX)
        except TimeoutError:
            ready = b""
        if not ready:
            await self._stop()
            raise PermanentError("Ansible's fork server did not start; its error output says why")
        log.info("ansible.warm", version=installation.version, **json.loads(ready))
        return installation

    async def _stop(self) -> None:
        process, self._process = self._process, None
        requests, self._requests = self._requests, None
        if requests is not None:
            requests.close()
        if process is None:
            return
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _environment_of(self, installation: Installation) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            **passed,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self._folder),
            "ANSIBLE_CONFIG": str(self._folder / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "tmp"),
            "ANSIBLE_CALLBACK_PLUGINS": str(installation.callbacks),
            "ANSIBLE_STDOUT_CALLBACK": "awx_display",
            **{name: str(self._folder / "none") for name in OUTSIDE},
            **SETTINGS,
            **self._environment,
            TAG: "-" * warm.TAG_BYTES,
        }


SETTINGS = {
    "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS_PATH,
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
    "ANSIBLE_HOST_KEY_CHECKING": "1",
    "ANSIBLE_INVENTORY_ENABLED": "yaml",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
}
"""Read by Ansible at its import: the same for every run. An operator may override any."""

OUTSIDE = (
    "ANSIBLE_LIBRARY",
    "ANSIBLE_MODULE_UTILS",
    "ANSIBLE_ROLES_PATH",
    *(
        f"ANSIBLE_{kind}_PLUGINS"
        for kind in ("ACTION", "BECOME", "CACHE", "CONNECTION", "FILTER", "INVENTORY", "LOOKUP")
    ),
    *(f"ANSIBLE_{kind}_PLUGINS" for kind in ("SHELL", "STRATEGY", "TERMINAL", "TEST", "VARS")),
)
"""Where Ansible would look for plug-ins of the machine: what no digest covers is not played."""


def _command(descriptor: int, preloaded: Sequence[str]) -> list[str]:
    # -I: neither the working directory nor the user's packages get a say in what is imported.
    return [
        *(sys.executable, "-I", warm.__file__),
        *("--socket", str(descriptor), "--tag", TAG),
        *("--path", str(Path(agent.__file__).parent.parent)),
        *(option for name in preloaded for option in ("--preload", name)),
        *("--prime", PRIMED),
    ]
