"""Reads the rules folder: every document by its `kind`, whatever the file is called.

Not here: whether documents fit each other (`relations`), or what they become (`translate`).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeGuard, TypeVar

from agent.config.references import did_you_mean
from agent.config.schema import API_VERSION, Envelope, Spec, validate
from agent.config.schema_map import BACKSTAGE_KINDS, BACKSTAGE_VERSIONS, Descriptor
from agent.config.schema_rules import AT_MOST_ONE, SCENARIO_KIND, SPECS
from agent.config.yaml_lines import Document, Value, parse_documents, read_documents
from agent.errors import ConfigError, Finding

FILES_MAX = 20_000
SUFFIXES = (".yaml", ".yml")
APART = ("sources", "tests")
"""Folders of a rules folder whose files are read by others: mappings of sources, scenarios."""

S = TypeVar("S", bound=Spec)
S_co = TypeVar("S_co", bound=Spec, covariant=True)


@dataclass(frozen=True, slots=True)
class Written(Generic[S_co]):
    """One document of ours that has the right shape."""

    name: str
    author: str
    spec: S_co
    document: Document

    def finding(self, loc: Sequence[str | int], message: str, hint: str = "") -> Finding:
        """A finding at a value below `spec`."""
        return self.document.finding(("spec", *loc), message, hint)


@dataclass(slots=True)
class Rules:
    """Everything of a rules folder that has the right shape, and every finding about the rest."""

    descriptors: list[tuple[Descriptor, Document]] = field(default_factory=list)
    written: dict[type[Spec], list[Written[Spec]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def of(self, shape: type[S]) -> list[Written[S]]:
        """All documents of one shape, by name."""
        found = self.written.get(shape, ())
        return sorted((each for each in found if _is(each, shape)), key=lambda each: each.name)

    def one(self, shape: type[S]) -> Written[S] | None:
        """The document of a kind that there is at most one of."""
        return next(iter(self.of(shape)), None)


def _is(written: Written[Spec], shape: type[S]) -> TypeGuard[Written[S]]:
    return isinstance(written.spec, shape)


def read_rules(folder: Path, instead: Mapping[Path, bytes] | None = None) -> Rules:
    """Read all YAML files below the folder; hidden files and folders are left out.

    `instead` gives contents that files would have, for a look before they are written. Mistakes
    are collected in `Rules.findings`, never raised.
    """
    contents = {path.resolve(): content for path, content in (instead or {}).items()}
    rules = Rules()
    if not folder.is_dir():
        hint = "Make the folder, or name another one with `rules` in config.yaml."
        rules.findings.append(_about_file(folder, "this rules folder does not exist.", hint))
        return rules
    files = dict.fromkeys(path.resolve() if contents else path for path in _rule_files(folder))
    for number, path in enumerate((*files, *(path for path in contents if path not in files))):
        if number == FILES_MAX:
            rules.findings.append(_about_file(folder, f"holds more than {FILES_MAX} YAML files."))
            break
        try:
            if path in contents:
                documents = parse_documents(contents[path], shown(path))
            else:
                documents = read_documents(path, shown(path))
        except ConfigError as error:
            rules.findings += error.findings
            continue
        for document in documents:
            take(rules, document)
    _refuse_repeated(rules)
    return rules


def yaml_files(folder: Path) -> Iterator[Path]:
    """The YAML files below a folder in order of their paths, without hidden ones."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(root, name)


def _rule_files(folder: Path) -> Iterator[Path]:
    return (path for path in yaml_files(folder) if path.relative_to(folder).parts[0] not in APART)


def shown(path: Path) -> str:
    """The path as findings say it: from the current folder where it lies inside."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _about_file(path: Path, message: str, hint: str = "") -> Finding:
    return Finding(file=shown(path), line=1, column=1, message=message, hint=hint)


def take(rules: Rules, document: Document) -> None:
    """Add one document to the rules, or what is wrong with it to their findings."""
    value = document.value
    if not isinstance(value, dict):
        rules.findings.append(document.finding((), "a document must be a map with a `kind`."))
        return
    kind, version = value.get("kind"), value.get("apiVersion")
    if kind == SCENARIO_KIND:
        return
    if version in BACKSTAGE_VERSIONS and kind in BACKSTAGE_KINDS:
        descriptor = validate(Descriptor, document, value)
        if isinstance(descriptor, list):
            rules.findings += descriptor
        else:
            rules.descriptors.append((descriptor, document))
    elif problem := _kind_problem(document, kind, version):
        rules.findings.append(problem)
    else:
        _take_ours(rules, document, SPECS[str(kind)], value)


def _kind_problem(document: Document, kind: Value, version: Value) -> Finding | None:
    known = (*SPECS, *BACKSTAGE_KINDS)
    if kind not in known:
        word = "" if kind is None else str(kind)
        hint = did_you_mean(word, known) or f"Known kinds: {', '.join(known)}."
        said = f'the kind "{word}" is not known.' if word else "`kind` is missing."
        return document.finding(("kind",), said, hint)
    wanted = (API_VERSION,) if kind in SPECS else BACKSTAGE_VERSIONS[:1]
    if version not in wanted:
        said = f"`apiVersion` of a {kind} must be {wanted[0]}"
        return document.finding(("apiVersion",), f'{said}, not "{version or ""}".')
    return None


def _take_ours(rules: Rules, document: Document, shape: type[Spec], value: Value) -> None:
    envelope = validate(Envelope, document, value)
    given = value.get("spec", {}) if isinstance(value, dict) else {}
    spec = validate(shape, document, given, at=("spec",))
    for part in (envelope, spec):
        if isinstance(part, list):
            rules.findings += part
    if isinstance(envelope, Envelope) and isinstance(spec, Spec):
        metadata = envelope.metadata
        written = Written(metadata.name, metadata.author, spec, document)
        rules.written.setdefault(shape, []).append(written)


def _refuse_repeated(rules: Rules) -> None:
    for kind, shape in SPECS.items():
        first: dict[str, Written[Spec]] = {}
        for each in rules.written.get(shape, ()):
            key = "" if kind in AT_MOST_ONE else each.name
            earlier = first.setdefault(key, each)
            if earlier is not each:
                at = earlier.document.finding(("metadata", "name"), "")
                said = f"a second {kind}" if not key else f'a second {kind} "{each.name}"'
                rules.findings.append(
                    each.document.finding(
                        ("metadata", "name"),
                        f"{said}; the first stands at {at.file}:{at.line}.",
                        "There may be only one." if not key else "Rename or remove one of both.",
                    )
                )
