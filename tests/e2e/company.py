"""Everything that operators would write for a small company, and the one host that it has.

The host is this machine: a playbook that mends a service leaves lines in a file, so that what was
done is counted where it was done and not by what the agent says of it.
"""

import json
import secrets
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.programs import LOOPBACK, free_ports

ROLES = {
    "vera": "viewer",
    "olga": "operator",
    "anna": "approver",
    "carla": "approver",
    "root": "admin",
}
"""Everybody who may use the agent. Carla wrote the rule that asks for remediations."""
WATCHKEEPER = "watchkeeper.io/v1"
BACKSTAGE = "backstage.io/v1alpha1"
HOLD_S_MAX = 30

Document = dict[str, Any]


def rule(kind: str, name: str, spec: Document, **metadata: str) -> Document:
    """A document of the rules folder."""
    about = {"name": name, **metadata}
    return {"apiVersion": WATCHKEEPER, "kind": kind, "metadata": about, "spec": spec}


def service(name: str, **spec: Any) -> Document:
    """A service on this machine, which its alerts call by name."""
    annotations = {
        "watchkeeper.io/match": f'service="{name}"',
        "watchkeeper.io/connection": "local",
    }
    about = {"name": name, "annotations": annotations}
    return {"apiVersion": BACKSTAGE, "kind": "Component", "metadata": about, "spec": spec}


MEND_WHEN_DOWN = rule(
    "RemediationRule",
    "mend-when-down",
    {
        "when": 'alert.name == "Down"',
        "remediation": "mend",
        "target": "alert",
        "mode": "auto",
        "parameters": {"service": {"label": "service"}},
    },
    author="carla",
)
ALLOW_STANDARD = rule(
    "ChangePolicy",
    "policy",
    {"rules": [{"name": "standard", "when": 'change.type == "standard"', "decision": "allow"}]},
)
QUICK = rule("Correlation", "correlation", {"window": "1m", "quiet": "1s"})
PATIENT = rule("Correlation", "correlation", {"window": "1m", "quiet": "10m"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A folder with configuration, rules, remediations and the traces of what was done.

    Without `tokens` everybody on this machine may read, and send alerts.
    """

    folder: Path
    address: str = field(default_factory=lambda: f"{LOOPBACK}:{free_ports(1)[0]}")
    tokens: Mapping[str, str] = field(
        default_factory=lambda: {name: secrets.token_urlsafe(32) for name in ROLES}
    )

    @property
    def rules(self) -> Path:
        """The rules folder."""
        return self.folder / "rules"

    @property
    def remediations(self) -> Path:
        """The folder of registered playbooks."""
        return self.folder / "remediations"

    @property
    def data(self) -> Path:
        """The agent's own folder."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "config.yaml"

    def found(
        self, *documents: Document, services: tuple[str, ...] = ("web",), **settings: Any
    ) -> None:
        """Write it all; `documents` go beside the usual ones, of which those of a kind that there
        is one of, policy and correlation, replace ours."""
        self.rules.mkdir()
        self.remediations.mkdir()
        self.write_settings(**settings)
        self.write_rules("map", *(service(name, type="service") for name in services))
        policies = [each for each in documents if each["kind"] == "ChangePolicy"]
        others = [each for each in documents if each["kind"] != "ChangePolicy"]
        is_quick = all(each["kind"] != "Correlation" for each in others)
        self.write_rules("usual", *([QUICK] if is_quick else []), MEND_WHEN_DOWN)
        self.write_rules("policy", *(policies or [ALLOW_STANDARD]))
        self.write_rules("own", *others)
        self.write_remediation()

    def write_settings(self, **settings: Any) -> None:
        """Write config.yaml and the files of the tokens."""
        tokens = self.folder / "tokens"
        tokens.mkdir(exist_ok=True)
        for name, token in self.tokens.items():
            (tokens / name).write_text(token)
        usual = {
            "listen": self.address,
            "data": str(self.data),
            "tokens": [
                {"name": name, "roles": [ROLES[name]], "token_file": str(tokens / name)}
                for name in self.tokens
            ],
        }
        self.config.write_text(json.dumps(usual | settings, indent=1))

    def write_rules(self, name: str, *documents: Document) -> None:
        """Write a file of the rules folder, in one step as editors do."""
        text = "\n---\n".join(json.dumps(each, indent=1) for each in documents)
        written = self.folder / f"{name}.new"
        written.write_text(text)
        written.rename(self.rules / f"{name}.yaml")

    def write_remediation(self, name: str = "mend", *, status: int = 0, **spec: Any) -> None:
        """Register one that leaves a line when it begins and one when it ends, with this status."""
        script = self.folder / f"{name}.sh"
        script.write_text(
            textwrap.dedent(f"""\
                #!/bin/sh
                echo "begin $1" >> {self.folder}/effects
                left={HOLD_S_MAX * 20}
                while [ -e "{self.folder}/hold-$1" ] && [ $left -gt 0 ]; do
                  sleep 0.05
                  left=$((left - 1))
                done
                echo "end $1" >> {self.folder}/effects
                exit {status}
                """)
        )
        script.chmod(0o755)
        folder = self.remediations / name
        folder.mkdir(parents=True, exist_ok=True)
        task = {
            "name": "Mend it",
            "ansible.builtin.command": {"argv": [str(script), "{{ agent_input.service }}"]},
        }
        play = {"name": "Mend", "hosts": "targets", "gather_facts": False, "tasks": [task]}
        (folder / "playbook.yml").write_text(json.dumps([play]))
        usual: Document = {
            "parameters": [{"name": "service", "type": "string", "pattern": "[a-z0-9-]+"}],
            "change": {"model": "standard"},
            "verify": {"stableFor": "0s", "within": "3s", "every": "200ms"},
            "rollback": "irreversible",
            "timeout": "20s",
            "cooldown": "1s",
        }
        document = rule("Remediation", name, usual | spec, author="mira", title="Mend it")
        (folder / "remediation.yaml").write_text(json.dumps(document))
        template = {
            "remediation": name,
            "owner": "mira",
            "expires": "2100-01-01",
            "withdrawAfter": {"failures": 100, "of": 100},
        }
        self.write_rules(f"standard-{name}", rule("StandardChange", name, template))

    def effects(self) -> list[str]:
        """What the playbook did on the host, in order: `begin web`, `end web`."""
        path = self.folder / "effects"
        return path.read_text().splitlines() if path.exists() else []

    def hold(self, service: str) -> None:
        """Let the mending of a service take as long as until `let_go`."""
        (self.folder / f"hold-{service}").touch()

    def let_go(self, service: str) -> None:
        """End the wait."""
        (self.folder / f"hold-{service}").unlink()

    def processes(self) -> list[str]:
        """Command lines of living processes that have to do with this folder."""
        mark = str(self.folder).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if command and (mark in command or mark in environment):
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
        return found
