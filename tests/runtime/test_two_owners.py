"""Claims about two agents that both believe they lead: a disk that two machines reach, a process
that was held up and wakes. The loop, the journal, the performer and SQLite are those of production;
the hosts count for themselves what was started on them."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from agent.core.state import State
from agent.core.step import step
from agent.errors import AgentError
from agent.model.change import Change, RunState
from agent.model.effect import LaunchRun
from agent.model.entry import (
    AgentStarted,
    AlertsReceived,
    ChangeRequested,
    ConfigLoaded,
    Entry,
    What,
)
from agent.model.remediation import Outcome, RunLine, RunResult, RunSpec
from agent.model.transition import Transition
from agent.runtime.codec import digest_of
from agent.runtime.database import Database
from agent.runtime.decided import Appended
from agent.runtime.executor import Prepared
from agent.runtime.loop import JournalError, Loop
from agent.runtime.metrics import EffectMetrics, LoopMetrics
from agent.runtime.migrate import migrate
from agent.runtime.notify import Notifier
from agent.runtime.ownership import check, take_over
from agent.runtime.perform import Performer, Ports
from agent.runtime.recovery import recover
from agent.runtime.runs import Runs
from agent.runtime.snapshot import Snapshots
from tests.core.play import CONFIG, alert, ref
from tests.runtime.agents import StillClock, own, running

SEEDS = range(int(os.environ.get("OWNER_SEEDS", "12")))
ROUNDS = 60
SERVICES = {"web1": "app1", "web2": "app2", "db": "app3"}
REMEDIATION = replace(
    CONFIG.remediations["restart-service"], attempts_max=1000, cooldown=timedelta(seconds=1)
)
SHOP = replace(CONFIG, remediations={"restart-service": REMEDIATION})


@dataclass
class Hosts:
    """The true state of the hosts: what was started there, by whom, and what still runs."""

    started: list[tuple[str, str]] = field(default_factory=list)
    """Run and host, in order."""
    running: dict[str, tuple[str, asyncio.Event]] = field(default_factory=dict)
    """By run: its host, and what lets it end."""
    collisions: list[str] = field(default_factory=list)

    def begin(self, spec: RunSpec) -> asyncio.Event:
        (host,) = (each.name for each in spec.hosts)
        if host in {name for name, _ in self.running.values()}:
            self.collisions.append(f"{spec.run} on {host}")
        self.started.append((spec.run, host))
        self.running[spec.run] = host, asyncio.Event()
        return self.running[spec.run][1]

    def end(self, run: str) -> None:
        if run in self.running:
            self.running.pop(run)[1].set()


class Player:
    """One agent's executor: plays on the hosts until it is let, or ended."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._mine: list[str] = []

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        for run in self._mine:
            self._hosts.end(run)

    async def prepare(self, spec: RunSpec) -> Prepared:
        return Prepared(run=spec.run, digest=spec.digest, spec=spec)

    async def launch(
        self,
        prepared: Prepared,
        report: Callable[[RunLine], None],
        *,
        begun: Callable[[], None],
        patience: timedelta,
    ) -> RunResult:
        self._mine.append(prepared.run)
        over = self._hosts.begin(prepared.spec)
        begun()
        await over.wait()
        return RunResult(outcome=Outcome.CHANGED, summary="played")

    async def cancel(self, run: str) -> None:
        self._hosts.end(run)

    async def sweep(self, runs: Sequence[str]) -> None:
        for run in runs:
            self._hosts.end(run)


class HeldUp:
    """The loop as its performer sees it, which may sleep for long right before a launch."""

    def __init__(self, loop: Loop, awake: asyncio.Event) -> None:
        self._loop, self._awake = loop, awake

    @property
    def state(self) -> State:
        return self._loop.state

    async def append(self, what: What) -> Appended:
        return await self._loop.append(what)

    async def confirm(self) -> None:
        await self._awake.wait()
        await self._loop.confirm()


class Owner:
    """One agent, whole but for its face: it has taken the folder over, and works until stopped."""

    def __init__(self, folder: Path, clock: StillClock, hosts: Hosts, number: int) -> None:
        path = folder / "watchkeeper.db"
        self.decisions = 0
        self.awake = asyncio.Event()
        self.awake.set()
        self.ready = asyncio.Event()
        snapshots = Snapshots(folder / f"snapshots-{number}")
        recovered = recover(path, snapshots, step)
        registry = CollectorRegistry()
        metrics = EffectMetrics(registry)
        self.player = Player(hosts)
        self.database = Database(path, partial(check, number=number))
        self._performer = Performer(
            Ports(runs=Runs(self.player, lambda _: None, metrics=metrics), notifier=Notifier([])),
            clock=clock,
            metrics=metrics,
        )
        self.loop = Loop(
            recovered=recovered,
            database=self.database,
            snapshots=snapshots,
            clock=clock,
            step=self._step,
            perform=self._performer.submit,
            metrics=LoopMetrics(registry),
        )
        self._lost, self._left = recovered.lost_runs, recovered.effects
        self._task = asyncio.create_task(self._work(), name=f"owner {number}")

    def _step(self, state: State, entry: Entry) -> Transition:
        transition = step(state, entry)
        self.decisions += sum(isinstance(each, Change) for each in transition.records)
        return transition

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                looping = group.create_task(self.loop.run())
                await self.loop.append(AgentStarted(version="test", last_alive=None))
                await self.loop.append(ConfigLoaded(config=SHOP))
                self.ready.set()
                performing = group.create_task(self._perform())
                await looping
                performing.cancel()
        except* AgentError:
            await self.player.stop()

    async def _perform(self) -> None:
        await self._performer.run(
            HeldUp(self.loop, self.awake), lost_runs=self._lost, left=self._left
        )

    async def tell(self, what: What) -> None:
        """What happens outside; who does not lead any more has nothing to say to it."""
        try:
            await self.loop.append(what)
        except JournalError:
            return

    async def over(self) -> None:
        """Returns when it has stopped by itself."""
        await asyncio.wait([self._task])

    async def finish(self) -> None:
        """Write what is decided, take nothing more."""
        self.loop.stop()
        await self.over()

    async def stop(self) -> None:
        self.awake.set()
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.player.stop()
        self.database.close()


class Company:
    """A folder, its hosts, and all agents that ever took it over."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, Random(seed)
        self.clock, self.hosts = StillClock(), Hosts()
        self.owners: list[Owner] = []
        migrate(folder / "watchkeeper.db")

    def take_over(self) -> None:
        """Another agent starts; nobody stops the one before."""
        number = take_over(self.folder / "watchkeeper.db")
        self.owners.append(Owner(self.folder, self.clock, self.hosts, number))

    async def live(self) -> None:
        """Alerts, requests, held-up agents and takeovers, all at once, as the seed says."""
        self.take_over()
        async with asyncio.TaskGroup() as outside:
            for _ in range(ROUNDS):
                self.clock.move(timedelta(seconds=self.chance.choice((1, 2, 5, 40))))
                for owner in self.owners[-2:]:
                    outside.create_task(owner.tell(self._happening()))
                if self.chance.random() < 0.3:
                    self.owners[-1].awake.clear()
                if self.chance.random() < 0.1:
                    self.take_over()
                if self.chance.random() < 0.3:
                    self.chance.choice(self.owners).awake.set()
                for run in [each for each in self.hosts.running if self.chance.random() < 0.3]:
                    self.hosts.end(run)
                if self.chance.random() < 0.8:
                    # Time for what was asked of the world before to be done, and heard of.
                    for _ in range(3):
                        await self.owners[-1].tell(self._happening())

    def _happening(self) -> What:
        service = self.chance.choice(list(SERVICES))
        if self.chance.random() < 0.3:
            return ChangeRequested(
                remediation="restart-service",
                entity=ref(service),
                parameters={"service": service},
                by="bob",
            )
        return self.fired(service, is_over=self.chance.random() < 0.4)

    def fired(self, service: str, *, is_over: bool = False) -> AlertsReceived:
        """A service is down, or up again."""
        ends = self.clock.at if is_over else None
        labels = {"service": service, "host": SERVICES[service]}
        down = alert("ServiceDown", at=self.clock.at, ends=ends, **labels)
        return AlertsReceived(source="test", alerts=(down,))

    async def end(self) -> State:
        """Everybody is stopped; what the journal says then."""
        await self.owners[-1].finish()
        for owner in self.owners:
            await owner.stop()
        path = self.folder / "watchkeeper.db"
        return recover(path, Snapshots(self.folder / "none"), step).state


async def test_whatever_two_owners_decide_is_started_once_and_as_the_journal_says(
    tmp_path: Path,
) -> None:
    """Over all seeds: no run begins twice, none that the journal does not hold with that target,
    never two at once on a host, and each journal replays to what its last owner remembers."""
    decisions = starts = takeovers = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        company = Company(folder, seed)
        await company.live()
        last = company.owners[-1]
        held = await company.end()

        ran = [run for run, _ in company.hosts.started]
        kept = {run.id: held.changes[run.change].hosts[0].name for run in held.runs.values()}
        assert sorted(set(ran)) == sorted(ran)
        assert company.hosts.collisions == []
        assert {run: kept.get(run) for run in ran} == dict(company.hosts.started)
        assert digest_of(held) == digest_of(last.loop.state)
        decisions += sum(owner.decisions for owner in company.owners)
        starts += len(ran)
        takeovers += len(company.owners) - 1
    print(f"{decisions} decisions, {starts} starts, {takeovers} takeovers")
    assert decisions > 60 * len(SEEDS)
    assert starts > len(SEEDS)
    assert takeovers > len(SEEDS)


async def test_who_wakes_after_a_takeover_starts_nothing(tmp_path: Path) -> None:
    """Judged, written, held up right before the launch, taken over meanwhile: no start."""
    company = Company(tmp_path, 0)
    company.take_over()
    (first,) = company.owners
    await first.ready.wait()
    first.awake.clear()
    with first.loop.subscribe() as feed:
        await first.tell(company.fired("web1"))
        async with asyncio.timeout(10):
            while not any(
                isinstance(effect, LaunchRun) for effect in (await anext(feed)).transition.effects
            ):
                pass
    company.take_over()
    first.awake.set()
    async with asyncio.timeout(10):
        await first.over()
    state = await company.end()

    assert company.hosts.started == []
    assert [run.state for run in state.runs.values()] in ([RunState.LAUNCHING], [RunState.UNKNOWN])


async def test_who_was_taken_over_keeps_nothing_and_stops(tmp_path: Path) -> None:
    """The journal has only what its owner wrote; the other hears why, and takes nothing more."""
    async with running(tmp_path) as first:
        take_over(tmp_path / "watchkeeper.db")
        with pytest.raises(JournalError, match="has taken over this folder"):
            await first.loop.append(AlertsReceived(source="test", alerts=()))
        with pytest.raises(JournalError):
            await first.loop.confirm()
    state = recover(tmp_path / "watchkeeper.db", Snapshots(tmp_path / "none"), step).state
    assert state.last_number == 1


async def test_what_is_no_entry_is_kept_by_the_owner_alone(tmp_path: Path) -> None:
    """Output of runs and tokens go the same way as the journal: one gate for every write."""
    path = tmp_path / "test.db"
    first = own(path)
    await first.write(lambda connection: connection.execute("CREATE TABLE t (a INTEGER)"))
    second = own(path)
    with pytest.raises(AgentError, match="owner 2, this one was 1"):
        await first.write(lambda connection: connection.execute("INSERT INTO t VALUES (1)"))
    await second.write(lambda connection: connection.execute("INSERT INTO t VALUES (2)"))
    rows = await second.read(lambda connection: connection.execute("SELECT a FROM t").fetchall())
    first.close()
    second.close()

    assert rows == [(2,)]
