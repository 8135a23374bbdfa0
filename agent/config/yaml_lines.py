"""YAML as operators write it, with a place for every value; hostile files are refused early.

Values follow YAML 1.2: `on`, `no` and `12:30` are text, keys are always text. Positions are only
worked out for what is wrong, since a map of 50,000 entities has more than a million values.
Not here: what the values mean (`schema_*`).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAYBE_NOT_TEXT = frozenset("-+.0123456789tTfFnN~")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
}


@dataclass(slots=True)
class YamlFile:
    """One file that was read; works out places when asked."""

    name: str
    text: str
    _roots: list[nodes.Node | None] | None = field(default=None, repr=False)

    def root(self, number: int) -> nodes.Node | None:
        """The node of the document of this number, None for an empty one."""
        if self._roots is None:
            self._roots = list(yaml.compose_all(self.text, Loader=yaml.CSafeLoader))
        return self._roots[number] if number < len(self._roots) else None


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: its value, and where each part of it stands."""

    file: YamlFile
    number: int
    value: Value

    def finding(self, loc: Sequence[str | int], message: str, hint: str = "") -> Finding:
        """A finding at the value that `loc` leads to, or as near as the document goes."""
        line, column = _at(self._node(loc), self._key(loc))
        return Finding(file=self.file.name, line=line, column=column, message=message, hint=hint)

    def key_finding(self, loc: Sequence[str | int], message: str, hint: str = "") -> Finding:
        """A finding at the key that `loc` ends with."""
        line, column = _at(self._key(loc) or self._node(loc))
        return Finding(file=self.file.name, line=line, column=column, message=message, hint=hint)

    def text_finding(
        self, loc: Sequence[str | int], line: int, column: int, message: str
    ) -> Finding:
        """A finding inside a text: `line` and `column` count from 1 within the text."""
        node = self._node(loc)
        at_line, at_column = _at(node, self._key(loc))
        style = getattr(node, "style", None)
        if style in ("|", ">"):
            lines = self.file.text.splitlines()
            first = next((text for text in lines[at_line:] if text.strip()), "")
            indent = len(first) - len(first.lstrip(" "))
            at_line, at_column = at_line + line, indent + column
        elif line == 1:
            at_column += column - 1 + (style in ("'", '"'))
        return Finding(file=self.file.name, line=at_line, column=at_column, message=message)

    def _node(self, loc: Sequence[str | int]) -> nodes.Node | None:
        node = self.file.root(self.number)
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
    file = YamlFile(name, text)
    try:
        values = list(_Values(file).documents())
    except yaml.MarkedYAMLError as error:
        raise _syntax(file, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        bad = f"character U+{int(error.character):04X} is not allowed in YAML."
        raise _refusal(name, line, 1, bad) from None
    return [
        Document(file, number, value) for number, value in enumerate(values) if value is not None
    ]


class _Values:
    """Builds values from the events of libyaml: one pass, no node, no position kept."""

    def __init__(self, file: YamlFile) -> None:
        self._name = file.name
        # Events differ in what they hold, and the stubs know few of them.
        self._next: Callable[[], Any] = yaml.CSafeLoader(file.text).get_event
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._aliases = 0
        self._values = 0

    def documents(self) -> Iterator[Value]:
        """The value of each document in turn."""
        while not isinstance(event := self._next(), events.StreamEndEvent):
            if isinstance(event, events.DocumentStartEvent):
                self._anchored.clear()
                yield self._value(self._next(), 0)

    def _value(self, event: Any, depth: int) -> Value:
        self._values += 1
        if event.__class__ is events.AliasEvent:
            return self._repeated(event)
        if event.tag is not None:
            bad = f"the tag {_tag(event.tag)} is not allowed."
            raise self._refuse(event, bad, "Write the plain value.")
        if event.__class__ is events.ScalarEvent:
            value = event.value if event.style else _scalar(event.value)
        else:
            if depth >= YAML_DEPTH_MAX:
                raise self._refuse(event, f"is nested deeper than {YAML_DEPTH_MAX} levels.")
            before = self._values
            collect = self._map if event.__class__ is events.MappingStartEvent else self._list
            value = collect(depth + 1)
            if event.anchor:
                self._anchored[event.anchor] = (value, self._values - before)
            return value
        if event.anchor:
            self._anchored[event.anchor] = (value, 1)
        return value

    def _map(self, depth: int) -> Value:
        found: dict[str, Value] = {}
        following = self._next
        while (event := following()).__class__ is not events.MappingEndEvent:
            if event.__class__ is not events.ScalarEvent or event.tag is not None:
                raise self._refuse(event, "a key must be plain text.")
            key = event.value
            if key in found:
                bad = f'the key "{key}" stands here a second time.'
                raise self._refuse(event, bad, "Remove one of both.")
            found[key] = self._value(following(), depth)
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


def _at(*candidates: nodes.Node | None) -> tuple[int, int]:
    for node in candidates:
        if node is not None:
            return node.start_mark.line + 1, node.start_mark.column + 1
    return 1, 1


def _syntax(file: YamlFile, error: yaml.MarkedYAMLError) -> ConfigError:
    mark: Any = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = file.text.splitlines()
    if line <= len(lines) and lines[line - 1][column - 1 : column] == "\t":
        return _refusal(file.name, line, column, "a tab cannot indent.", "Use spaces.")
    problem = error.problem or error.context
    return _refusal(file.name, line, column, f"this is no YAML: {problem}.")


def _refusal(name: str, line: int, column: int, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Finding(file=name, line=line, column=column, message=message, hint=hint)])
