"""All that a remediation plays, part by part: what was approved is compared with what is found.

Not here: reading files (`config.contents`), or what is done about a difference (`runtime`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

NAMED_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """One file of a remediation's folder, one collection that it uses, or Ansible itself."""

    name: str
    """`playbook.yml`, `collection ansible.posix`, `ansible-core`."""
    version: str = ""
    digest: str
    """SHA-256, in hex."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


def differences(approved: Sequence[Part], found: Sequence[Part]) -> tuple[str, ...]:
    """What is another, gone or new, in words: `collection ansible.posix 1.5.4 changed`."""
    before = {part.name: part for part in approved}
    after = {part.name: part for part in found}
    return tuple(
        words
        for name in sorted(before.keys() | after.keys())
        if (words := _difference(before.get(name), after.get(name)))
    )


def listed(found: Sequence[str]) -> str:
    """The first of them in one line, and how many more there are."""
    shown = ", ".join(found[:NAMED_MAX])
    return shown if len(found) <= NAMED_MAX else f"{shown} and {len(found) - NAMED_MAX} more"


def _difference(before: Part | None, after: Part | None) -> str:
    if before is None or after is None:
        return f"{before} is gone" if before else f"{after} is new"
    if before == after:
        return ""
    if before.version != after.version:
        return f"{before} became {after.version or 'unknown'}"
    return f"{after} changed"
