"""All that a remediation plays: its own folder, the collections it uses, Ansible's version.

One digest over all of it is what people approve. Not here: when two of them are compared.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from agent.config.collections import Collections, named_in
from agent.config.tree import TreeError, tree_parts
from agent.model.contents import Part

READ_FOR_NAMES = frozenset({".yml", ".yaml", ".j2", ".json", ".cfg", ".py", ".txt"})
TEXT_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The parts, and one digest over them all."""

    parts: tuple[Part, ...]
    digest: str


def contents_of(folder: Path, collections: Collections | None = None) -> Contents:
    """Everything that a run of the remediation in `folder` would play.

    Raises `TreeError` for what cannot be vouched for.
    """
    own = tree_parts(folder)
    used = named_in("\n".join(_text(folder / part.name) for part in own))
    beside = collections or Collections()
    try:
        installed = beside.parts(used)
    except OSError as changing:
        raise TreeError(folder, f"uses a collection that cannot be read: {changing}") from changing
    ansible = Part(name="ansible-core", version=beside.core, digest=_sha256(beside.core))
    parts = (*own, *installed, ansible)
    return Contents(parts=parts, digest=digest_of_parts(parts))


def digest_of_parts(parts: tuple[Part, ...]) -> str:
    """One SHA-256, in hex, over names, versions and digests of all parts, in their order."""
    whole = hashlib.sha256()
    for part in parts:
        for text in (part.name, part.version, part.digest):
            content = text.encode("utf-8", "surrogateescape")
            whole.update(len(content).to_bytes(4, "big") + content)
    return whole.hexdigest()


def _text(path: Path) -> str:
    if path.suffix not in READ_FOR_NAMES or path.is_symlink():
        return ""
    if path.stat().st_size > TEXT_BYTES_MAX:
        raise TreeError(path, f"is a text of more than {TEXT_BYTES_MAX} bytes")
    return path.read_text("utf-8", "replace")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
