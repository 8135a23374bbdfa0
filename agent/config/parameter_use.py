"""Whether playbooks read the parameters that are declared, and no others.

Not here: what a parameter may hold (`remediations`), or what is done with it (`playbook_lint`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from agent.config.documents import shown
from agent.config.references import did_you_mean
from agent.config.schema_remediation import RemediationSpec
from agent.config.yaml_lines import Document
from agent.errors import Finding

READ = re.compile(
    r"\bagent_input(?:\.(?P<dot>[A-Za-z_]\w*)|\[\s*['\"](?P<key>[^'\"]+)['\"]\s*\]|(?P<whole>\b))"
)
GET = re.compile(r"\bagent_input\.get\(\s*['\"](?P<key>[^'\"]+)['\"]")
METHODS = frozenset({"copy", "get", "items", "keys", "values"})
SUFFIXES = frozenset({".yml", ".yaml", ".j2"})
TEXT_BYTES_MAX = 1024 * 1024


def parameter_findings(
    folder: Path, document: Document, spec: RemediationSpec
) -> Iterator[Finding]:
    """Parameters that are read and not declared, or declared and never read."""
    declared = [parameter.name for parameter in spec.parameters]
    read: set[str] = set()
    reads_all = False
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SUFFIXES or path.name == "remediation.yaml" or not path.is_file():
            continue
        if path.stat().st_size > TEXT_BYTES_MAX:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if line.lstrip().startswith("#"):
                continue
            for found in (*READ.finditer(line), *GET.finditer(line)):
                groups = found.groupdict()
                name = groups.get("dot") or groups.get("key")
                if name is None or name in METHODS:
                    reads_all |= name != "get"
                    continue
                read.add(name)
                if name not in declared:
                    yield _undeclared(path, number, found.start() + 1, name, declared)
    asked = spec.verify.promql or ""
    for number, name in enumerate(declared):
        is_asked = re.search(rf"\$\{{?{name}\b", asked) is not None
        if name not in read and not reads_all and not is_asked:
            said = f'the parameter "{name}" is declared, and no playbook reads it.'
            hint = "Leave it out: whoever approves takes it for something that matters."
            yield document.finding(("spec", "parameters", number, "name"), said, hint)


def _undeclared(path: Path, line: int, column: int, name: str, declared: list[str]) -> Finding:
    return Finding(
        file=shown(path),
        line=line,
        column=column,
        message=f'the parameter "{name}" is not declared, so it is never given.',
        hint=did_you_mean(name, declared) or "Declare it in remediation.yaml.",
    )
