"""What the agent is configured with in a benchmark: service map, rules, remediation, config.

The only file here that knows our configuration formats. Everything is deterministic. Two worlds:
`write_map_world` for load (no rule ever matches, as in a healthy rule set under an alert storm)
and `write_touch_world` for remediation on this machine (each alert asks for a run of its own).
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ENTITIES = 1000
APPS, SERVICES, DATABASES = 200, 300, 200
HOSTS = ENTITIES - APPS - SERVICES - DATABASES
MAP_SEED = 7
API_VERSION = "watchkeeper.io/v1"
ALERTNAMES = 10
TOUCH_ALERTNAME = "BenchTouch"
TOUCH_TARGETS = 200
"""Each try has a target of its own: no cooldown, no merging with an earlier incident."""
TOUCHES_AT_ONCE = 64

Document = dict[str, Any]


def alertname_of(number: int) -> str:
    """The `alertname` of alert `number`; entity n always has the same one."""
    return f"Bench{number % ALERTNAMES:04}"


def labels_of(entity: int) -> tuple[str, str]:
    """The `host` and `service` labels that lead to entity `entity`, and to it alone."""
    assert 0 <= entity < ENTITIES
    first_host = ENTITIES - HOSTS
    if entity >= first_host:
        return f"host-{entity - first_host:03}", "node"
    return f"host-{entity % HOSTS:03}", _name(entity)


def write_map_world(folder: Path, *, rules: int) -> Path:
    """A map of 1,000 entities and `rules` remediation rules; returns the config file."""
    config = _write_config(folder)
    _write(folder / "rules" / "maps" / "bench.yaml", _entities())
    _write(folder / "rules" / "remediation" / "bench.yaml", _unmatched_rules(rules))
    _write_touch_remediation(folder)
    return config


def write_touch_world(folder: Path) -> Path:
    """Targets on this machine and one rule that touches a file for each alert.

    A change is under way until its success is verified, seconds after its run: so many may be
    under way at once that none of the tries waits for those before it.
    """
    config = _write_config(folder, concurrency=TOUCHES_AT_ONCE)
    _write(folder / "rules" / "maps" / "bench.yaml", _touch_targets())
    when = f'alert.labels.alertname == "{TOUCH_ALERTNAME}" && alert.labels.job == "bench"'
    rule = _rule("bench-touch", when, {"token": {"label": "token"}})
    _write(folder / "rules" / "remediation" / "bench.yaml", [rule])
    _write_touch_remediation(folder)
    return config


def touch_labels(target: int) -> dict[str, str]:
    """Labels of an alert that asks for the file `touch-<target>` to be touched."""
    assert 0 <= target < TOUCH_TARGETS
    return {
        "alertname": TOUCH_ALERTNAME,
        "severity": "critical",
        "cluster": "bench-1",
        "job": "bench",
        "host": f"local-{target:03}",
        "service": "touch",
        "instance": f"local-{target:03}:9100",
        "token": f"touch-{target:03}",
    }


def touch_playbook(folder: Path, *, hosts: str, token: str) -> list[Document]:
    """The one-task playbook of both contenders; `token` is the variable with the file's name."""
    command = {"ansible.builtin.command": {"argv": ["touch", f"{folder}/{{{{ {token} }}}}"]}}
    return [
        {
            "name": "Touch one file",
            "hosts": hosts,
            "gather_facts": False,
            "tasks": [{"name": "Touch", **command}],
        }
    ]


def touched_folder(folder: Path) -> Path:
    """Where the files appear that prove an effect."""
    return folder / "touched"


def _name(entity: int) -> str:
    if entity < APPS:
        return f"app-{entity:03}"
    if entity < APPS + SERVICES:
        return f"svc-{entity - APPS:03}"
    if entity < ENTITIES - HOSTS:
        return f"db-{entity - APPS - SERVICES:03}"
    return f"host-{entity - (ENTITIES - HOSTS):03}"


def _ref(entity: int) -> str:
    kind = "component" if entity < APPS + SERVICES else "resource"
    return f"{kind}:default/{_name(entity)}"


def _entities() -> Iterator[Document]:
    """Apps on services on databases, all on hosts: about 2.5 edges for each that is no host."""
    chance = random.Random(MAP_SEED)
    services = range(APPS, APPS + SERVICES)
    databases = range(APPS + SERVICES, ENTITIES - HOSTS)
    for entity in range(ENTITIES):
        below: list[int] = []
        if entity in range(APPS):
            below = chance.sample(services, chance.choice((2, 2, 3, 3)))
        elif entity in services:
            below = chance.sample(databases, chance.choice((1, 1, 2)))
            below += chance.sample(services, chance.choice((0, 0, 1)))
        if entity < ENTITIES - HOSTS:
            below.append(ENTITIES - HOSTS + entity % HOSTS)
        host, service = labels_of(entity)
        yield _entity(
            kind="Component" if entity < APPS + SERVICES else "Resource",
            name=_name(entity),
            annotations={
                "watchkeeper.io/match": f'host="{host}",service="{service}"',
                "watchkeeper.io/tier": str(1 + entity % 3),
            },
            depends_on=[_ref(other) for other in below if other != entity],
        )


def _touch_targets() -> Iterator[Document]:
    for target in range(TOUCH_TARGETS):
        labels = touch_labels(target)
        yield _entity(
            kind="Resource",
            name=labels["host"],
            annotations={
                "watchkeeper.io/match": f'host="{labels["host"]}",service="{labels["service"]}"',
                "watchkeeper.io/connection": "local",
            },
            depends_on=[],
        )


def _entity(
    *, kind: str, name: str, annotations: dict[str, str], depends_on: list[str]
) -> Document:
    spec = {"type": "service", "lifecycle": "production", "owner": "group:default/bench"}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": spec | ({"dependsOn": depends_on} if depends_on else {}),
    }


def _unmatched_rules(count: int) -> Iterator[Document]:
    """Rules whose two equalities are each true for many alerts and never both for one."""
    for number in range(count):
        _, service = labels_of((number + 1) % (ENTITIES - HOSTS))
        when = (
            f'alert.labels.alertname == "{alertname_of(number)}"'
            f' && alert.labels.service == "{service}"'
        )
        yield _rule(f"bench-{number:04}", when, {"token": {"label": "serial"}})


def _rule(name: str, when: str, parameters: Document) -> Document:
    return {
        "apiVersion": API_VERSION,
        "kind": "RemediationRule",
        "metadata": {"name": name, "author": "bench"},
        "spec": {
            "when": when,
            "remediation": "bench-touch",
            "target": "alert",
            "mode": "auto",
            "parameters": parameters,
        },
    }


def _write_config(folder: Path, *, concurrency: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    touched_folder(folder).mkdir()
    config = folder / "config.yaml"
    settings = {
        "rules": "./rules",
        "remediations": "./remediations",
        "ansible": {"concurrency": concurrency},
    }
    _write(config, [settings])
    owner = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": {"name": "bench", "namespace": "default"},
        "spec": {"type": "team"},
    }
    _write(folder / "rules" / "maps" / "people.yaml", [owner])
    policy = {
        "apiVersion": API_VERSION,
        "kind": "ChangePolicy",
        "metadata": {"name": "bench"},
        "spec": {
            "concurrency": concurrency,
            "rules": [{"name": "allow-all", "when": "true", "decision": "allow"}],
        },
    }
    standard = {
        "apiVersion": API_VERSION,
        "kind": "StandardChange",
        "metadata": {"name": "bench-touch"},
        "spec": {"remediation": "bench-touch", "owner": "bench", "expires": "2100-01-01"},
    }
    # A try follows a try, each on a target of its own: that is what the bulk guard is there for.
    autonomy = {
        "apiVersion": API_VERSION,
        "kind": "Autonomy",
        "metadata": {"name": "bench"},
        "spec": {"bulkTargets": TOUCH_TARGETS},
    }
    _write(folder / "rules" / "policy" / "bench.yaml", [policy, standard, autonomy])
    return config


def _write_touch_remediation(folder: Path) -> None:
    home = folder / "remediations" / "bench-touch"
    contract = {
        "apiVersion": API_VERSION,
        "kind": "Remediation",
        "metadata": {"name": "bench-touch", "title": "Touch one file", "author": "bench"},
        "spec": {
            "parameters": [{"name": "token", "type": "string", "pattern": "[a-z0-9-]{1,40}"}],
            "change": {"model": "standard"},
            "checkMode": True,
            "rollback": "irreversible",
            "timeout": "1m",
        },
    }
    _write(home / "remediation.yaml", [contract])
    _write(
        home / "playbook.yml",
        [touch_playbook(touched_folder(folder), hosts="targets", token="agent_input.token")],
    )
    (home / "README.md").write_text("# Touch one file\n\nThe smallest effect that can be seen.\n")


def _write(path: Path, documents: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The C emitter where it exists: 1,000 descriptors take a second without it.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    with path.open("w") as file:
        yaml.dump_all(documents, file, Dumper=dumper, sort_keys=False)
