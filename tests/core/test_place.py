"""Where an alert belongs: by lookup, the most particular entity first."""

from dataclasses import replace

import pytest

from agent.core.matching import compile_all, compile_matcher
from agent.core.place import Places
from agent.model.labels import Matcher, MatchOperator
from agent.model.service import Entity, ServiceMap
from tests.core.play import entity, matcher, ref

REGEX, NOT_REGEX, NOT_EQUAL = MatchOperator.REGEX, MatchOperator.NOT_REGEX, MatchOperator.NOT_EQUAL


def matched(name: str, *alternatives: tuple[Matcher, ...]) -> Entity:
    """An entity with these matchers."""
    return replace(entity(name), matches=alternatives)


def find(labels: dict[str, str], *entities: Entity) -> str | None:
    """Where these labels belong."""
    return Places(ServiceMap.of({each.ref: each for each in entities})).find(labels)


@pytest.mark.parametrize(
    ("operator", "value", "label", "expected"),
    [
        (MatchOperator.EQUAL, "a", "a", True),
        (MatchOperator.EQUAL, "", None, True),
        (NOT_EQUAL, "a", "a", False),
        (NOT_EQUAL, "a", None, True),
        (REGEX, "a|b", "b", True),
        (REGEX, "a", "aa", False),
        (REGEX, "a*", None, True),
        (NOT_REGEX, "web.*", "web1", False),
        (NOT_REGEX, "web", "web1", True),
    ],
)
def test_matchers_mean_what_they_mean_in_prometheus(
    operator: MatchOperator, value: str, label: str | None, expected: bool
) -> None:
    """Anchored at both ends; an absent label is the empty string."""
    labels = {} if label is None else {"x": label}
    assert compile_matcher(matcher("x", value, operator))(labels) is expected


def test_a_pattern_that_is_none_is_refused_in_words() -> None:
    """When it is compiled, not when an alert comes."""
    with pytest.raises(ValueError, match="is no regular expression"):
        compile_matcher(matcher("x", "(", REGEX))


def test_all_matchers_have_to_hold() -> None:
    """None at all hold always."""
    both = compile_all([matcher("a", "1"), matcher("b", "2")])
    assert [both({"a": "1", "b": "2"}), both({"a": "1"}), compile_all([])({})] == [
        True,
        False,
        True,
    ]


def test_more_matchers_are_more_particular() -> None:
    """The instance before the service before the rest."""
    entities = (
        matched("service", (matcher("job", "web"),)),
        matched("instance", (matcher("job", "web"), matcher("host", "h1"))),
        matched("any", (matcher("job", ".*", REGEX),)),
    )
    assert find({"job": "web", "host": "h1"}, *entities) == ref("instance")
    assert find({"job": "web", "host": "h2"}, *entities) == ref("any")
    assert find({"job": "db"}, *entities) == ref("any")


def test_equally_particular_ones_stand_in_a_fixed_order() -> None:
    """The smaller reference, however the map was written."""
    a, b = matched("a", (matcher("x", "1"),)), matched("b", (matcher("x", "1"),))
    assert find({"x": "1"}, a, b) == find({"x": "1"}, b, a) == ref("a")


def test_what_is_excluded_belongs_elsewhere() -> None:
    """An equality found it, another matcher turned it away."""
    web = matched("web", (matcher("job", "web"), matcher("host", "h1", NOT_EQUAL)))
    assert find({"job": "web", "host": "h1"}, web) is None
    assert find({"job": "web", "host": "h2"}, web) == ref("web")


def test_one_of_several_alternatives_is_enough() -> None:
    """Two tools name the same thing in two ways."""
    web = matched("web", (matcher("job", "web"),), (matcher("host.name", "w1"),))
    assert [find({"job": "web"}, web), find({"host.name": "w1"}, web)] == [ref("web")] * 2


def test_a_matcher_is_written_as_prometheus_writes_it() -> None:
    """With quotes and backslashes in it."""
    assert str(matcher("x", 'a"b\\c', NOT_REGEX)) == r'x!~"a\"b\\c"'
