"""From settings to the world: executor, ticket desks, receivers, metrics source, parsers.

Not here: what they are used for, and whether their options are right (`tool_check`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from agent.config.schema_settings import Receiver as ReceiverSettings
from agent.config.schema_settings import Settings
from agent.config.secrets import read_secret
from agent.errors import PermanentError
from agent.manifest import Kind
from agent.model.remediation import RunLine
from agent.runtime.ansible.executor import AnsibleExecutor
from agent.runtime.audit.destinations import Destination, destinations
from agent.runtime.awx.executor import AwxExecutor
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import Clock
from agent.runtime.discover import Discoverer, discoverer
from agent.runtime.endpoints import controller_endpoint, endpoint_of, prometheus_endpoint
from agent.runtime.executor import Executor
from agent.runtime.intake import Intake
from agent.runtime.links import Links
from agent.runtime.log import logger
from agent.runtime.look import Observer
from agent.runtime.loop import Loop
from agent.runtime.metrics import EffectMetrics, LookMetrics
from agent.runtime.no_executor import NoExecutor
from agent.runtime.notify import Notifier, Receiver
from agent.runtime.parts import Parse, ParseChanges, Sources
from agent.runtime.perform import Ports
from agent.runtime.poll import TicketPoll, Watches
from agent.runtime.probe import Prober
from agent.runtime.registry import Registry
from agent.runtime.runs import Runs
from agent.runtime.signature import Signed
from agent.runtime.standing import Standing
from agent.runtime.subscriptions import Subscriptions
from agent.runtime.tickets import TicketDesk

log = logger("tools")

BUILT_IN_SOURCES = {"alertmanager_v2": "alertmanager_api", "alertmanager": "alertmanager"}
"""Sources that need no configuration, by the connector that reads them."""


BUILT_IN_CHANGE_SOURCES = {"pagerduty_changes": "pagerduty_changes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything outside that the agent works with."""

    ports: Ports
    sources: Sources
    clock: Clock
    poll_every: Mapping[str, timedelta]
    discoverer: Discoverer
    audit: tuple[Destination, ...]
    """Who keeps checkpoints of the audit log."""
    calendars: Subscriptions

    def pollers(
        self, loop: Loop, intake: Intake
    ) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What has to be asked for, each as a long-running piece."""
        for name, desk in self.ports.tickets.items():
            yield f"poll {name}", TicketPoll(desk, loop, self.poll_every[name]).run
        if self.ports.prober is not None:
            yield "watches", Watches(self.ports.prober, loop, intake.take, self.clock).run


@asynccontextmanager
async def open_tools(
    settings: Settings,
    folder: Path,
    *,
    clock: Clock,
    registry: CollectorRegistry,
    effects: EffectMetrics,
    report: Callable[[RunLine], None],
) -> AsyncIterator[Tools]:
    """The tools that the settings name, for the time of the block.

    `tool_check.tool_findings` must have been empty.
    """
    connectors = Registry.find()
    standing = Standing(effects)
    client_metrics = ClientMetrics(registry)
    links = Links(settings.external_url)
    receivers = [Receiver(name=r.name, urls=_urls(r)) for r in settings.receivers]
    notifier = Notifier(receivers, links=links)
    executor: Executor = NoExecutor("nothing was made ready")
    try:
        async with open_session() as session:

            def client(endpoint: Endpoint) -> Client:
                return Client(session, endpoint, clock=clock, metrics=client_metrics)

            executor = await _executor(settings, folder, registry, client)
            desks = {
                item.name: TicketDesk(
                    name=item.name,
                    connector=connectors.ticketing(item.type, item.options, Path()),
                    client=client(endpoint_of(connectors, item)),
                    standing=standing,
                    links=links,
                )
                for item in settings.connectors
                if item.type in connectors.names(Kind.TICKETING)
            }
            prober, observer = None, None
            if settings.prometheus is not None:
                source = connectors.metrics("prometheus", {}, Path())
                endpoint = prometheus_endpoint(settings.prometheus)
                asking = client(endpoint)
                prober = Prober(source=source, client=asking, standing=standing)
                observer = Observer(
                    source=source, client=asking, standing=standing, metrics=LookMetrics(registry)
                )
            yield Tools(
                ports=Ports(
                    runs=Runs(executor, report, metrics=effects),
                    tickets=desks,
                    notifier=notifier,
                    prober=prober,
                    observer=observer,
                ),
                sources=_sources(connectors, settings),
                clock=clock,
                poll_every={item.name: item.poll_every for item in settings.connectors},
                discoverer=discoverer(settings, connectors, client, clock),
                audit=destinations(settings.audit, client, notifier),
                calendars=Subscriptions(folder, client, clock, registry),
            )
    finally:
        notifier.stop()
        await executor.stop()


async def _executor(
    settings: Settings,
    folder: Path,
    registry: CollectorRegistry,
    client: Callable[[Endpoint], Client],
) -> Executor:
    """A controller where one is named, else Ansible where it is installed.

    Where there is neither the watch goes on, and runs are refused in words.
    """
    if settings.remediations is None:
        return NoExecutor("no folder of remediations is configured")
    if settings.executor is not None:
        return AwxExecutor(
            settings.remediations,
            folder / "runs",
            client(controller_endpoint(settings.executor)),
            secrets=_secrets(settings),
        )
    ansible = AnsibleExecutor(
        settings.remediations,
        folder / "runs",
        _secrets(settings),
        settings.ansible.concurrency,
        known_hosts=settings.ansible.known_hosts,
        settings=_ansible(settings),
    )
    try:
        await ansible.start()
    except PermanentError as error:
        log.warning("ansible.missing", problem=str(error))
        return NoExecutor(str(error))
    Gauge(
        "watchkeeper_ansible_plain_starts",
        "Runs that had to wait for Ansible to be imported.",
        registry=registry,
    ).set_function(lambda: ansible.plain_starts)
    return ansible


def _ansible(settings: Settings) -> dict[str, str]:
    key = settings.ansible.private_key_file
    return {"ANSIBLE_PRIVATE_KEY_FILE": str(key)} if key else {}


def _sources(connectors: Registry, settings: Settings) -> Sources:
    return Sources(
        parsers=_parsers(connectors, settings),
        change_parsers=_change_parsers(connectors, settings),
        signatures=_signatures(connectors, settings),
    )


def _parsers(connectors: Registry, settings: Settings) -> dict[str, Parse]:
    made: dict[str, Parse] = {
        name: connectors.source(connector, {}, Path()).parse
        for name, connector in BUILT_IN_SOURCES.items()
    }
    for source in settings.sources:
        if connectors.kind_of(source.type) is Kind.CHANGES:
            continue
        made[source.name] = connectors.source(source.type, source.options, Path()).parse
    return made


def _change_parsers(connectors: Registry, settings: Settings) -> dict[str, ParseChanges]:
    made: dict[str, ParseChanges] = {
        name: connectors.changes(connector, {}, Path()).parse_changes
        for name, connector in BUILT_IN_CHANGE_SOURCES.items()
    }
    for source in settings.sources:
        if connectors.kind_of(source.type) is Kind.CHANGES:
            found = connectors.changes(source.type, source.options, Path())
            made[source.name] = found.parse_changes
    return made


def _signatures(connectors: Registry, settings: Settings) -> dict[str, Signed]:
    """Of the sources with a secret."""
    made: dict[str, Signed] = {}
    for source in settings.sources:
        signature = connectors.manifest_of(source.type).signature
        if signature is not None and (source.secret or source.secret_file):
            secret = partial(read_secret, source.secret, source.secret_file)
            made[source.name] = Signed(signature=signature, secret=secret)
    return made


def _urls(receiver: ReceiverSettings) -> Callable[[], list[str]]:
    def read() -> list[str]:
        if receiver.apprise_file is not None:
            lines = receiver.apprise_file.read_text("utf-8").splitlines()
            return [line.strip() for line in lines if line.strip() and line[0] != "#"]
        return [url.get_secret_value() for url in receiver.apprise]

    return read


def _secrets(settings: Settings) -> tuple[str, ...]:
    """Secrets that must never show in the output of a run."""
    found = [read_secret(item.secret, item.secret_file) for item in settings.connectors]
    if settings.prometheus is not None:
        found.append(read_secret(settings.prometheus.token, settings.prometheus.token_file))
    if settings.executor is not None:
        found.append(read_secret(settings.executor.token, settings.executor.token_file))
    return tuple(secret for secret in found if secret)
