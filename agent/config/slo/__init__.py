"""Reads service level objectives: OpenSLO v1 and v1alpha, and sloth's specs.

Not here: the rules that they lead to (`reporting.service_level`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from agent.config.slo import openslo, sloth
from agent.config.slo.objective import Read
from agent.config.yaml_lines import Document, read_documents
from agent.errors import ConfigError, Finding
from agent.model.slo import Slo

DIALECTS = "openslo/v1, openslo/v1alpha, sloth.slok.dev/v1, or version: prometheus/v1"


@dataclass(slots=True)
class Objectives:
    """What was read: the objectives, where each stands, and all that is wrong."""

    slos: list[Slo] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_objectives(files: Iterable[Path], period: timedelta) -> Objectives:
    """Every objective of these files, for rules over that period; mistakes are findings.

    Sloth's specs say no period and get this one. One that asks for another is a finding.
    """
    documents: list[Document] = []
    found = Objectives()
    for path in files:
        try:
            documents += read_documents(path, str(path))
        except ConfigError as error:
            found.findings += error.findings
    return _take(documents, period, found)


def objectives_of(documents: Iterable[Document], period: timedelta) -> Objectives:
    """The same of documents that were read already."""
    return _take(list(documents), period, Objectives())


def _take(documents: list[Document], period: timedelta, found: Objectives) -> Objectives:
    catalogue = openslo.Catalogue()
    reads: list[Read] = []
    later: list[Document] = []
    for document in documents:
        value = document.value
        version = str(value.get("apiVersion", "")) if isinstance(value, dict) else ""
        if isinstance(value, dict) and (version == sloth.CRD or value.get("version")):
            reads += sloth.read(document, period, found.findings)
        elif version.startswith(openslo.GROUP):
            later.append(document)
            catalogue.take(document, found.findings)
        else:
            text = f"this is no service level objective; known are {DIALECTS}."
            found.findings.append(document.finding((), text))
    for document in later:
        reads += openslo.read(document, period, catalogue, found.findings)
    _refuse_repeated(reads, found)
    return found


def _refuse_repeated(reads: list[Read], found: Objectives) -> None:
    first: dict[str, Read] = {}
    for each in reads:
        known = first.setdefault(each.slo.id, each)
        if known is each:
            found.slos.append(each.slo)
        else:
            where = known.document.finding(known.at, "")
            text = f'"{each.slo.id}" stands already at {where.file}:{where.line}.'
            hint = "Give one of both another name: series of both would be mixed."
            found.findings.append(each.document.finding(each.at, text, hint))
