"""YAML as operators write it, with a place for every value; hostile files are refused early.

Values follow YAML 1.2: `on`, `no` and `12:30` are text, keys are always text. Positions are only
worked out for what is wrong, since a map of 50,000 entities has more than a million values.
Not here: what the values mean (`schema_*`).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml import events, nodes

from agent.errors import ConfigError, Finding

YAML_BYTES_MAX = 64 * 1024 * 1024
YAML_DEPTH_MAX = 32
YAML_VALUES_MAX = 4_000_000
"""Values of one file, counting what an alias repeats."""
ALIASES_MAX = 100

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
Loc = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAYBE_NOT_TEXT = frozenset("-+.0123456789tTfFnN~")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, and where each part of it stands."""

    file: str
    line: int
    """Lines of the file before its first one."""
    text: str = field(repr=False)
    value: Value

    def finding(self, loc: Sequence[str | int], message: str, hint: str = "") -> Finding:
        """A finding at the value that `loc` leads to, or as near as the document goes."""
        line, column = self._at(self._node(loc), self._key(loc))
        return Finding(file=self.file, line=line, column=column, message=message, hint=hint)

    def key_finding(self, loc: Sequence[str | int], message: str, hint: str = "") -> Finding:
        """A finding at the key that `loc` ends with."""
        line, column = self._at(self._key(loc), self._node(loc))
        return Finding(file=self.file, line=line, column=column, message=message, hint=hint)

    def text_finding(
        self, loc: Sequence[str | int], line: int, column: int, message: str, hint: str = ""
    ) -> Finding:
        """A finding inside a text: `line` and `column` count from 1 within the text."""
        node = self._node(loc)
        at_line, at_column = self._at(node, self._key(loc))
        style = getattr(node, "style", None)
        if style in ("|", ">"):
            lines = self.text.splitlines()
            first = next((text for text in lines[at_line - self.line :] if text.strip()), "")
            indent = len(first) - len(first.lstrip(" "))
            at_line, at_column = at_line + line, indent + column
        elif line == 1:
            at_column += column - 1 + (style in ("'", '"'))
        return Finding(file=self.file, line=at_line, column=at_column, message=message, hint=hint)

    def _node(self, loc: Sequence[str | int]) -> nodes.Node | None:
        node = _composed(self.text)
        for step in loc:
            following = _child(node, step)
            if following is None:
                break
            node = following[1]
        return node

    def _key(self, loc: Sequence[str | int]) -> nodes.Node | None:
        if not loc:
            return None
        parent = self._node(loc[:-1])
        found = _child(parent, loc[-1])
        return found[0] if found else None

    def _at(self, *candidates: nodes.Node | None) -> tuple[int, int]:
        node = next((node for node in candidates if node is not None), None)
        if node is None:
            return self.line + 1, 1
        return self.line + node.start_mark.line + 1, node.start_mark.column + 1


@lru_cache(maxsize=16)
def _composed(text: str) -> nodes.Node | None:
    return yaml.compose(text, Loader=yaml.CSafeLoader)


def read_documents(path: Path, name: str) -> list[Document]:
    """All documents of a file; empty ones are left out.

    `name` stands for the file in findings. Raises ConfigError for what is no acceptable YAML, with
    one finding, and for a file that cannot be read.
    """
    try:
        with path.open("rb") as source:
            content = source.read(YAML_BYTES_MAX + 1)
    except OSError as error:
        raise _refusal(name, 1, 1, f"cannot be read: {error.strerror or error}.") from None
    return parse_documents(content, name)


def parse_documents(content: bytes, name: str) -> list[Document]:
    """All documents of these bytes; like `read_documents`."""
    if len(content) > YAML_BYTES_MAX:
        raise _refusal(name, 1, 1, f"is larger than {YAML_BYTES_MAX} bytes.", "Split the file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        bad = f"byte 0x{content[error.start]:02x} is not UTF-8."
        raise _refusal(name, line, column, bad, "Save the file as UTF-8.") from None
    try:
        found = list(_Values(name, text).documents())
    except yaml.MarkedYAMLError as error:
        raise _syntax(name, text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        bad = f"character U+{int(error.character):04X} is not allowed in YAML."
        raise _refusal(name, line, 1, bad) from None
    ends = [*(start for _, start, _ in found[1:]), len(text)][: len(found)]
    return [
        Document(name, line, text[start:end], value)
        for (line, start, value), end in zip(found, ends, strict=True)
        if value is not None
    ]


class _Values:
    """Builds values from the events of libyaml: one pass, no node, no position kept."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        # Events differ in what they hold, and the stubs know few of them.
        self._next: Callable[[], Any] = yaml.CSafeLoader(text).get_event
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._aliases = 0
        self._values = 0

    def documents(self) -> Iterator[tuple[int, int, Value]]:
        """Line and offset where each document starts, and its value."""
        while not isinstance(event := self._next(), events.StreamEndEvent):
            if isinstance(event, events.DocumentStartEvent):
                self._anchored.clear()
                mark: Any = event.start_mark
                yield mark.line, mark.index - mark.column, self._value(self._next(), 0)

    def _value(self, event: Any, depth: int) -> Value:
        self._values += 1
        shape = event.__class__
        if shape is events.AliasEvent:
            return self._repeated(event)
        if event.tag is not None:
            bad = f"the tag {_tag(event.tag)} is not allowed."
            raise self._refuse(event, bad, "Write the plain value.")
        if self._values > YAML_VALUES_MAX:
            raise self._refuse(event, f"more than {YAML_VALUES_MAX} values.", "Split the file.")
        before = self._values
        if shape is events.ScalarEvent:
            value = event.value if event.style else _scalar(event.value)
        elif depth >= YAML_DEPTH_MAX:
            raise self._refuse(event, f"is nested deeper than {YAML_DEPTH_MAX} levels.")
        elif shape is events.MappingStartEvent:
            value = self._map(depth + 1)
        else:
            value = self._list(depth + 1)
        if event.anchor:
            self._anchored[event.anchor] = (value, self._values - before + 1)
        return value

    def _map(self, depth: int) -> Value:
        found: dict[str, Value] = {}
        following = self._next
        scalar, end = events.ScalarEvent, events.MappingEndEvent
        while (event := following()).__class__ is not end:
            if event.__class__ is not scalar or event.tag is not None:
                raise self._refuse(event, "a key must be plain text.")
            key = event.value
            if key in found:
                bad = f'the key "{key}" stands here a second time.'
                raise self._refuse(event, bad, "Remove one of both.")
            event = following()
            # Most values are plain words: taken here, without the cost of one more call.
            if event.__class__ is scalar and event.tag is None and event.anchor is None:
                found[key] = event.value if event.style else _scalar(event.value)
            else:
                found[key] = self._value(event, depth)
        self._values += len(found)
        return found

    def _list(self, depth: int) -> Value:
        found: list[Value] = []
        while (event := self._next()).__class__ is not events.SequenceEndEvent:
            found.append(self._value(event, depth))
        return found

    def _repeated(self, event: Any) -> Value:
        self._aliases += 1
        if event.anchor not in self._anchored:
            bad = f"the alias *{event.anchor} has no finished anchor &{event.anchor} before it."
            raise self._refuse(event, bad)
        value, weight = self._anchored[event.anchor]
        self._values += weight
        if self._aliases > ALIASES_MAX or self._values > YAML_VALUES_MAX:
            bad = f"more than {ALIASES_MAX} aliases, or {YAML_VALUES_MAX} values through them."
            raise self._refuse(event, bad, "Write the values out.")
        return value

    def _refuse(self, event: Any, message: str, hint: str = "") -> ConfigError:
        mark = event.start_mark
        return _refusal(self._name, mark.line + 1, mark.column + 1, message, hint)


def _scalar(text: str) -> Value:
    if not text:
        return None
    if text[0] not in _MAYBE_NOT_TEXT:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _child(node: nodes.Node | None, step: str | int) -> tuple[nodes.Node | None, nodes.Node] | None:
    if isinstance(node, nodes.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key, value
    elif isinstance(node, nodes.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


def _syntax(name: str, text: str, error: yaml.MarkedYAMLError) -> ConfigError:
    mark: Any = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    if line <= len(lines) and lines[line - 1][column - 1 : column] == "\t":
        return _refusal(name, line, column, "a tab cannot indent.", "Use spaces.")
    problem = error.problem or error.context
    return _refusal(name, line, column, f"this is no YAML: {problem}.")


def _refusal(name: str, line: int, column: int, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Finding(file=name, line=line, column=column, message=message, hint=hint)])
