"""Prometheus, the blackbox exporter and, where asked, Alertmanager, watching throw-away hosts.

Everything listens on free loopback ports and looks once a second. Alerts go to whatever speaks
the Alertmanager API at the given addresses. What is claimed stands in alert_rules.yaml.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.demo.hosts import Host
from deploy.demo.programs import (
    LOOPBACK,
    READY_S_MAX,
    Program,
    answers,
    free_ports,
    get_json,
    missing,
)

HERE = Path(__file__).parent
PROGRAMS = ("setpriv", "prometheus", "prometheus-blackbox-exporter")
ALERTMANAGER_PROGRAMS = ("setpriv", "prometheus-alertmanager")
CLUSTER = "demo"
LOOK_EVERY = "1s"
REPEAT_EVERY = "15s"
"""Sooner than Prometheus' minute, so that the watchdog is heard of early. Alerts carry an expiry
of four times this."""


def why_not() -> str | None:
    """Why this monitoring cannot run on this machine, in a sentence; None if it can."""
    return missing(PROGRAMS)


def why_no_alertmanager() -> str | None:
    """Why Alertmanager cannot run on this machine, in a sentence; None if it can."""
    return missing(ALERTMANAGER_PROGRAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that the blackbox exporter looks at, once a second.

    `module` is one of blackbox.yaml; host and service become labels of the samples and alerts.
    """

    module: str
    target: str
    host: str
    service: str


def probes_of(host: Host) -> tuple[Probe, ...]:
    """What is probed on a host: each of its services, from the outside."""
    targets = {
        "nginx": ("http", f"http://{LOOPBACK}:{host.http_port}/"),
        "checkout": ("http", f"http://{LOOPBACK}:{host.http_port}/checkout"),
        "redis": ("tcp", f"{LOOPBACK}:{host.redis_port}"),
    }
    return tuple(
        Probe(module=targets[name][0], target=targets[name][1], host=host.name, service=name)
        for name in host.services
    )


class Alertmanager:
    """A real Alertmanager, alone in its cluster, that posts to one webhook."""

    def __init__(self, folder: Path, *, webhook: str, inhibit_rules: Sequence[object] = ()) -> None:
        self._folder = folder
        self._webhook = webhook
        self._inhibit_rules = inhibit_rules
        self._running = AsyncExitStack()
        (port,) = free_ports(1)
        self.address = f"{LOOPBACK}:{port}"
        self.url = f"http://{self.address}"

    async def __aenter__(self) -> Self:
        """Start it; raises NotReadyError."""
        settings = self._write_settings()
        async with AsyncExitStack() as starting:
            program = await Program.start(
                "prometheus-alertmanager",
                f"--config.file={settings}",
                f"--storage.path={self._folder / 'alertmanager'}",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",
                log=self._folder / "alertmanager.log",
            )
            starting.push_async_callback(program.stop)
            await program.until_ready(lambda: answers(f"{self.url}/-/ready"), limit_s=READY_S_MAX)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        await self._running.aclose()

    def _write_settings(self) -> Path:
        route = {
            "receiver": "hook",
            "group_by": ["alertname", "host"],
            "group_wait": "1s",
            "group_interval": "2s",
            "repeat_interval": "1h",
        }
        receiver = {
            "name": "hook",
            "webhook_configs": [{"url": self._webhook, "send_resolved": True}],
        }
        settings = {
            "route": route,
            "receivers": [receiver],
            "inhibit_rules": [*self._inhibit_rules],
        }
        return _write(self._folder / "alertmanager.json", settings)


class Monitoring:
    """Prometheus with the blackbox exporter, from `async with` to its end.

    `alertmanagers` are HOST:PORT of everything that shall get the alerts; none of them needs to
    be up. `probes` are looked at beside the services of the hosts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hosts: Sequence[Host],
        alertmanagers: Sequence[str],
        probes: Sequence[Probe] = (),
    ) -> None:
        self._folder = folder
        self._hosts = tuple(hosts)
        self._alertmanagers = tuple(alertmanagers)
        self._probes = (*(probe for host in hosts for probe in probes_of(host)), *probes)
        self._running = AsyncExitStack()
        prometheus_port, blackbox_port = free_ports(2)
        self.address = f"{LOOPBACK}:{prometheus_port}"
        self.url = f"http://{self.address}"
        self._blackbox = f"{LOOPBACK}:{blackbox_port}"

    async def __aenter__(self) -> Self:
        """Start both programs and wait until every target was looked at and every receiver found.

        That takes about six seconds, nearly all of it Prometheus' own pause before it follows its
        configuration. Raises NotReadyError, with nothing left running.
        """
        settings = self._write_settings()
        async with AsyncExitStack() as starting:
            blackbox = await Program.start(
                "prometheus-blackbox-exporter",
                f"--config.file={HERE / 'blackbox.yaml'}",
                f"--web.listen-address={self._blackbox}",
                log=self._folder / "blackbox.log",
            )
            starting.push_async_callback(blackbox.stop)
            prometheus = await Program.start(
                "prometheus",
                f"--config.file={settings}",
                f"--storage.tsdb.path={self._folder / 'tsdb'}",
                f"--web.listen-address={self.address}",
                f"--web.external-url={self.url}",
                f"--rules.alert.resend-delay={REPEAT_EVERY}",
                log=self._folder / "prometheus.log",
            )
            starting.push_async_callback(prometheus.stop)
            await blackbox.until_ready(
                lambda: answers(f"http://{self._blackbox}/-/healthy"), limit_s=READY_S_MAX
            )
            await prometheus.until_ready(self._is_watching, limit_s=READY_S_MAX)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End both processes."""
        await self._running.aclose()

    def _is_watching(self) -> bool:
        if not answers(f"{self.url}/-/ready"):
            return False
        targets = get_json(f"{self.url}/api/v1/targets")["data"]["activeTargets"]
        found = get_json(f"{self.url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        looked_at = [target for target in targets if target["health"] != "unknown"]
        return (len(looked_at), len(found)) == (
            len(self._hosts) + len(self._probes),
            len(self._alertmanagers),
        )

    def _write_settings(self) -> Path:
        node = {
            "job_name": "node",
            "static_configs": [
                {"targets": [f"{LOOPBACK}:{host.node_port}"], "labels": {"host": host.name}}
                for host in self._hosts
            ],
        }
        modules = sorted({probe.module for probe in self._probes})
        settings = {
            "global": {
                "scrape_interval": LOOK_EVERY,
                "scrape_timeout": LOOK_EVERY,
                "evaluation_interval": LOOK_EVERY,
                "external_labels": {"cluster": CLUSTER},
            },
            "rule_files": [str(HERE / "alert_rules.yaml")],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": list(self._alertmanagers)}]}]
            },
            "scrape_configs": [node, *(self._probe_job(module) for module in modules)],
        }
        return _write(self._folder / "prometheus.json", settings)

    def _probe_job(self, module: str) -> dict[str, object]:
        # The exporter is asked about the target; the sample keeps the target as its instance.
        relabel = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": self._blackbox},
        ]
        return {
            "job_name": f"probe-{module}",
            "metrics_path": "/probe",
            "params": {"module": [module]},
            "relabel_configs": relabel,
            "static_configs": [
                {
                    "targets": [probe.target],
                    "labels": {"host": probe.host, "service": probe.service},
                }
                for probe in self._probes
                if probe.module == module
            ],
        }


def _write(path: Path, settings: Mapping[str, object]) -> Path:
    # JSON is YAML, and needs no library.
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1))
    return path
