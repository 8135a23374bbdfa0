"""The actions of a rule of ansible-rulebook: playing one playbook is taken over, the rest not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.config.rulebook.schema import RuleIn, RunPlaybook
from agent.config.schema import validate
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.remediation import ParameterValue

SILENT = ("debug", "print_event", "none")
"""Actions that change nothing."""
INSTEAD = {
    "run_module": "Put the module into a playbook, and register that as a remediation.",
    "run_job_template": "Register a remediation that the template stands for.",
    "run_workflow_template": "Register a remediation for what the workflow does.",
    "post_event": "Write one rule about the alert itself.",
    "set_fact": "Ask labels, the service map or the incident instead.",
    "retract_fact": "Ask labels, the service map or the incident instead.",
    "shutdown": "Silence the alerts, or freeze changes with a calendar.",
    "pg_notify": "Add a receiver and a Route.",
}
UNHEARD = ("copy_files", "verbosity", "json_mode", "var_root", "lock")
BY_CONTRACT = ("retry", "retries", "delay")
_LABEL = re.compile(r"\{\{\s*event\.alert\.labels\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """The playbook that a rule runs, and where its parameters come from."""

    playbook: str
    parameters: Mapping[str, Mapping[str, ParameterValue]]


def play_of(
    rule: RuleIn, document: Document, at: Loc, findings: list[Finding], notes: list[Finding]
) -> Play | None:
    """The one playbook that the rule runs; None where it runs none, or findings say why not."""
    found: list[tuple[dict[str, Any], Loc]] = [
        (action, (*at, "actions", number)) for number, action in enumerate(rule.actions or ())
    ]
    if rule.action is not None:
        found.append((rule.action, (*at, "action")))
    plays = []
    for action, loc in found:
        for name, body in action.items():
            if name == "run_playbook":
                plays.append((body, (*loc, name)))
            elif name in SILENT:
                notes.append(document.key_finding((*loc, name), f"{name}: the story tells it."))
            else:
                said = f"{name}: this action is not taken over."
                hint = INSTEAD.get(name, "Only run_playbook is.")
                findings.append(document.key_finding((*loc, name), said, hint))
    if len(plays) > 1:
        said = "a second run_playbook: a rule here asks for one remediation."
        findings.append(document.key_finding(plays[1][1], said, "Write one rule for each."))
        return None
    if not plays:
        notes.append(document.finding(at, f'rule "{rule.name}" runs nothing and is left out.'))
        return None
    (body, loc), *_ = plays
    return _play(body, document, loc, findings, notes)


def _play(
    body: object, document: Document, loc: Loc, findings: list[Finding], notes: list[Finding]
) -> Play | None:
    play = validate(RunPlaybook, document, body, at=loc)
    if isinstance(play, list):
        findings += play
        return None
    for name in ("set_facts", "post_events"):
        if getattr(play, name):
            said = f"{name}: what a playbook finds out does not come back as an event."
            hint = "Let monitoring notice it: an alert is what rules are asked about."
            findings.append(document.key_finding((*loc, name), said, hint))
    for name in BY_CONTRACT:
        if getattr(play, name) is not None:
            said = f"{name}: attempts and cooldown stand in remediation.yaml."
            notes.append(document.key_finding((*loc, name), said))
    for name in UNHEARD:
        if getattr(play, name) is not None:
            said = f"{name}: not taken over, and not needed."
            notes.append(document.key_finding((*loc, name), said))
    parameters: dict[str, Mapping[str, ParameterValue]] = {}
    for name, value in play.extra_vars.items():
        source = _source(value)
        if source is None:
            said = f"extra_vars: {name} is neither a plain value nor one label of the alert."
            hint = 'Write a text, an integer, true, false or "{{ event.alert.labels.NAME }}".'
            findings.append(document.finding((*loc, "extra_vars", name), said, hint))
        else:
            parameters[name] = source
    return Play(playbook=play.name, parameters=parameters)


def _source(value: object) -> Mapping[str, ParameterValue] | None:
    if isinstance(value, str):
        label = _LABEL.fullmatch(value.strip())
        if label:
            return {"label": label[1]}
        return None if "{{" in value or "{%" in value else {"value": value}
    return {"value": value} if isinstance(value, int) else None
