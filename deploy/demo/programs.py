"""Real programs as children of this process: find, start, wait until ready, end.

Every child is ended by its own process id, and the kernel ends it when this process dies,
however it dies. This is not a supervisor: what stops is not started again.
"""

import asyncio
import json
import os
import shutil
import socket
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError

LOOPBACK = "127.0.0.1"
READY_S_MAX = 30.0
STOP_S_MAX = 5.0
LOOK_AGAIN_S = 0.05
ANSWER_S_MAX = 2.0
LOG_TAIL_BYTES = 2000

# Debian keeps daemons in sbin, which the path of a plain user leaves out.
SEARCH_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


class NotReadyError(Exception):
    """A program ended, or did not become ready in time; the message ends with its log."""


def find(name: str) -> str | None:
    """Where the program is, or None."""
    return shutil.which(name, path=SEARCH_PATH)


def missing(names: Sequence[str]) -> str | None:
    """Which of the programs are not installed, as a sentence; None if all are there."""
    absent = [name for name in names if find(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct loopback ports that nothing listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return tuple(each.getsockname()[1] for each in sockets)
    finally:
        for each in sockets:
            each.close()


class Program:
    """One running child process with its log file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(
        cls,
        *command: str | Path,
        log: Path,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Start a command in a session of its own; both outputs go to the log.

        Raises NotReadyError when the program is not installed.
        """
        program, *arguments = map(str, command)
        found = find(program)
        if found is None:
            raise NotReadyError(f"{program} is not installed")
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *(*_dying_with_us(), found, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, "PATH": SEARCH_PATH, **(environment or {})},
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.returncode is None

    async def until_ready(self, is_ready: Callable[[], bool], *, limit_s: float) -> None:
        """Wait until the check holds; it is asked in a thread, so it may block shortly.

        Raises NotReadyError when the program ends first or the limit passes.
        """
        try:
            async with asyncio.timeout(limit_s):
                while not await asyncio.to_thread(is_ready):
                    if not self.is_running:
                        raise NotReadyError(f"{self.log.stem} ended at once:\n{self._log_tail()}")
                    await asyncio.sleep(LOOK_AGAIN_S)
        except TimeoutError as error:
            late = f"{self.log.stem} not ready in {limit_s:.0f} s:\n{self._log_tail()}"
            raise NotReadyError(late) from error

    async def stop(self) -> None:
        """Ask the process to end, then end it; returns when it is gone."""
        if not self.is_running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process without asking it; returns when it is gone."""
        if self.is_running:
            self._process.kill()
        await self._process.wait()

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")


def _dying_with_us() -> tuple[str, ...]:
    # Only Linux can promise it.
    return ("setpriv", "--pdeathsig", "KILL", "--") if find("setpriv") else ()


async def until(holds: Callable[[], bool], *, limit_s: float) -> None:
    """Wait until the check holds; it is asked in a thread. TimeoutError after the limit."""
    async with asyncio.timeout(limit_s):
        while True:
            if await asyncio.to_thread(holds):
                return
            await asyncio.sleep(LOOK_AGAIN_S)


def answers(url: str) -> bool:
    """Whether a GET of the address is answered with a status below 400."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S_MAX) as response:
            return bool(response.status < 400)
    except (URLError, OSError):
        return False


def get(url: str) -> bytes:
    """What a GET of the address answers; raises URLError."""
    with urllib.request.urlopen(url, timeout=ANSWER_S_MAX) as response:
        return bytes(response.read())


def get_json(url: str) -> Any:
    """The JSON that a GET of the address answers; raises URLError."""
    return json.loads(get(url))


def greets(port: int, greeting: bytes) -> bool:
    """Whether what listens on the loopback port speaks first, and with these bytes."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_S_MAX) as connection:
            return connection.recv(len(greeting)) == greeting
    except OSError:
        return False


def listens(port: int) -> bool:
    """Whether the loopback port accepts a connection."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=ANSWER_S_MAX).close()
    except OSError:
        return False
    return True
