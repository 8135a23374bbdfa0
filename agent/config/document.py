"""Writes docs/configuration.md from the schemas, so that no key is without a word about it.

    python -m agent.config.document > docs/configuration.md

Not here: how rules are thought of and written well (docs/rules.md, by hand).
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agent.config.durations import format_duration
from agent.config.schema import API_VERSION, model_of
from agent.config.schema_map import ANNOTATIONS, BACKSTAGE_KINDS, Descriptor
from agent.config.schema_remediation import RemediationSpec
from agent.config.schema_rules import AT_MOST_ONE, SPECS
from agent.config.schema_settings import Settings
from agent.core.conditions import Scope
from agent.model.labels import Matcher

HEAD = """\
# Configuration

<!-- Written from the schemas by `python -m agent.config.document`; change it there. -->

Two things are configured, and kept apart on purpose:

- `config.yaml` says where we listen, what we keep and whom we talk to. It is read at the start.
- The **rules folder** and the **remediations folder** say everything that decides. They are read
  again while we run: whole and without a mistake, or not at all.

`watchkeeper check` reads both and tells every mistake with its place. YAML is read as version 1.2
says: `on` and `no` are words. Durations are written `30s`, `5m`, `1h30m`, `2d`. A key that is
not listed here is a mistake.
"""

SCOPES = {
    Scope.REMEDIATION: "`RemediationRule`",
    Scope.POLICY: "`ChangePolicy`",
    Scope.ROUTE: "`Route` and `Ticketing`",
}
_PLAIN: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    timedelta: "duration",
    SecretStr: "secret",
    Path: "path",
    Any: "anything",
    Matcher: "matchers",
}


def configuration() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## config.yaml\n"
    yield from _keys(Settings, "")
    yield "\n## The rules folder\n"
    yield (
        f"Every YAML file of it is read, whatever its name; `kind` says what a document is. Ours"
        f" begin with `apiVersion: {API_VERSION}` and have `metadata` with a `name`, and where"
        f" somebody answers for it an `author`. Left out are hidden files, `sources/` (mappings of"
        f" sources) and `tests/` (scenarios of `watchkeeper test`)."
    )
    for kind, shape in SPECS.items():
        yield f"\n### {kind}\n"
        yield f"{_about(shape)}\n"
        if kind in AT_MOST_ONE:
            yield "There is at most one.\n"
        yield from _keys(shape, "spec.")
    yield "\n### The service map\n"
    yield f"Backstage descriptors of kind {', '.join(BACKSTAGE_KINDS)}. What we read of them:\n"
    yield from _keys(Descriptor, "")
    yield "\nAnnotations of ours; all are optional, and an unknown one is a mistake:\n"
    yield from _table(("annotation", "meaning"), ((f"`{k}`", v) for k, v in ANNOTATIONS.items()))
    yield "\n## remediations/NAME/remediation.yaml\n"
    yield f"{_about(RemediationSpec)} `kind: Remediation`, with `metadata.author`.\n"
    yield from _keys(RemediationSpec, "spec.")
    yield "\n## Names in conditions\n"
    yield "Conditions are CEL. Names and types are checked when they are loaded.\n"
    names = sorted({name for scope in Scope for name in scope.variables})
    yield from _table(
        ("name", "type", *SCOPES.values()),
        (_name_row(name) for name in names),
    )
    yield ""


def _name_row(name: str) -> tuple[str, ...]:
    kinds = [scope.variables[name] for scope in SCOPES if name in scope.variables]
    marks = ("yes" if name in scope.variables else "" for scope in SCOPES)
    return (f"`{name}`", kinds[0].name().lower(), *marks)


def _keys(shape: type[BaseModel], prefix: str) -> Iterator[str]:
    yield from _table(("key", "value", "default", "meaning"), _rows(shape, prefix))


def _rows(shape: type[BaseModel], prefix: str) -> Iterator[tuple[str, ...]]:
    for name, field in shape.model_fields.items():
        key = prefix + (field.alias or name)
        within = model_of(field.annotation)
        meaning = field.description or (_about(within) if within else "")
        yield (f"`{key}`", _type(field.annotation), _default(field), meaning)
        if within:
            yield from _rows(within, _inside(key, field.annotation))


def _inside(key: str, annotation: Any) -> str:
    if get_origin(annotation) is list:
        return f"{key}[]."
    return f"{key}.NAME." if get_origin(annotation) is dict else f"{key}."


def _type(annotation: Any) -> str:
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in parts)
    if origin is list:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"map of {_type(parts[1])}"
    if model_of(annotation):
        return "map"
    kinds = [_type(part) for part in parts if part not in (NoneType, Ellipsis)]
    return " or ".join(kind for kind in dict.fromkeys(kinds) if kind)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=False)
    if value is PydanticUndefined or value is None or value in ("", [], {}):
        factory = field.default_factory
        value = factory() if factory else value  # type: ignore[call-arg]
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, BaseModel) or value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(value)}`" if isinstance(value, list) else f"`{value}`"


def _about(shape: type[BaseModel]) -> str:
    return " ".join((shape.__doc__ or "").split())


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    sys.stdout.write(configuration())
