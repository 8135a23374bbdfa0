"""The composition root: the whole wiring on one page, started in order, stopped in reverse.

Only here are pieces put together and long-running tasks created.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from agent import __version__
from agent.config.load import Loaded, load_config
from agent.config.schema_settings import Settings
from agent.core.step import step
from agent.errors import PermanentError
from agent.model.entry import AgentStarted
from agent.runtime.audit.checkpoints import AuditMetrics, Publisher
from agent.runtime.audit.desk import AuditDesk
from agent.runtime.audit.note import KEY_NAME, open_signer
from agent.runtime.clock import SystemClock
from agent.runtime.database import Database
from agent.runtime.folder import DATABASE_NAME, hold_folder
from agent.runtime.intake import Intake, IntakeLimits, IntakeMetrics
from agent.runtime.log import configure_logs, logger
from agent.runtime.loop import JournalError, Loop
from agent.runtime.metrics import EffectMetrics, LoopMetrics
from agent.runtime.migrate import migrate_apart
from agent.runtime.output import OutputWriter
from agent.runtime.ownership import check, take_over
from agent.runtime.parts import OpenFace, Parts
from agent.runtime.perform import Performer
from agent.runtime.recovery import Recovered, recover
from agent.runtime.reload import Reload
from agent.runtime.retention import Pruner, Retention
from agent.runtime.snapshot import Snapshots
from agent.runtime.store import Store
from agent.runtime.tools import Tools, open_tools

log = logger("app")

Service = tuple[str, Callable[[], Awaitable[None]]]
"""A long-running piece: its name and what runs until it is cancelled."""


def run_agent(settings: Settings, open_face: OpenFace) -> int:
    """Take up the watch until SIGTERM or SIGINT; answers with the exit code.

    Raises ConfigError before anything is started where the files cannot be put into force, and
    PermanentError where the data folder or the address cannot be used.
    """
    configure_logs()
    loaded = load_config(settings, SystemClock().now())
    with hold_folder(settings.data) as folder, asyncio.Runner(loop_factory=_event_loop()) as runner:
        migrate_apart(folder / DATABASE_NAME)
        owner = take_over(folder / DATABASE_NAME)
        snapshots = Snapshots(folder / "snapshots")
        recovered = recover(folder / DATABASE_NAME, snapshots, step)
        for problem in recovered.unusable:
            log.warning("snapshot.unusable", problem=problem)
        try:
            runner.run(_watch(settings, loaded, folder, owner, snapshots, recovered, open_face))
        except* (JournalError, PermanentError) as failed:
            raise PermanentError(_first_reason(failed)) from failed
    return 0


def _first_reason(failed: BaseException) -> str:
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return str(failed)


async def _watch(  # noqa: PLR0917 - all of it
    settings: Settings,
    loaded: Loaded,
    folder: Path,
    owner: int,
    snapshots: Snapshots,
    recovered: Recovered,
    open_face: OpenFace,
) -> None:
    clock, registry = SystemClock(), _registry()
    async with AsyncExitStack() as stack:
        database = Database(folder / DATABASE_NAME, partial(check, number=owner))
        stack.callback(database.close)
        store, effects = Store(database), EffectMetrics(registry)
        output = OutputWriter(store)
        tools = await stack.enter_async_context(
            open_tools(
                settings, folder, clock=clock, registry=registry, effects=effects, report=output.put
            )
        )
        performer = Performer(tools.ports, clock=clock, metrics=effects)
        loop = Loop(
            recovered=recovered,
            database=database,
            snapshots=snapshots,
            clock=clock,
            step=step,
            perform=performer.submit,
            metrics=LoopMetrics(registry),
        )
        intake = Intake(loop, IntakeMetrics(registry), _intake_limits(settings))
        reload = Reload(settings, loop, clock, registry, tools.calendars)
        publisher = _publisher(settings, folder, database, tools, AuditMetrics(registry))
        parts = Parts(
            settings=settings,
            loop=loop,
            store=store,
            intake=intake,
            sources=tools.sources,
            clock=clock,
            registry=registry,
            discoverer=tools.discoverer,
            audit=AuditDesk(database, publisher),
            problems=lambda: [*reload.problems, *publisher.problems()],
        )
        services: tuple[Service, ...] = (
            ("output", output.run),
            (
                "perform",
                lambda: performer.run(loop, lost_runs=recovered.lost_runs, left=recovered.effects),
            ),
            ("reload", reload.run),
            ("prune", Pruner(database, snapshots, clock, _retention(settings)).run),
            ("audit", publisher.run),
            *tools.pollers(loop, intake),
        )
        stopping = _stop_signal(reload)
        async with asyncio.TaskGroup() as group:
            looping = group.create_task(loop.run(), name="loop")
            stopper = group.create_task(stopping.wait(), name="stop signal")
            await loop.append(AgentStarted(version=__version__, last_alive=recovered.last_alive))
            await reload.apply(loaded)
            tasks = [group.create_task(_run(serve), name=name) for name, serve in services]
            async with open_face(parts) as url:
                log.info("ready", url=url, data=str(folder), entry=loop.state.last_number)
                await asyncio.wait([stopper, looping], return_when=asyncio.FIRST_COMPLETED)
                log.info("stopping")
            stopper.cancel()
            await _end(tasks)
            loop.stop()


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in reversed(tasks):
        task.cancel()
    await asyncio.wait(tasks)


async def _run(service: Callable[[], Awaitable[None]]) -> None:
    await service()


def _stop_signal(reload: Reload) -> asyncio.Event:
    """Set by SIGTERM and SIGINT; SIGHUP reads the rules again."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, reload.ask)
    return stopping


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed (the extra `fast`); the standard loop does as well."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.new_event_loop


def _intake_limits(settings: Settings) -> IntakeLimits:
    return IntakeLimits(
        alerts_per_request_max=settings.limits.alerts_per_request_max,
        labels_per_alert_max=settings.limits.labels_per_alert_max,
        characters_per_alert_max=settings.limits.characters_per_alert_max,
    )


def _publisher(
    settings: Settings, folder: Path, database: Database, tools: Tools, metrics: AuditMetrics
) -> Publisher:
    """Signs with the key that was given, or the folder's own, made at the first start."""
    wish = settings.audit
    path = wish.key_file or folder / KEY_NAME
    return Publisher(
        database,
        open_signer(path, wish.origin, may_make=wish.key_file is None),
        tools.audit,
        clock=tools.clock,
        every=wish.every,
        events=wish.events,
        metrics=metrics,
    )


def _retention(settings: Settings) -> Retention:
    kept = settings.retention
    return Retention(
        history=kept.incidents, journal=kept.journal, output=kept.run_output, audit=kept.audit
    )
