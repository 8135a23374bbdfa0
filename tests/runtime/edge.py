"""The edge in small: a journal in memory, a tool with two turns, an executor of plain outcomes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.connector import Exchange, Request, TicketPoll, refusal
from agent.core.state import State
from agent.model.effect import LaunchRun
from agent.model.entry import Entry, RunPrepared, What
from agent.model.preview import Preview, PreviewState
from agent.model.remediation import Outcome, RunLine, RunResult, RunSpec
from agent.model.ticket import Ticket, TicketRef
from agent.model.transition import Transition
from agent.runtime.client import Client, ClientMetrics, Endpoint
from agent.runtime.clock import SystemClock
from agent.runtime.decided import Appended
from agent.runtime.executor import Prepared
from agent.runtime.loop import Overloaded
from agent.runtime.metrics import EffectMetrics
from agent.runtime.standing import Standing
from agent.runtime.tickets import TicketDesk

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MemoryJournal:
    """Keeps entries in a list, and can be full for a while. `allows`: what is prepared may run."""

    def __init__(self, full: int = 0, *, allows: bool = True) -> None:
        self.state = State.empty()
        self.entries: list[What] = []
        self._full = full
        self._allows = allows
        self._changed = asyncio.Condition()

    async def append(self, what: What) -> Appended:
        if self._full:
            self._full -= 1
            raise Overloaded("full", timedelta(milliseconds=1))
        if effect := getattr(what, "effect", None):
            self.state.outbox.take(effect)
        async with self._changed:
            self.entries.append(what)
            self._changed.notify_all()
        number = len(self.entries)
        is_launched = self._allows and isinstance(what, RunPrepared) and what.digest is not None
        launch = (LaunchRun(id=f"{number}.0", run=what.run),) if is_launched else ()
        entry = Entry(number, datetime.now(UTC), what)
        return Appended(entry=entry, transition=Transition(effects=launch))

    async def confirm(self) -> None:
        return

    async def until(self, count: int) -> list[What]:
        """The entries, once there are so many."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.entries) >= count)
        return self.entries


class PlainTicketing:
    """A tool where `PUT /KEY` makes the ticket agree."""

    def upsert(self, ticket: Ticket, known_ref: str | None) -> Exchange[TicketRef]:
        response = yield Request(method="PUT", path=f"/{ticket.key}", body=ticket.title.encode())
        if not response.is_success:
            raise refusal(response, "write")
        return TicketRef(ref=ticket.key, url=f"/{ticket.key}")

    def poll(self, cursor: str | None, keys: Collection[str]) -> Exchange[TicketPoll]:
        yield Request(method="GET", path="/changes", query={"since": cursor or ""})
        return TicketPoll(tickets=(), cursor=f"{int(cursor or 0) + 1}")


class PlainExecutor:
    """Plays nothing: each run ends as it was told to, once it is let."""

    def __init__(self, outcome: Outcome | Exception = Outcome.CHANGED) -> None:
        self.outcome = outcome
        self.problem: str | None = None
        self.let = asyncio.Event()
        self.launched: list[str] = []
        self.cancelled: list[str] = []
        self.swept: list[str] = []
        self.is_full = False

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    async def prepare(self, spec: RunSpec) -> Prepared:
        return Prepared(run=spec.run, digest=spec.digest, spec=spec, check_problem=self.problem)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        if self.is_full:
            return RunResult(outcome=Outcome.REFUSED, summary="no room")
        self.launched.append(prepared.run)
        begun()
        await self.let.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        outcome = Outcome.CANCELLED if prepared.run in self.cancelled else self.outcome
        return RunResult(outcome=outcome, summary="played")

    async def preview(self, spec: RunSpec) -> Preview:
        await self.let.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        state = PreviewState.INCOMPLETE if spec.run in self.cancelled else PreviewState.COMPLETE
        return Preview(state=state, text="seen", digest=spec.digest)

    async def cancel(self, run: str) -> None:
        self.cancelled.append(run)
        self.let.set()

    async def sweep(self, runs: Sequence[str]) -> None:
        self.swept.extend(runs)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """A server on a free port that answers everything with the handler."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def client(session: aiohttp.ClientSession, port: int, name: str = "tool") -> Client:
    """A client of that server."""
    endpoint = Endpoint(name=name, url=f"http://127.0.0.1:{port}", timeout=timedelta(seconds=5))
    metrics = ClientMetrics(CollectorRegistry())
    return Client(session, endpoint, clock=SystemClock(), metrics=metrics)


def desk(session: aiohttp.ClientSession, port: int, metrics: EffectMetrics) -> TicketDesk:
    """The plain tool at that server."""
    return TicketDesk(
        name="tool",
        connector=PlainTicketing(),
        client=client(session, port),
        standing=Standing(metrics),
    )
