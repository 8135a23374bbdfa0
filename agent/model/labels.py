"""Labels, matchers and the identity of a label set, as Prometheus and Alertmanager mean them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from fnv_c import fnv1a_64

Labels = Mapping[str, str]
"""A label set. Never changed after it was received."""

_SEPARATOR = "\udcff"
"""What Python writes as the byte 0xff, which is in no UTF-8 text."""
LAYOUTS_REMEMBERED_MAX = 512


def fingerprint(labels: Labels) -> str:
    """The identity of a label set: 16 hex digits, equal to Alertmanager's own.

    FNV-1a 64 over the sorted `name 0xff value 0xff` of every label.
    """
    names, layout = _layout(tuple(labels))
    text = layout % tuple(map(labels.__getitem__, names))
    return f"{fnv1a_64(text.encode(errors='surrogateescape')):016x}"


@lru_cache(maxsize=LAYOUTS_REMEMBERED_MAX)
def _layout(names: tuple[str, ...]) -> tuple[list[str], str]:
    """The names in order, and the text that their values complete: few sets for many alerts."""
    ordered = sorted(names)
    escaped = (name.replace("%", "%%") for name in ordered)
    return ordered, "".join(f"{name}{_SEPARATOR}%s{_SEPARATOR}" for name in escaped)


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
