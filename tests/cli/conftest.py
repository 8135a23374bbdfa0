"""The command as people start it, against an agent that really listens."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from agent.web.auth import Access
from tests.web.conftest import Running, running

COMMAND_S_MAX = 30


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Starts commands; a role lends its token, `types` is what a person at a terminal answers."""

    agent: Running

    async def __call__(
        self, *words: str, role: str | None = None, types: str | None = None
    ) -> Said:
        """Run one command to its end."""
        environment = {"WATCHKEEPER_URL": self.agent.url}
        if role is not None:
            environment["WATCHKEEPER_TOKEN"] = self.agent.tokens[role]
        return await command(*words, types=types, **environment)


async def command(*words: str, types: str | None = None, **environment: str) -> Said:
    """Run `watchkeeper` with these words; nobody is at the terminal unless something is typed."""
    keyboard, screen = pty.openpty() if types is not None else (None, None)
    if keyboard is not None:
        os.write(keyboard, str(types).encode())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.cli.main",
        *words,
        stdin=asyncio.subprocess.DEVNULL if screen is None else screen,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "160", **environment},
    )
    async with asyncio.timeout(COMMAND_S_MAX):
        out, err = await process.communicate()
    for end in (keyboard, screen):
        if end is not None:
            os.close(end)
    return Said(process.returncode or 0, out.decode(), err.decode())


@pytest_asyncio.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    """A shell beside a running agent."""
    async with running(tmp_path, Access(is_loopback=True)) as agent:
        yield Shell(agent)
