"""YAML is read as it looks, every value has its place, and hostile files are refused early."""

from itertools import pairwise

import pytest

from agent.config.yaml_lines import (
    ALIASES_MAX,
    YAML_DEPTH_MAX,
    Document,
    Value,
    parse_documents,
)
from agent.errors import ConfigError, Finding


def only(text: str) -> Document:
    """The one document of a text."""
    (document,) = parse_documents(text.encode(), "shop.yaml")
    return document


def refusal(content: bytes) -> Finding:
    """The one finding about content that is refused."""
    with pytest.raises(ConfigError) as refused:
        parse_documents(content, "shop.yaml")
    (finding,) = refused.value.findings
    return finding


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("010", "010"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-12", -12),
        ("99999999999999999999", 1e20),
        (".inf", ".inf"),
        ("true", True),
        ("~", None),
        ('"true"', "true"),
        ("''", ""),
        ("[1, two]", [1, "two"]),
        ("{1: {on: yes}}", {"1": {"on": "yes"}}),
    ],
)
def test_values_are_what_they_look_like(text: str, value: Value) -> None:
    """YAML 1.2: nothing becomes a boolean, a date or base 60 by accident; keys are text."""
    assert {"key": value} == only(f"key: {text}").value


def test_a_place_counts_lines_of_the_whole_file() -> None:
    """A value of a later document is found where it stands in the file."""
    _, document = parse_documents(b"# shop\na: 1\n---\n\nb:\n  - c: 1\n    d: two\n", "shop.yaml")
    assert place(document.finding(("b", 0, "d"), "")) == (7, 8)
    assert place(document.key_finding(("b", 0, "d"), "")) == (7, 5)
    assert place(document.finding(("b", 0, "missing"), "")) == (6, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when: one two", (1, 11)),
        ("when: 'one two'", (1, 12)),
        ("when:\n  one two", (2, 7)),
        ("when: |\n  one two", (2, 7)),
        ("when: |\n\n    one two", (3, 9)),
    ],
)
def test_a_place_inside_a_text(text: str, expected: tuple[int, int]) -> None:
    """The second word of a text is found in every style of writing it."""
    document = only(text)
    value = document.value
    assert isinstance(value, dict)
    lines = str(value["when"]).splitlines()
    line = next(number for number, words in enumerate(lines, 1) if "two" in words)
    column = lines[line - 1].index("two") + 1
    assert expected == place(document.text_finding(("when",), line, column, ""))


def place(finding: Finding) -> tuple[int, int]:
    """Line and column of a finding."""
    return finding.line, finding.column


@pytest.mark.parametrize(
    ("content", "expected", "message"),
    [
        (b"a: 1\nb: 2\na: 3", (3, 1), "second time"),
        (b"a:\n\tb: 1", (2, 1), "a tab cannot indent"),
        (b"a: !!python/name:os.system", (1, 4), "!!python/name:os.system is not allowed"),
        (b"a: !secret b", (1, 4), "!secret is not allowed"),
        (b"a: b\xff", (1, 5), "byte 0xff is not UTF-8"),
        (b"a: b\x07", (1, 1), "U+0007 is not allowed"),
        (b"? [a]\n: b", (1, 3), "a key must be plain text"),
        (b"a: &x [*x]", (1, 8), "no finished anchor &x"),
        (b"a: [1, 2", (2, 1), "this is no YAML"),
        (b"[" * 10_000, (1, YAML_DEPTH_MAX + 1), "nested deeper"),
        (b"{a: " * 10_000, (1, YAML_DEPTH_MAX * 4 + 1), "nested deeper"),
    ],
)
def test_what_is_refused(content: bytes, expected: tuple[int, int], message: str) -> None:
    """Each refusal says where and why."""
    finding = refusal(content)
    assert message in finding.message
    assert expected == place(finding)


def test_a_few_aliases_are_fine_and_many_are_not() -> None:
    """An anchor may be used again, but not so often that a small file becomes a large one."""
    assert only("a: &x [1]\nb: *x").value == {"a": [1], "b": [1]}
    assert "aliases" in refusal(b"a: &x 1\nb: [" + b"*x, " * (ALIASES_MAX + 1) + b"]").message


def test_ten_aliases_of_ten_aliases_are_counted() -> None:
    """What an alias stands for counts in full: the billion laughs end early, in little memory."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{to}: &{to} [{', '.join([f'*{of}'] * 10)}]" for of, to in pairwise("abcdefghi")]
    assert "aliases" in refusal("\n".join(lines).encode()).message
