"""Rules that can never do anything, because an earlier one always comes first.

Told only where it is certain: all conditions of the earlier rule stand in the later one as well.
Not here: whether a condition is one at all (`condition_findings`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.config.documents import Written
from agent.config.schema_policy import ChangePolicySpec
from agent.config.schema_rules import RemediationRuleSpec
from agent.core.conditions import Scope, conjuncts
from agent.errors import Finding

DEFER = "defer"
"""Lets later rules decide when its time is over."""
COMPARED_MAX = 300
"""Of the rules for one remediation so many are compared with each other."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A rule that decides whenever these hold."""

    name: str
    parts: frozenset[str]
    at: Finding


def policy_shadows(documents: Sequence[Written[ChangePolicySpec]]) -> Iterator[Finding]:
    """Rules of change policy that are never asked; `documents` in the order of decision."""
    earlier: list[_Earlier] = []
    for policy in documents:
        for number, rule in enumerate(policy.spec.rules):
            parts = _parts(rule.when, Scope.POLICY)
            first = next((each for each in earlier if each.parts <= parts), None)
            if first is not None:
                said = f'rule "{rule.name}" is never asked: whenever it holds, "{first.name}"'
                where = f"({first.at.file}:{first.at.line}) holds and stands before it."
                hint = "Move it up, or remove it."
                yield policy.finding(("rules", number, "when"), f"{said} {where}", hint)
            elif rule.decision != DEFER:
                at = policy.finding(("rules", number), "")
                earlier.append(_Earlier(rule.name, parts, at))


def remediation_shadows(rules: Sequence[Written[RemediationRuleSpec]]) -> Iterator[Finding]:
    """Remediation rules that ask for nothing that another does not ask for already."""
    alike: dict[tuple[str, str], list[Written[RemediationRuleSpec]]] = {}
    for rule in rules:
        alike.setdefault((rule.spec.remediation, rule.spec.target), []).append(rule)
        if "false" in _parts(rule.spec.when, Scope.REMEDIATION):
            yield rule.finding(("when",), "this rule never holds.", "Remove it.")
    for group in alike.values():
        for rule in group[:COMPARED_MAX]:
            other = next((each for each in group[:COMPARED_MAX] if _outdoes(each, rule)), None)
            if other is not None:
                said = f'rule "{other.name}" asks for the same whenever this one does.'
                yield rule.finding(("when",), said, "Remove one of both.")


def _outdoes(one: Written[RemediationRuleSpec], other: Written[RemediationRuleSpec]) -> bool:
    if one is other or not _asks_always_for(one.spec, other.spec):
        return False
    return one.name < other.name or not _asks_always_for(other.spec, one.spec)


def _asks_always_for(one: RemediationRuleSpec, other: RemediationRuleSpec) -> bool:
    """Whether `one` asks for what `other` asks for, at least as often and as soon."""
    return (
        one.throttle is None
        and one.settle <= other.settle
        and not one.also
        and _parts(one.when, Scope.REMEDIATION) <= _parts(other.when, Scope.REMEDIATION)
    )


@lru_cache(maxsize=8_192)
def _parts(text: str, scope: Scope) -> frozenset[str]:
    return frozenset(part.strip() for part in conjuncts(text, scope)) - {"true"}
