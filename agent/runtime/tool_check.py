"""Whether the tools that the settings name can be used as they are set, before any of them is.

Not here: the rules and remediations themselves (`config.check`), or making the tools (`tools`).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.config.documents import shown
from agent.config.schema_settings import Connection, Settings, Source
from agent.config.yaml_lines import Document, read_documents
from agent.errors import Finding
from agent.manifest import Kind
from agent.runtime.ansible.executor import AnsibleExecutor
from agent.runtime.registry import Registry

_ORIGIN = re.compile(
    r"^Origin: \S*/(?P<file>[^/\s:]+)(:(?P<line>\d+):(?P<column>\d+))?$", re.MULTILINE
)


def tool_findings(settings: Settings, config: Path | None) -> tuple[Finding, ...]:
    """What is wrong with the options of sources and connectors; `config` is where they stand."""
    return tuple(sorted(_tool_findings(settings, config))) if config else ()


def _tool_findings(settings: Settings, config: Path) -> Iterator[Finding]:
    connectors = Registry.find()
    documents = read_documents(config, shown(config))
    parts: tuple[tuple[str, tuple[Kind, ...], Sequence[Source | Connection]], ...] = (
        ("sources", (Kind.SOURCE, Kind.CHANGES), settings.sources),
        ("connectors", (Kind.TICKETING, Kind.CATALOGUE), settings.connectors),
    )
    for part, kinds, items in parts:
        for number, item in enumerate(items):
            if isinstance(item, Source):
                yield from _secret_findings(connectors, documents[0], number, item)
            kind = next((each for each in kinds if item.type in connectors.names(each)), kinds[0])
            for problem in connectors.problems(kind, item.type, item.options, Path()):
                said = f"{part} {item.name}: {problem.where}: {problem.message}."
                yield documents[0].finding((part, number, "options"), said)


def _secret_findings(
    connectors: Registry, document: Document, number: int, source: Source
) -> Iterator[Finding]:
    """A secret that the tool cannot show would guard nothing."""
    is_given = source.secret is not None or source.secret_file is not None
    is_known = connectors.kind_of(source.type) is not None
    if is_given and is_known and connectors.manifest_of(source.type).signature is None:
        key = "secret" if source.secret is not None else "secret_file"
        said = f"sources {source.name}: {source.type} has no signature that could be checked."
        yield document.finding(("sources", number, key), said, "Give it a `token` instead.")


async def playbook_findings(remediations: Path, names: tuple[str, ...]) -> tuple[Finding, ...]:
    """What Ansible objects to in the playbooks of these remediations, the first of each.

    Raises PermanentError where Ansible is not installed.
    """
    found = []
    with TemporaryDirectory(prefix="watchkeeper-") as folder:
        executor = AnsibleExecutor(remediations, Path(folder))
        try:
            await executor.start()
            for name in names:
                said = await executor.syntax_check(name)
                if said is not None:
                    found.append(_playbook_finding(remediations / name, said))
        finally:
            await executor.stop()
    return tuple(found)


def _playbook_finding(remediation: Path, said: str) -> Finding:
    # Ansible read a copy; its words come before the place, and the place before the lines.
    place = _ORIGIN.search(said)
    words = said[: place.start()] if place else said
    return Finding(
        file=shown(remediation / place["file"] if place else remediation),
        line=int(place["line"] or 1) if place else 1,
        column=int(place["column"] or 1) if place else 1,
        message=" ".join(words.removeprefix("[ERROR]:").split()),
    )
