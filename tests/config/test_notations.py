"""Durations, matchers and references: what is written and what is understood."""

from datetime import timedelta

import pytest

from agent.config.durations import format_duration, parse_duration
from agent.config.matchers import MATCHERS_CHARACTERS_MAX, MATCHERS_MAX, parse_matchers
from agent.config.references import did_you_mean, entity_ref
from agent.model.labels import Matcher, MatchOperator
from agent.model.service import EntityKind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1500ms", 1.5),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """Units go from large to small, as Prometheus has them; printing gives the same length."""
    length = timedelta(seconds=seconds)
    assert length == parse_duration(text)
    assert length == parse_duration(format_duration(length))


@pytest.mark.parametrize(
    "text", ["", "5", "5 m", "-5m", "1.5h", "30m1h", "5y", "m", "99999999w", "٥m"]
)
def test_what_is_no_duration(text: str) -> None:
    """Nothing is guessed: a number without a unit is none."""
    with pytest.raises(ValueError, match=r"duration|longer than"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', [("a", "=", "b")]),
        ('{a="b", c!="d",}', [("a", "=", "b"), ("c", "!=", "d")]),
        ("a=b,c=~d.*", [("a", "=", "b"), ("c", "=~", "d.*")]),
        (r'a=~"\\d+",b!~"x\d"', [("a", "=~", r"\d+"), ("b", "!~", r"x\d")]),
        (r'a="say \"x\", \\ and\n"', [("a", "=", 'say "x", \\ and\n')]),
        ('a=""', [("a", "=", "")]),
        ("host=app1,service=nginx", [("host", "=", "app1"), ("service", "=", "nginx")]),
        ('{"a"="b", "ü v"!~"c"}', [("a", "=", "b"), ("ü v", "!~", "c")]),
        ('ünicode!="x", k8s.io/app=y', [("ünicode", "!=", "x"), ("k8s.io/app", "=", "y")]),
    ],
)
def test_matchers(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Prometheus' syntax, with or without braces and quotes."""
    assert tuple(
        Matcher(name=name, operator=MatchOperator(operator), value=value)
        for name, operator, value in expected
    ) == parse_matchers(text)


def test_a_matcher_reads_what_it_prints() -> None:
    """Text of a matcher is the matcher again, whatever its value holds."""
    for name in ("a", "ü", 'a "b"', "a,b=c"):
        matcher = Matcher(name=name, operator=MatchOperator.EQUAL, value='"\\,}\\n x')
        assert (matcher,) == parse_matchers(str(matcher))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "a", "a=", 'a="b', 'a="b" c="d"', "=b", 'a=~"("', 'a=="b"', ",a=b"),
        *('{a="b"', '{a="b" or c="d"}', 'foo{a="b"}', "=", "a=~[", "🤖", "a='b'", "a=b c", '""=b'),
        ",".join(["a=b"] * (MATCHERS_MAX + 1)),
        "a=" + "b" * MATCHERS_CHARACTERS_MAX,
    ],
)
def test_what_is_no_matcher(text: str) -> None:
    """Broken syntax and illegal regular expressions are refused."""
    with pytest.raises(ValueError, match=r"matcher|RE2|longer"):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", "component:default/web"),
        ("resource:web", "resource:default/web"),
        ("API:Shop/Orders.v1", "api:shop/orders.v1"),
        ("other/web", "component:other/web"),
    ],
)
def test_references(text: str, expected: str) -> None:
    """Kind and namespace may be left out where they are implied."""
    assert expected == entity_ref(text, kind=EntityKind.COMPONENT)


@pytest.mark.parametrize(
    "text", ["", "a b", "host:web", "a:b:c", "component:", "-web", "a/b/c", "web\n"]
)
def test_what_is_no_reference(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"no reference|unknown kind"):
        entity_ref(text, kind=EntityKind.COMPONENT)


def test_suggestions_are_near_or_none() -> None:
    """A slip of the pen gets a suggestion, another word gets none; a large map costs no minute."""
    many = [f"component:default/svc-{number}" for number in range(50_000)]
    assert did_you_mean("chekout", ["checkout", "cart"]) == 'Did you mean "checkout"?'
    assert did_you_mean("warehouse", ["checkout", "cart"]) == ""
    assert "svc-" in did_you_mean("component:default/scv-1234", many)
