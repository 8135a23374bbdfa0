"""Reads `remediations/<name>/`: the contract, the digest of the folder, the lint of its playbooks.

Not here: rules that ask for a remediation (`relations`), or running one (`runtime.ansible`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from agent.config.collections import Collections
from agent.config.contents import Contents, contents_of
from agent.config.documents import shown
from agent.config.matchers import refuse_bad_pattern
from agent.config.parameter_use import parameter_findings
from agent.config.playbook_lint import lint_folder
from agent.config.references import did_you_mean
from agent.config.schema import API_VERSION, Envelope, validate
from agent.config.schema_remediation import ParameterSpec, RemediationSpec
from agent.config.tree import TreeError
from agent.config.yaml_lines import Document, read_documents
from agent.errors import ConfigError, Finding
from agent.model.remediation import (
    QUERY_WORDS,
    Parameter,
    ParameterType,
    Remediation,
    Target,
    Verification,
)

CONTRACT = "remediation.yaml"
PLAYBOOK = "playbook.yml"
ROLLBACK = "rollback.yml"
IRREVERSIBLE = "irreversible"
REMEDIATIONS_MAX = 5_000


@dataclass(slots=True)
class Registry:
    """All remediations whose folders are in order, and every finding about the rest."""

    remediations: dict[str, Remediation] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Of all folders, also those with findings: rules may name them without a second finding."""
    findings: list[Finding] = field(default_factory=list)


def read_remediations(folder: Path) -> Registry:
    """Read every folder with a `remediation.yaml`; mistakes are collected, never raised."""
    registry = Registry()
    if not folder.is_dir():
        said = "this remediations folder does not exist."
        hint = "Make the folder, or name another one with `remediations` in config.yaml."
        registry.findings.append(_about(folder, said, hint))
        return registry
    collections = Collections()
    for path in sorted(folder.iterdir())[:REMEDIATIONS_MAX]:
        if path.is_dir() and not path.name.startswith("."):
            _read_one(registry, path, collections)
    return registry


def _read_one(registry: Registry, folder: Path, collections: Collections) -> None:
    contract = folder / CONTRACT
    registry.names.add(folder.name)
    if not contract.is_file():
        said = f"{CONTRACT} is missing: a playbook without a contract is never run."
        registry.findings.append(_about(folder, said, "Write one, or remove the folder."))
        return
    findings: list[Finding] = []
    try:
        documents = read_documents(contract, shown(contract))
        contents = contents_of(folder, collections)
    except ConfigError as error:
        registry.findings += error.findings
        return
    except TreeError as error:
        registry.findings.append(_about(error.path, f"{error.problem}."))
        return
    if len(documents) != 1:
        registry.findings.append(_about(contract, "must hold exactly one document."))
        return
    (document,) = documents
    findings += _envelope_findings(document)
    envelope = validate(Envelope, document, document.value)
    given = document.value.get("spec", {}) if isinstance(document.value, dict) else {}
    spec = validate(RemediationSpec, document, given, at=("spec",))
    for part in (envelope, spec):
        findings += part if isinstance(part, list) else ()
    if isinstance(envelope, Envelope) and isinstance(spec, RemediationSpec):
        findings += _contract_findings(folder, document, envelope, spec)
        findings += parameter_findings(folder, document, spec)
        if not findings:
            registry.remediations[folder.name] = _remediation(envelope, spec, contents)
    findings += lint_folder(folder, collections)
    registry.findings += findings


def _envelope_findings(document: Document) -> Iterator[Finding]:
    value = document.value if isinstance(document.value, dict) else {}
    for key, wanted in (("kind", "Remediation"), ("apiVersion", API_VERSION)):
        if key in value and value[key] != wanted:
            said = f'`{key}` must be {wanted}, not "{value[key]}".'
            yield document.finding((key,), said)


def _contract_findings(
    folder: Path, document: Document, envelope: Envelope, spec: RemediationSpec
) -> Iterator[Finding]:
    name, verify = envelope.metadata.name, spec.verify
    if name != folder.name:
        said = f'metadata.name is "{name}", but the folder is called "{folder.name}".'
        yield document.finding(("metadata", "name"), said, "Rename one of both.")
    if not envelope.metadata.author:
        yield document.finding(
            ("metadata",), "metadata.author is missing: somebody answers for a playbook."
        )
    if not (folder / PLAYBOOK).is_file():
        yield document.finding((), f"{PLAYBOOK} is missing beside this file.")
    if spec.rollback not in (ROLLBACK, IRREVERSIBLE):
        said = f'spec.rollback must be {ROLLBACK} or {IRREVERSIBLE}, not "{spec.rollback}".'
        yield document.finding(("spec", "rollback"), said)
    elif spec.rollback == ROLLBACK and not (folder / ROLLBACK).is_file():
        said = f"{ROLLBACK} is missing beside this file."
        hint = f"Write it, or say `rollback: {IRREVERSIBLE}`."
        yield document.finding(("spec", "rollback"), said, hint)
    if verify.within < verify.stable_for:
        said = "spec.verify.within is shorter than stableFor: no run could ever succeed."
        yield document.finding(("spec", "verify", "within"), said, "Make it longer.")
    if not verify.every:
        yield document.finding(
            ("spec", "verify", "every"), "spec.verify.every must be more than 0s."
        )
    yield from _query_words(document, spec)
    if spec.blast_radius.fleet is not None and not spec.blast_radius.fleet_window:
        fleet_window = ("spec", "blastRadius", "fleetWindow")
        yield document.finding(fleet_window, "spec.blastRadius.fleetWindow must be more than 0s.")
    if not spec.timeout:
        yield document.finding(("spec", "timeout"), "spec.timeout must be more than 0s.")
    seen: set[str] = set()
    for number, parameter in enumerate(spec.parameters):
        loc = ("spec", "parameters", number)
        if parameter.name in seen:
            said = f'the parameter "{parameter.name}" is declared a second time.'
            yield document.finding((*loc, "name"), said)
        seen.add(parameter.name)
        for key, problem in _parameter_problems(parameter):
            yield document.finding((*loc, key), f'parameter "{parameter.name}": {problem}.')


def _query_words(document: Document, spec: RemediationSpec) -> Iterator[Finding]:
    """A word that nothing stands for would stay in the query, and no run could ever succeed."""
    if spec.verify.promql is None:
        return
    known = [*QUERY_WORDS, *(parameter.name for parameter in spec.parameters)]
    for word in Template(spec.verify.promql).get_identifiers():
        if word not in known:
            said = f'spec.verify.promql: nothing stands for "${word}".'
            hint = did_you_mean(word, known) or f"Known: {', '.join(known)}."
            yield document.finding(("spec", "verify", "promql"), said, hint)


def _parameter_problems(parameter: ParameterSpec) -> Iterator[tuple[str, str]]:
    is_string = parameter.type == "string"
    if is_string and parameter.pattern is None and not parameter.choices:
        yield "name", "a string needs a `pattern` or `choices`: it may come from outside"
    if not is_string and (parameter.pattern is not None or parameter.choices):
        yield "type", "only a string has a `pattern` or `choices`"
    if parameter.type != "integer" and (parameter.minimum, parameter.maximum) != (None, None):
        yield "type", "only an integer has a `minimum` or `maximum`"
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        yield "minimum", "the minimum is above the maximum"
    if parameter.pattern is not None:
        try:
            refuse_bad_pattern(parameter.pattern)
        except ValueError as error:
            yield "pattern", str(error)


def _remediation(envelope: Envelope, spec: RemediationSpec, contents: Contents) -> Remediation:
    return Remediation(
        name=envelope.metadata.name,
        title=envelope.metadata.title or envelope.metadata.name,
        digest=contents.digest,
        contents=contents.parts,
        author=envelope.metadata.author,
        parameters=tuple(
            Parameter(
                name=given.name,
                type=ParameterType(given.type),
                required=given.required,
                pattern=given.pattern,
                choices=tuple(given.choices),
                minimum=given.minimum,
                maximum=given.maximum,
            )
            for given in spec.parameters
        ),
        change_model=spec.change.model,
        supports_check_mode=spec.check_mode,
        target=Target(spec.target),
        is_read_only=spec.read_only,
        has_rollback=spec.rollback == ROLLBACK,
        verification=Verification(
            promql=spec.verify.promql,
            stable_for=spec.verify.stable_for,
            within=spec.verify.within,
            every=spec.verify.every,
        ),
        timeout=spec.timeout,
        cooldown=spec.cooldown,
        attempts_max=spec.attempts.max,
        attempts_window=spec.attempts.window,
        redundancy_share_max=spec.blast_radius.redundancy_share,
        fleet_max=spec.blast_radius.fleet,
        fleet_window=spec.blast_radius.fleet_window,
        concurrency_keys=tuple(dict.fromkeys(spec.concurrency.keys)),
    )


def _about(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(file=shown(path), line=1, column=1, message=message, hint=hint)
