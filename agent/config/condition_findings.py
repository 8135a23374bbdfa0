"""Conditions checked where they stand: names and types, with line and column in the file.

The one place of this package that uses the core: conditions must be checked by what runs them.
"""

import re
from collections.abc import Iterator

from agent.config.references import did_you_mean
from agent.config.yaml_lines import Document, Loc
from agent.core.conditions import ConditionError, Scope, compile_condition, groupable
from agent.errors import Finding

GROUPABLE_TEXTS = re.compile(r"alert\.(?:labels|annotations)\.\S+")
"""A label or annotation of any name."""
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '_?(.+?)_?' applied to '\((.*)\)'")
_EXPECTING = re.compile(r" expecting \{.*", re.DOTALL)


def condition_findings(document: Document, loc: Loc, text: str, scope: Scope) -> Iterator[Finding]:
    """The first mistake of the condition at this place, or nothing."""
    try:
        compile_condition(text, scope)
    except ConditionError as error:
        message, hint = _EXPECTING.sub("", error.message), ""
        if unknown := _UNDECLARED.search(message):
            name = unknown[1]
            message = f'there is no "{name}" in a condition of this kind'
            known = sorted(scope.variables)
            hint = did_you_mean(name, known) or f"Known: {', '.join(known)}."
        if overload := _OVERLOAD.search(message):
            message = f"`{overload[1]}` does not fit {overload[2].replace(', ', ' and ')}"
        yield document.text_finding(loc, error.line, error.column, f"{message}.", hint)


def fact_findings(document: Document, loc: Loc, name: str) -> Iterator[Finding]:
    """What is wrong with the name of a fact that a rule groups by, or nothing."""
    if GROUPABLE_TEXTS.fullmatch(name):
        return
    known = groupable(Scope.REMEDIATION)
    if name not in known:
        hint = did_you_mean(name, known)
        hint = hint or f"Known: {', '.join(known)}, alert.labels.NAME, alert.annotations.NAME."
        yield document.finding(loc, f'there is no fact "{name}" to group by.', hint)
