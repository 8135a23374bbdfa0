"""A real `watchkeeper serve` as a child of the test: started, asked over HTTP, ended, killed."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from agent.runtime.crashpoint import VARIABLE
from tests.e2e.company import Company

COMMAND = Path(sys.executable).parent / "watchkeeper"
READY_S_MAX = 20.0
END_S_MAX = 15.0
ANSWER_S_MAX = 10.0
CHANGE_S_MAX = 15.0
LOOK_AGAIN_S = 0.05

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], object], *, limit_s: float
) -> T:
    """What was seen when it held at last; AssertionError with the last look after the limit."""
    seen: T | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while True:
                seen = await look()
                if holds(seen):
                    return seen
                await asyncio.sleep(LOOK_AGAIN_S)
    raise AssertionError(f"not so within {limit_s:.0f} s; last seen: {seen!r}")


class Agent:
    """One life of the agent of a company, from `async with` to its end."""

    def __init__(
        self,
        company: Company,
        *,
        crash: str | None = None,
        environment: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        arguments: tuple[str, ...] | None = None,
    ) -> None:
        """`crash` is a crash point with its count; `before` goes before the command, `arguments`
        behind it in place of the company's configuration."""
        self.company = company
        self.url = f"http://{company.address}"
        self.log = company.folder / f"agent-{len(list(company.folder.glob('agent-*.log')))}.log"
        self._before = before
        self._arguments = arguments or ("--config", str(company.config))
        self._environment = {**os.environ, **(environment or {})}
        if crash:
            self._environment[VARIABLE] = crash
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Start it, unless that was done, and wait until it takes alerts, or ends."""
        if self._process is None:
            await self.launch()
        await eventually(self._is_ready, bool, limit_s=READY_S_MAX)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it in good order, if it still runs."""
        await self.close()
        if self.process.returncode is None:
            await self.stop()

    async def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("wb") as out:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", "--", *self._before),
                *(str(COMMAND), "serve", *self._arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self.company.folder,
                env=self._environment,
                start_new_session=True,
            )
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        self._session = aiohttp.ClientSession(self.url, timeout=timeout)

    async def close(self) -> None:
        """Ask it nothing any more."""
        if self._session is not None:
            await self._session.close()

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process."""
        assert self._process is not None
        return self._process

    @property
    def has_ended(self) -> bool:
        """Whether it is over with this life."""
        return self.process.returncode is not None

    async def stop(self) -> int:
        """SIGTERM; gives the exit code. AssertionError where it does not end in time."""
        self.process.terminate()
        return await self.ended()

    async def kill(self) -> int:
        """SIGKILL."""
        self.process.kill()
        return await self.ended()

    async def ended(self, *, limit_s: float = END_S_MAX) -> int:
        """The exit code, once it has ended by itself; it is killed where it does not."""
        try:
            async with asyncio.timeout(limit_s):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise AssertionError(f"did not end within {limit_s:.0f} s: {self.said()}") from None

    @property
    def admin_token(self) -> str:
        """The token that a first start shows."""
        (token,) = re.findall(r"^ +(wk_\S+)$", self.said(), re.MULTILINE)
        return str(token)

    def said(self) -> str:
        """Its standard output and error so far."""
        return self.log.read_text()

    async def ask(
        self, method: str, path: str, *, who: str | None = "vera", **given: Any
    ) -> tuple[int, Any]:
        """Status and content of an answer; raises aiohttp.ClientError where none comes."""
        assert self._session is not None
        token = self.company.tokens.get(who or "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= given.pop("headers", {})
        async with self._session.request(method, path, headers=headers, **given) as got:
            if got.content_type.endswith("json"):
                return got.status, await got.json(content_type=None)
            return got.status, await got.text()

    async def get(self, path: str, **query: str) -> Any:
        """The content of an answer that has to be a good one."""
        status, content = await self.ask("GET", path, params=query)
        assert status == 200, content
        return content

    async def post(self, path: str, body: Any, *, who: str | None = "olga") -> Any:
        """The content of an answer that has to be a good one."""
        status, content = await self.ask("POST", path, json=body, who=who)
        assert status < 300, content
        return content

    async def incidents(self) -> list[dict[str, Any]]:
        """All incidents, newest first."""
        return list((await self.get("/api/v1/incidents"))["items"])

    async def changes(self) -> list[dict[str, Any]]:
        """All changes, newest first."""
        return list((await self.get("/api/v1/changes"))["items"])

    async def change(self, service: str = "web") -> dict[str, Any]:
        """The newest change of a service; one without a state where there is none."""
        entity = f"component:default/{service}"
        found = [each for each in await self.changes() if each["entity"] == entity]
        return found[0] if found else {"id": None, "state": None}

    async def change_in(self, state: str, service: str = "web") -> dict[str, Any]:
        """The newest change of a service, once it is in this state."""
        return await eventually(
            lambda: self.change(service), lambda seen: seen["state"] == state, limit_s=CHANGE_S_MAX
        )

    async def entries(self) -> int:
        """How many entries the journal holds."""
        return int(await self.metric("watchkeeper_journal_entry"))

    async def metric(self, name: str) -> float:
        """A metric without labels, or the sum over its labels; 0 where it is not there."""
        lines = str(await self.get("/metrics")).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if _is_of(name, line))

    async def _is_ready(self) -> bool:
        if self.has_ended:
            return True
        try:
            status, _ = await self.ask("GET", "/-/ready", who=None)
        except (aiohttp.ClientError, TimeoutError):
            return False
        return status == 200


def _is_of(name: str, line: str) -> bool:
    return line.startswith((f"{name} ", f"{name}{{"))
