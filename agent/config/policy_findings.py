"""Whether documents of change policy fit each other, the map, and the remediations.

Not here: the shape of one document (`schema_policy`).
"""

from collections.abc import Iterator

from agent.config.condition_findings import condition_findings
from agent.config.documents import Rules, Written
from agent.config.policy import documents_of
from agent.config.references import did_you_mean, entity_ref
from agent.config.remediations import Registry
from agent.config.schema_policy import ChangePolicySpec, StandardChangeSpec
from agent.config.service_map import Mention, unknown_entity
from agent.config.shadowed import policy_shadows
from agent.config.values import value_problem
from agent.core.conditions import Scope
from agent.errors import Finding
from agent.model.service import ServiceMap


def policy_findings(rules: Rules, room: int) -> Iterator[Finding]:
    """Mistakes in or between the documents of change policy; `room` is for how many runs."""
    names: dict[str, str] = {}
    keys: dict[str, str] = {}
    for policy in documents_of(rules):
        yield from _repeated(policy, names, keys)
        if policy.spec.concurrency > room:
            said = (
                f"concurrency: {policy.spec.concurrency} runs at once, "
                f"but config.yaml allows {room}."
            )
            hint = (
                "A run that finds no room is refused: lower this, or raise ansible.concurrency "
                "there."
            )
            yield policy.finding(("concurrency",), said, hint)
        for number, rule in enumerate(policy.spec.rules):
            loc = ("spec", "rules", number, "when")
            yield from condition_findings(policy.document, loc, rule.when, Scope.POLICY)
    yield from policy_shadows(documents_of(rules))


def template_findings(
    rules: Rules, registry: Registry, service_map: ServiceMap
) -> Iterator[Finding]:
    """Mistakes in templates of standard changes."""
    for template in rules.of(StandardChangeSpec):
        spec = template.spec
        if spec.when is not None:
            loc = ("spec", "when")
            yield from condition_findings(template.document, loc, spec.when, Scope.POLICY)
        if spec.remediation not in registry.names:
            known = ", ".join(sorted(registry.names)) or "none"
            hint = did_you_mean(spec.remediation, registry.names) or f"Defined: {known}."
            said = f'remediation "{spec.remediation}" is not defined.'
            yield template.finding(("remediation",), said, hint)
        yield from _targets(template, service_map)
        yield from _parameters(template, registry, service_map)
        if not spec.within:
            yield template.finding(("within",), "within must be more than 0s.")


def _repeated(
    policy: Written[ChangePolicySpec], names: dict[str, str], keys: dict[str, str]
) -> Iterator[Finding]:
    for number, rule in enumerate(policy.spec.rules):
        here = policy.finding(("rules", number, "name"), "")
        first = names.setdefault(rule.name, f"{here.file}:{here.line}")
        if first != f"{here.file}:{here.line}":
            said = f'a second rule "{rule.name}": the reason of a decision names its rule.'
            yield policy.finding(("rules", number, "name"), said, f"The first stands at {first}.")
    for name in sorted(policy.spec.model_fields_set - {"rules", "approved_by"}):
        key = type(policy.spec).model_fields[name].alias or name
        here = policy.finding((key,), "")
        first = keys.setdefault(name, f"{here.file}:{here.line}")
        if first != f"{here.file}:{here.line}":
            said = f"{key} is said a second time: only one document may say it."
            yield policy.finding((key,), said, f"The first stands at {first}.")


def _targets(template: Written[StandardChangeSpec], service_map: ServiceMap) -> Iterator[Finding]:
    for number, text in enumerate(template.spec.entities):
        try:
            ref = entity_ref(text)
        except ValueError as error:
            yield template.finding(("entities", number), f"{error}.")
            continue
        if ref not in service_map.entities:
            mention = Mention(ref, template.document, ("spec", "entities", number))
            yield unknown_entity(mention, service_map.entities)


def _parameters(
    template: Written[StandardChangeSpec], registry: Registry, service_map: ServiceMap
) -> Iterator[Finding]:
    remediation = registry.remediations.get(template.spec.remediation)
    if remediation is None:
        return
    declared = {parameter.name: parameter for parameter in remediation.parameters}
    for name, values in template.spec.parameters.items():
        if name not in declared:
            said = f'{remediation.name} declares no parameter "{name}".'
            yield template.document.key_finding(("spec", "parameters", name), said, "")
            continue
        for number, value in enumerate(values):
            problem = value_problem(declared[name], value, service_map)
            if problem:
                said = f'parameter "{name}" of {remediation.name}: {problem}.'
                yield template.finding(("parameters", name, number), said)
