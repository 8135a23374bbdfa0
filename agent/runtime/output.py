"""Live output of runs on its way to the history: gathered, then written many lines at a time."""

import asyncio
import sqlite3
from collections import deque

from agent.errors import AgentError
from agent.model.remediation import RunLine
from agent.runtime.log import logger
from agent.runtime.store import Store

LINES_WAITING_MAX = 20_000
LINES_A_WRITE = 500

log = logger("output")


class OutputWriter:
    """Takes lines without waiting. Give `run` a task of its own.

    What cannot be kept is dropped, and that is said in the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[RunLine] = deque()
        self._wake = asyncio.Event()
        self._dropped = 0

    def put(self, line: RunLine) -> None:
        """Keep a line; past the bound it is dropped."""
        if len(self._waiting) >= LINES_WAITING_MAX:
            self._dropped += 1
            return
        self._waiting.append(line)
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled, then what is left."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._write()
        finally:
            await self._write()

    async def _write(self) -> None:
        while self._waiting:
            lines = [self._waiting.popleft() for _ in range(min(LINES_A_WRITE, len(self._waiting)))]
            try:
                await self._store.add_output(lines)
            except (AgentError, sqlite3.Error, ValueError) as error:
                # What a run printed is worth having, but not worth ending the watch for.
                self._dropped += len(lines)
                log.warning("output_not_kept", problem=str(error))
        if self._dropped:
            log.warning("output_dropped", lines=self._dropped)
            self._dropped = 0
