"""The three programs that are compared, each as a way to start one with a given configuration.

Alertmanager stands in its best light: no cluster, no receiver that does anything, few large
groups, the default group interval. Not here: getting it (`baselines`).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench import baselines, world
from tests.bench.alerts import Shape
from tests.bench.servers import Server, Unavailable, answers, free_port, listens

READY_WITHIN_S = 120.0
WATCHKEEPER = "watchkeeper"
ALERTMANAGER = "alertmanager"
RULEBOOK = "ansible-rulebook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One program under test: `start` takes an empty folder and gives a server that is ready."""

    name: str
    start: Callable[[Path], Server]
    path: str = "/api/v2/alerts"
    shape: Shape = Shape.ALERTMANAGER


def alertmanager() -> Contender:
    """Alertmanager, without a cluster and with nobody to notify."""

    def start(folder: Path) -> Server:
        binary = baselines.alertmanager()
        folder.mkdir(parents=True)
        config = folder / "alertmanager.yml"
        route = {"receiver": "none", "group_by": ["alertname"], "group_wait": "0s"}
        config.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "none"}]}))
        port = free_port()
        arguments = {
            "config.file": config,
            "storage.path": folder / "data",
            "cluster.listen-address": "",
            "web.listen-address": f"127.0.0.1:{port}",
            "log.level": "warn",
        }
        command = [binary, *(f"--{key}={value}" for key, value in arguments.items())]
        server = Server(command, port=port, folder=folder)
        return server.wait_ready(answers("/-/ready"), within_s=READY_WITHIN_S)

    return Contender(name=ALERTMANAGER, start=start)


def watchkeeper(*, rules: int = 100) -> Contender:
    """Our agent with the map of 1,000 entities and `rules` rules that never match."""

    def start(folder: Path) -> Server:
        config = world.write_map_world(folder, rules=rules)
        return start_watchkeeper(folder, config)

    return Contender(name=WATCHKEEPER, start=start)


def watchkeeper_touching() -> Contender:
    """Our agent with one rule that plays a one-task playbook on this machine."""

    def start(folder: Path) -> Server:
        return start_watchkeeper(folder, world.write_touch_world(folder))

    return Contender(name=WATCHKEEPER, start=start)


def start_watchkeeper(folder: Path, config: Path) -> Server:
    """Our agent on `folder/data`, which may hold what an earlier one left there."""
    port = free_port()
    command = [
        *(our_program(), "serve"),
        *("--listen", f"127.0.0.1:{port}", "--data", str(folder / "data")),
        *("--config", str(config)),
    ]
    server = Server(command, port=port, folder=folder, environment={"PYTHONUNBUFFERED": "1"})
    return server.wait_ready(answers("/-/ready"), within_s=READY_WITHIN_S)


def our_program() -> str:
    """The `watchkeeper` command beside the Python that runs the benchmark."""
    program = Path(sys.executable).parent / "watchkeeper"
    if not program.exists():
        raise Unavailable(f"{program} does not exist: run `make setup`")
    return str(program)


def rulebook(*, rules: int = 10) -> Contender:
    """ansible-rulebook with `rules` rules of two string equalities that never match.

    Beside them stand two that do: a debug action that prints the token, and a playbook.
    """

    def start(folder: Path) -> Server:
        program, environment = baselines.rulebook()
        folder.mkdir(parents=True)
        world.touched_folder(folder).mkdir()
        port = free_port()
        _write_rulebook(folder, port=port, rules=rules)
        command = [program, "--rulebook", "rulebook.yml", "-i", "inventory.yml"]
        server = Server(command, port=port, folder=folder, environment=environment)
        return server.wait_ready(listens, within_s=READY_WITHIN_S)

    return Contender(name=RULEBOOK, start=start, path="/endpoint", shape=Shape.EVENT)


DEBUG_ALERTNAME = "BenchDebug"
DEBUG_MARK = "bench-debug:"


def _write_rulebook(folder: Path, *, port: int, rules: int) -> None:
    label = "event.payload.labels"
    unmatched = [
        {
            "name": f"bench-{number:04}",
            "condition": f'{label}.alertname == "{world.alertname_of(number)}"'
            f' and {label}.service == "{world.labels_of((number + 1) % 700)[1]}"',
            "action": {"none": {}},
        }
        for number in range(rules - 2)
    ]
    debug = {
        "name": "debug",
        "condition": f'{label}.alertname == "{DEBUG_ALERTNAME}" and {label}.job == "bench"',
        "action": {"debug": {"msg": f"{DEBUG_MARK}{{{{ {label}.token }}}}"}},
    }
    variables = {"token": f"{{{{ {label}.token }}}}"}
    touch = {
        "name": "touch",
        "condition": f'{label}.alertname == "{world.TOUCH_ALERTNAME}" and {label}.job == "bench"',
        "action": {"run_playbook": {"name": "playbook.yml", "extra_vars": variables}},
    }
    source = {"eda.builtin.webhook": {"host": "127.0.0.1", "port": port}}
    ruleset = {
        "name": "bench",
        "hosts": "all",
        "sources": [source],
        "rules": [*unmatched, debug, touch],
    }
    playbook = world.touch_playbook(world.touched_folder(folder), hosts="all", token="token")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    inventory = {"all": {"hosts": {"localhost": local}}}
    for name, content in {
        "rulebook.yml": [ruleset],
        "playbook.yml": playbook,
        "inventory.yml": inventory,
    }.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
