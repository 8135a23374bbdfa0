"""Labels, matchers and the identity of a label set, as Prometheus and Alertmanager mean them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fnv_c import fnv1a_64

Labels = Mapping[str, str]
"""A label set. Never changed after it was received."""

_SEPARATOR = b"\xff"


def fingerprint(labels: Labels) -> str:
    """The identity of a label set: 16 hex digits, equal to Alertmanager's own.

    FNV-1a 64 over the sorted `name 0xff value 0xff` of every label.
    """
    parts: list[bytes] = []
    for name in sorted(labels):
        parts += (name.encode(), _SEPARATOR, labels[name].encode(), _SEPARATOR)
    return f"{fnv1a_64(b''.join(parts)):016x}"


class MatchOperator(StrEnum):
    """How a matcher compares; regular expressions are anchored at both ends."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition on one label; a label that is absent counts as the empty string."""

    name: str
    operator: MatchOperator
    value: str

    def __str__(self) -> str:
        name = _quoted(self.name) if _RESERVED & set(self.name) else self.name
        return f"{name}{self.operator}{_quoted(self.value)}"


_RESERVED = frozenset(" \t\r\n,\"'`{}=!~\\")
"""A name that holds one of them stands in quotes, as Alertmanager writes it."""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
