"""Templates of signals: filled with values of the map only, and a value stays a value."""

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.causes.queries import fill, loose_placeholders, queries_of
from agent.model.labels import Matcher, MatchOperator
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind
from agent.model.signal import Signal, SignalKind, SignalSet, Unit


def entity(**more: object) -> Entity:
    """A service called checkout."""
    said = {"ref": "component:shop/checkout", "kind": EntityKind.COMPONENT, "name": "checkout"}
    return Entity(**{**said, "type": "service", **more})  # type: ignore[arg-type]


def label(name: str, value: str) -> Matcher:
    """A label of its series."""
    return Matcher(name=name, operator=MatchOperator.EQUAL, value=value)


def config(*queries: str, **about: object) -> Config:
    """One document with these queries."""
    signals = tuple(
        Signal(name=f"s{n}", kind=SignalKind.RESOURCE, unit=Unit.NUMBER, query=query)
        for n, query in enumerate(queries)
    )
    return Config(digest="x", signals=(SignalSet(name="x", signals=signals, **about),))  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_value_leaves_its_string(value: str) -> None:
    """Whatever a map holds, the query has one selector with one matcher of that very value."""
    query = promql_parser.parse(fill('up{job="$job"}', {"job": value}))

    assert "up" == query.name
    assert [value] == [matcher.value for matcher in query.matchers.matchers]


@pytest.mark.parametrize("value", ["a.b", "a|b", ".*", "a-b", "x(1)", "$"])
def test_in_a_regular_expression_a_value_means_itself(value: str) -> None:
    """A dot in a name matches a dot; `.*` as a name matches nothing else."""
    import re

    filled = fill('up{pod=~"$name-.*"}', {"name": value})
    (matcher,) = promql_parser.parse(filled).matchers.matchers

    assert re.fullmatch(matcher.value, f"{value}-1")
    assert not re.fullmatch(matcher.value, "other-1")


def test_a_signal_is_asked_where_the_map_knows_its_labels() -> None:
    """Annotated labels come before those of alerts; a template that needs more is left out."""
    known = entity(
        metrics=(label("job", "annotated"),),
        matches=((label("job", "alert"), label("host", "h1")),),
    )
    asked = queries_of(config('a{job="$job",h="$host"}', 'b{x="$absent"}', 'c{n="$name"}'), known)

    assert ['a{job="annotated",h="h1"}', 'c{n="checkout"}'] == [q.signal.query for q in asked]


def test_a_document_is_about_its_kinds_and_types() -> None:
    """Signals of databases are not asked of services."""
    query = 'up{n="$name"}'
    kinds = (EntityKind.RESOURCE,)

    assert () == queries_of(config(query, types=("database",)), entity())
    assert () == queries_of(config(query, kinds=kinds), entity())
    assert 1 == len(queries_of(config(query, types=("service",)), entity()))


def test_placeholders_outside_of_strings_are_found() -> None:
    """There nobody knows what they would become: the check refuses them."""
    assert ["x", "y"] == list(loose_placeholders("""rate($x{a="$a",b='$y'}[5m])"""))
