"""Imported rules as files: one of rules, and a folder for each remediation still to be written."""

from collections.abc import Mapping
from typing import Any

import yaml

from agent.config.durations import format_duration
from agent.config.rulebook.translate import Imported, Rule
from agent.config.schema import API_VERSION

UNFINISHED = """\
# Stands for {playbook}, which an imported rulebook played. Nothing is done until a person has
# written it: values come as `agent_input.NAME`, and `hosts` is always `targets`.
- name: Not written yet
  hosts: targets
  gather_facts: false
  tasks:
    - name: Say that nobody has written it
      ansible.builtin.fail:
        msg: "{name} was imported and never finished; nothing was done with {{{{ agent_input }}}}"
"""
TO_DO = """\
# {name}

Stands for `{playbook}` of an imported rulebook. Before it may run:

1. Write `playbook.yml` for `hosts: targets`; the values of the alert come as `agent_input.NAME`.
2. Declare its parameters in `remediation.yaml`, each as narrow as can be.
3. Say how success shows (`verify`), and how it is undone (`rollback`), or leave `irreversible`.
4. Say in `change.model` whether people must agree each time.
5. Run `watchkeeper check`, and write a scenario for the rule.
"""


def rules_text(imported: Imported, *, author: str, source: str) -> str:
    """The rules as one YAML file, in their order."""
    documents = [_document(rule, author) for rule in imported.rules]
    head = f"# Imported from {source} with `watchkeeper rules import-rulebook`.\n"
    return head + yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True
    )


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def skeleton(imported: Imported, name: str, *, author: str) -> Mapping[str, str]:
    """The files of a remediation that a person has to finish, by name."""
    playbook = imported.skeletons[name]
    rules = [rule for rule in imported.rules if rule.remediation == name]
    parameters = dict.fromkeys(key for rule in rules for key in rule.parameters)
    contract = {
        "apiVersion": API_VERSION,
        "kind": "Remediation",
        "metadata": {"name": name, "title": f"To be written: {playbook}", "author": author},
        "spec": {
            "parameters": [_parameter(key, rules) for key in parameters],
            "change": {"model": "normal"},
            "checkMode": False,
            "rollback": "irreversible",
        },
    }
    return {
        "remediation.yaml": yaml.safe_dump(contract, sort_keys=False, allow_unicode=True),
        "playbook.yml": UNFINISHED.format(name=name, playbook=playbook),
        "README.md": TO_DO.format(name=name, playbook=playbook),
    }


def _parameter(name: str, rules: list[Rule]) -> Mapping[str, Any]:
    """As narrow as what is known of it: fixed values of one kind, else a plain word."""
    sources = [rule.parameters[name] for rule in rules if name in rule.parameters]
    values = [source["value"] for source in sources if "value" in source]
    is_fixed = len(values) == len(sources)
    common = {"name": name, "required": len(sources) == len(rules)}
    if is_fixed and all(isinstance(value, bool) for value in values):
        return {**common, "type": "boolean"}
    if is_fixed and all(type(value) is int for value in values):
        return {**common, "type": "integer"}
    if is_fixed:
        return {**common, "type": "string", "choices": sorted({str(value) for value in values})}
    return {**common, "type": "string", "pattern": "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"}


def _document(rule: Rule, author: str) -> Mapping[str, Any]:
    spec: dict[str, Any] = {"when": rule.when}
    if rule.also:
        spec["also"] = list(rule.also)
    if rule.within is not None:
        spec["within"] = format_duration(rule.within)
    spec |= {"remediation": rule.remediation, "target": "alert"}
    if rule.parameters:
        spec["parameters"] = {name: dict(source) for name, source in rule.parameters.items()}
    if rule.throttle is not None:
        given = {
            "onceWithin": rule.throttle.once_within,
            "onceAfter": rule.throttle.once_after,
            "accumulateWithin": rule.throttle.accumulate_within,
        }
        throttle: dict[str, Any] = {
            name: format_duration(span) for name, span in given.items() if span is not None
        }
        if rule.throttle.threshold is not None:
            throttle["threshold"] = rule.throttle.threshold
        spec["throttle"] = {**throttle, "groupBy": list(rule.group_by)}
    metadata = {"name": rule.name, "title": rule.title, "author": author}
    return {
        "apiVersion": API_VERSION,
        "kind": "RemediationRule",
        "metadata": metadata,
        "spec": spec,
    }
