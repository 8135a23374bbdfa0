"""Which queries the declared signals ask about an entity: templates filled with the map's values.

A value is data for ever: it stands inside a quoted string only, escaped for it, and where the
string is a regular expression it means itself. Not here: asking (`runtime.look`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.model.labels import MatchOperator
from agent.model.rule import Config
from agent.model.service import Entity, EntityRef
from agent.model.signal import Signal, SignalSet

QUERIES_PER_ENTITY_MAX = 20

_STRING = re.compile(r'(=~|!~)?(\s*)"((?:[^"\\]|\\.)*)"')
_PLACEHOLDER = re.compile(r"\$(?:([a-zA-Z_][a-zA-Z0-9_]*)|\{([a-zA-Z_][a-zA-Z0-9_]*)\})")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One signal of one entity, ready to be asked."""

    entity: EntityRef
    signal: Signal
    every: timedelta
    history: timedelta


def queries_of(config: Config, entity: Entity) -> tuple[Query, ...]:
    """What to ask about an entity; a signal that needs a value the map lacks is left out."""
    found: list[Query] = []
    values: Mapping[str, str] | None = None
    for each in config.signals:
        if not _is_about(each, entity):
            continue
        values = values_of(entity) if values is None else values
        for signal in each.signals:
            if placeholders(signal.query) <= values.keys():
                filled = replace(signal, query=fill(signal.query, values))
                query = Query(
                    entity=entity.ref, signal=filled, every=each.every, history=each.history
                )
                found.append(query)
    return tuple(found[:QUERIES_PER_ENTITY_MAX])


def is_measured(config: Config, entity: Entity) -> bool:
    """Whether any signal asks about it."""
    return any(
        _is_about(each, entity)
        and any(placeholders(signal.query) <= values_of(entity).keys() for signal in each.signals)
        for each in config.signals
    )


def values_of(entity: Entity) -> Mapping[str, str]:
    """What placeholders stand for: annotated labels, then what its alerts say, then its names."""
    kind_and_namespace, _, _ = entity.ref.rpartition("/")
    _, _, namespace = kind_and_namespace.partition(":")
    alternatives = entity.matches[:1]
    said = {
        matcher.name: matcher.value
        for matchers in alternatives
        for matcher in matchers
        if matcher.operator is MatchOperator.EQUAL
    }
    annotated = {matcher.name: matcher.value for matcher in entity.metrics}
    host = {"host": entity.host.name, "address": entity.host.address} if entity.host else {}
    return {"name": entity.name, "namespace": namespace, **host, **said, **annotated}


def placeholders(template: str) -> set[str]:
    """The names that a template asks for."""
    return {one or other for one, other in _PLACEHOLDER.findall(template)}


def loose_placeholders(template: str) -> Iterator[str]:
    """Placeholders outside of strings in double quotes: what they would become nobody knows."""
    for one, other in _PLACEHOLDER.findall(_STRING.sub('""', template)):
        yield one or other


def fill(template: str, values: Mapping[str, str]) -> str:
    """The query with the values in its strings, each escaped as PromQL wants it there."""

    def filled(found: re.Match[str]) -> str:
        operator, space, content = found.groups()

        def value(name: re.Match[str]) -> str:
            text = values[name[1] or name[2]]
            return _quoted(_SPECIAL.sub(r"\\\g<0>", text) if operator else text)

        return f'{operator or ""}{space}"{_PLACEHOLDER.sub(value, content)}"'

    return _STRING.sub(filled, template)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _is_about(each: SignalSet, entity: Entity) -> bool:
    return (not each.kinds or entity.kind in each.kinds) and (
        not each.types or entity.type in each.types
    )
