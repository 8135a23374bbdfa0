"""A rulebook as remediation rules: what means the same is taken over, the rest is told.

A *finding* says what is not taken over and what to do instead; a *note* what a person should know
of what is. Not here: writing files (`write`), or whether the rules fit the service map (`check`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import PurePosixPath

from agent.config.rulebook import conditions
from agent.config.rulebook.actions import Play, play_of
from agent.config.rulebook.grammar import Compared, GrammarError, Joined, Literal, Node, Path, parse
from agent.config.rulebook.schema import RuleIn, Ruleset, Several, Throttle
from agent.config.schema import validate
from agent.config.yaml_lines import Document, Loc, parse_documents
from agent.errors import Finding
from agent.model.remediation import ParameterValue

RULES_MAX = 1_000
NAME_CHARS_MAX = 63
_SUFFIX = re.compile(r"\.ya?ml$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A remediation rule in the making."""

    name: str
    title: str
    when: str
    also: tuple[str, ...] = ()
    within: timedelta | None = None
    throttle: Throttle | None = None
    group_by: tuple[str, ...] = ()
    remediation: str
    playbook: str
    parameters: Mapping[str, Mapping[str, ParameterValue]]


@dataclass(slots=True)
class Imported:
    """What a rulebook became."""

    rules: list[Rule] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    skeletons: dict[str, str] = field(default_factory=dict)
    """Remediations that a person has to write, with the playbook that they stand for."""


def import_rulebook(content: bytes, file: str, remediations: Mapping[str, str]) -> Imported:
    """The rules of this file; `remediations` says what playbooks are called here.

    Raises ConfigError for what is no YAML.
    """
    imported = Imported()
    for document in parse_documents(content, file):
        if not isinstance(document.value, list):
            said = "a rulebook is a list of rulesets."
            imported.findings.append(document.finding((), said))
            continue
        for number, value in enumerate(document.value):
            ruleset = validate(Ruleset, document, value, at=(number,))
            if isinstance(ruleset, list):
                imported.findings += ruleset
            else:
                _Importer(imported, document, remediations).take(ruleset, (number,))
    return imported


@dataclass(frozen=True, slots=True)
class _When:
    """The conditions of a rule: that of the alert it acts on first."""

    nodes: tuple[Node, ...] = ()
    within: timedelta | None = None


class _Importer:
    """One ruleset on its way."""

    def __init__(
        self, imported: Imported, document: Document, remediations: Mapping[str, str]
    ) -> None:
        self._imported = imported
        self._document = document
        self._remediations = remediations
        self._earlier: list[Node] = []
        """Conditions of the rules before: whoever matches first takes the event."""

    def take(self, ruleset: Ruleset, loc: Loc) -> None:
        if ruleset.gather_facts:
            said = "gather_facts: facts of hosts are not gathered."
            self._refuse((*loc, "gather_facts"), said, "Ask labels of the alert instead.")
        said = "sources: alerts come from the sources of config.yaml; these are not taken over."
        self._note((*loc, "sources"), said)
        said = "hosts: a rule acts on the host that the service map has for the alert's entity."
        self._note((*loc, "hosts"), said)
        if len(ruleset.rules) > RULES_MAX:
            self._refuse((*loc, "rules", RULES_MAX), f"more than {RULES_MAX} rules.", "Split it.")
        for number, value in enumerate(ruleset.rules[:RULES_MAX]):
            at = (*loc, "rules", number)
            rule = validate(RuleIn, self._document, value, at=at)
            if isinstance(rule, list):
                self._imported.findings += rule
            elif rule.enabled:
                self._take_rule(rule, ruleset, at)
            else:
                self._note((*at, "enabled"), f'rule "{rule.name}" is switched off and left out.')

    def _take_rule(self, rule: RuleIn, ruleset: Ruleset, at: Loc) -> None:
        before = len(self._imported.findings)
        found = self._conditions(rule, ruleset, at)
        nodes = found.nodes
        play = play_of(rule, self._document, at, self._imported.findings, self._imported.notes)
        group_by = self._group_by(rule, at)
        if rule.throttle and len(nodes) > 1:
            said = "throttle: it works with a single condition only."
            self._refuse((*at, "throttle"), said, "Throttle a rule of one condition.")
        refused = len(self._imported.findings) > before
        if nodes and not refused and play is not None:
            self._add(rule, found, play, group_by, at=at)
        if len(nodes) == 1 and not ruleset.match_multiple_rules:
            self._earlier.append(nodes[0])
        elif len(nodes) > 1 and not ruleset.match_multiple_rules:
            said = "condition: alerts that this rule takes are offered to later rules as well."
            self._note((*at, "condition"), said)

    def _add(
        self, rule: RuleIn, found: _When, play: Play, group_by: tuple[str, ...], *, at: Loc
    ) -> None:
        when, *also = (conditions.condition_of(node) for node in found.nodes)
        meeting = [each for each in self._earlier if not _are_apart(each, found.nodes[0])]
        if meeting:
            said = "condition: without match_multiple_rules the first rule that holds takes an "
            said += "alert, so the conditions before are written into this one."
            self._note((*at, "condition"), said)
            inner = f"({when})" if "||" in when else when
            when = " &&\n".join([inner, *(f"!{conditions.holds(each)}" for each in meeting)])
        made = Rule(
            name=self._name(rule.name),
            title=rule.name,
            when=when,
            also=tuple(also),
            within=found.within,
            throttle=rule.throttle,
            group_by=group_by,
            remediation=self._remediation(play.playbook),
            playbook=play.playbook,
            parameters=play.parameters,
        )
        self._imported.rules.append(made)

    def _conditions(self, rule: RuleIn, ruleset: Ruleset, at: Loc) -> _When:
        loc = (*at, "condition")
        if isinstance(rule.condition, str | bool):
            text = rule.condition if isinstance(rule.condition, str) else str(rule.condition)
            node = self._node(text, loc)
            return _When((node,) if node else ())
        several = validate(Several, self._document, rule.condition, at=loc)
        if isinstance(several, list):
            self._imported.findings += several
            return _When()
        if several.not_all is not None:
            said = "not_all: what does not happen is not waited for."
            self._refuse((*loc, "not_all"), said, "Use a Heartbeat, or an alert with `absent()`.")
            return _When()
        word = "all" if several.all is not None else "any"
        texts = several.all or several.any or []
        found = [self._node(text, (*loc, word, number)) for number, text in enumerate(texts)]
        nodes = tuple(node for node in found if node is not None)
        if len(nodes) < len(texts) or not nodes:
            return _When()
        if word == "any" and len(nodes) > 1:
            return _When((Joined("or", nodes, 1),))
        if len(nodes) == 1:
            return _When(nodes)
        said = "condition: all of its alerts must fire in one incident at the same time."
        self._note((*loc, word), said)
        return _When(nodes, several.timeout or ruleset.default_events_ttl)

    def _node(self, text: str, loc: Loc) -> Node | None:
        try:
            node = parse(text)
            conditions.condition_of(node)
        except GrammarError as error:
            line, column = _place(text, error.column)
            found = self._document.text_finding(loc, line, column, f"{error.message}.", error.hint)
            self._imported.findings.append(found)
            return None
        return node

    def _group_by(self, rule: RuleIn, at: Loc) -> tuple[str, ...]:
        facts = []
        for number, text in enumerate(rule.throttle.group_by_attributes if rule.throttle else ()):
            loc = (*at, "throttle", "group_by_attributes", number)
            try:
                node = parse(text)
                facts.append(_fact(node))
            except GrammarError as error:
                found = self._document.text_finding(loc, 1, error.column, f"{error.message}.")
                self._imported.findings.append(replace(found, hint=error.hint))
        return tuple(facts)

    def _remediation(self, playbook: str) -> str:
        for known in (playbook, PurePosixPath(playbook).name):
            if known in self._remediations:
                return self._remediations[known]
        name = _slug(_SUFFIX.sub("", PurePosixPath(playbook).name).rpartition(".")[2])
        self._imported.skeletons.setdefault(name, playbook)
        return name

    def _name(self, title: str) -> str:
        taken = {rule.name for rule in self._imported.rules}
        name = slug = _slug(title)
        number = 2
        while name in taken:
            name, number = f"{slug[: NAME_CHARS_MAX - 5]}-{number}", number + 1
        return name

    def _refuse(self, loc: Loc, message: str, hint: str) -> None:
        self._imported.findings.append(self._document.finding(loc, message, hint))

    def _note(self, loc: Loc, message: str) -> None:
        self._imported.notes.append(self._document.key_finding(loc, message))


def _fact(path: Node) -> str:
    if not isinstance(path, Path):
        raise GrammarError(1, "this names no part of the event")
    fact = conditions.fact_of(path)
    return f"alert.{path.steps[2]}.{path.steps[3]}" if "[" in fact else fact


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:NAME_CHARS_MAX].strip("-") or "rule"


def _place(text: str, column: int) -> tuple[int, int]:
    before = text[: column - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _are_apart(one: Node, other: Node) -> bool:
    """Whether both name a label that must have different values, so that never both hold."""
    values = _equalities(one)
    return any(values.get(path, value) != value for path, value in _equalities(other).items())


def _equalities(node: Node) -> dict[str, str]:
    match node:
        case Joined(word="and", parts=parts):
            return {path: value for part in parts for path, value in _equalities(part).items()}
        case Compared(left=Path() as path, operator="==", right=Literal(value=str() as value)):
            return {str(path): value}
    return {}
