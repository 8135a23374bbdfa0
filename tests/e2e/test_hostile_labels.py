"""Claims about hostile labels: from the POST to real hosts they stay the text that they are."""

import json
from functools import partial
from pathlib import Path

import pytest

from deploy.demo.programs import missing
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import ALLOW_STANDARD, BACKSTAGE, Company, Document, rule
from tests.e2e.sender import alert
from tests.e2e.ssh_host import ssh_host
from tests.runtime.ansible.test_hostile_input import MAGIC_NAMES, hostile_values

ANYTHING = r"[\s\S]*"
"""As careless a pattern as can be written: nothing is left for it to hold back."""


UNDER_WAY = ("draft", "starting", "running")
PLAYED_S_MAX = 60.0


def write_careless(company: Company, values: int, kept: Path) -> None:
    """A remediation that takes any text, and uses it wherever that is allowed."""
    keys = [f"v{number}" for number in range(values)]
    tasks = [
        {
            "name": "By argument {{ agent_input.v0 }}",
            "ansible.builtin.command": {
                "argv": ["echo", *(f"{{{{ agent_input.{key} }}}}" for key in keys)]
            },
            "changed_when": False,
        },
        {
            "name": "As a condition {{ agent_input.v1 }}",
            "ansible.builtin.debug": {"msg": "{{ again }} {{ agent_input.v2 }}"},
            "when": "agent_input.v0 != agent_input.v1",
            "vars": {"copied": "{{ agent_input }}", "again": "{{ copied.v0 }}"},
        },
        {"name": "Through facts", "ansible.builtin.set_fact": {"one": "{{ agent_input.v0 }}"}},
        {
            "name": "In the environment",
            "ansible.builtin.command": {"argv": ["env"]},
            "environment": {"VALUE": "{{ one }}"},
            "changed_when": False,
        },
        {
            "name": "Into a file",
            "ansible.builtin.copy": {
                "content": "{{ agent_input | to_json }}",
                "dest": f"{kept}-{{{{ inventory_hostname }}}}",
                "mode": "0600",
            },
        },
    ]
    play = {"hosts": "targets", "gather_facts": False, "tasks": tasks}
    folder = company.remediations / "careless"
    folder.mkdir()
    (folder / "playbook.yml").write_text(json.dumps([play]))
    spec = {
        "parameters": [{"name": key, "type": "string", "pattern": ANYTHING} for key in keys],
        "change": {"model": "standard"},
        "verify": {"stableFor": "0s", "within": "3s", "every": "200ms"},
        "rollback": "irreversible",
        "timeout": "60s",
    }
    document = rule("Remediation", "careless", spec, author="mira")
    (folder / "remediation.yaml").write_text(json.dumps(document))


def on_host(name: str, address: str, key: Path) -> Document:
    """A service on a host that is reached by SSH."""
    annotations = {
        "watchkeeper.io/match": f'service="{name}"',
        "watchkeeper.io/ssh-host": address,
        "watchkeeper.io/ssh-key-file": str(key),
    }
    about = {"name": name, "annotations": annotations}
    return {
        "apiVersion": BACKSTAGE,
        "kind": "Component",
        "metadata": about,
        "spec": {"type": "service"},
    }


def read(path: str) -> object:
    return json.loads(Path(path).read_text())


async def test_hostile_labels_stay_text_on_real_hosts(company: Company, tmp_path: Path) -> None:
    """Names and values that would leave a canary if anything evaluated, split or opened them are
    posted, matched, and played locally and by SSH: no canary, and each value arrives unchanged."""
    if reason := missing(("ssh", "ssh-keygen", "sshd")):
        pytest.skip(reason)
    canary, kept = tmp_path / "canary", tmp_path / "kept"
    # What JSON cannot say is refused where it comes in, and has its own tests there.
    values = [value for value in hostile_values(canary) if "\0" not in value]
    labels = {f"l{number}": value for number, value in enumerate(values)}
    names = dict.fromkeys(MAGIC_NAMES, f"{{{{ lookup('pipe', 'touch {canary}') }}}}")
    sources = {f"v{number}": {"label": f"l{number}"} for number in range(len(values))}
    when = 'alert.name == "Hostile"'
    spec = {"when": when, "remediation": "careless", "target": "alert", "mode": "auto"}
    mend = rule("RemediationRule", "careless", spec | {"parameters": sources}, author="carla")
    async with ssh_host(tmp_path / "ssh") as (address, key):
        company.found(mend, on_host("far", address, key), ALLOW_STANDARD)
        write_careless(company, len(values), kept)
        standard = {"remediation": "careless", "owner": "mira", "expires": "2100-01-01"}
        company.write_rules("standard-careless", rule("StandardChange", "careless", standard))
        async with Agent(company) as agent:
            for service in ("web", "far"):
                said = alert(service, "Hostile", labels=labels | names)
                await agent.post("/api/v2/alerts", [said])
            for service in ("web", "far"):
                await eventually(
                    partial(agent.change, service),
                    lambda seen: seen["state"] not in UNDER_WAY,
                    limit_s=PLAYED_S_MAX,
                )

    assert not canary.exists()
    expected = {f"v{number}": value for number, value in enumerate(values)}
    arrived = {name: read(f"{kept}-{name}") for name in ("web", "far")}
    assert {"web": expected, "far": expected} == arrived
