"""Conditions: what may be written, where a mistake is, and when they hold."""

import pytest

from agent.core.conditions import (
    ConditionError,
    ConditionFailure,
    Facts,
    Scope,
    compile_condition,
    conjuncts,
)

LABELS = {"team": "web", "n": "3"}
VALUES = {"alert.name": "Down", "alert.labels": LABELS, "incident.priority": 2}


def holds(text: str) -> bool:
    """Whether it is true of an alert with these values."""
    return compile_condition(text, Scope.REMEDIATION).holds(Facts(Scope.REMEDIATION, VALUES))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('alert.name == "Down"', True),
        ('alert.labels.team == "web" && incident.priority <= 2', True),
        ('alert.labels["team"] in ["db", "web"]', True),
        ('alert.labels.team.startsWith("d")', False),
        ('"gone" in alert.labels', False),
        ('alert.name.matches("D.*n")', True),
    ],
)
def test_it_holds_of_what_it_says(text: str, expected: bool) -> None:
    """Values, labels, lists, and functions of the language."""
    assert holds(text) is expected


@pytest.mark.parametrize("text", ['alert.labels.gone == "x"', 'service.owner == "x"'])
def test_what_nobody_gave_cannot_be_told(text: str) -> None:
    """An absent value is no empty value: the condition fails instead of being false."""
    with pytest.raises(ConditionFailure):
        holds(text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("alert.nmae == 'x'", 1, 6),
        ("alert.name ==\n   incident.priority", 1, 12),
        ("alert.name == ", 1, 15),
        ('change.type == "normal"', 1, 7),
        ("", 1, 1),
    ],
)
def test_a_slip_of_the_pen_has_its_place(text: str, line: int, column: int) -> None:
    """Unknown names, wrong types and broken syntax are found when the condition is loaded."""
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, Scope.REMEDIATION)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"{line}:{column}: ")


def test_a_condition_is_true_or_false() -> None:
    """A text or a number is no answer."""
    with pytest.raises(ConditionError, match="this gives a string"):
        compile_condition("alert.name", Scope.REMEDIATION)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('alert.name == "a"', 1),
        ('alert.name == "a" && incident.priority == 1', 2),
        ('alert.name == "a" && incident.priority == 1 || alert.name == "b"', 1),
        ('(alert.name == "a" && incident.priority == 1)', 1),
        ('alert.name == "a&&b"', 1),
    ],
)
def test_parts_are_told_apart_only_where_that_is_certain(text: str, parts: int) -> None:
    """A wrong split would let a rule be passed over that holds."""
    assert len(conjuncts(text, Scope.REMEDIATION)) == parts


def test_the_values_that_an_alert_must_have_are_known() -> None:
    """By them rules are looked up instead of being tried."""
    condition = compile_condition(
        'alert.name == "Down" && alert.labels.team == "web" && incident.priority < 3',
        Scope.REMEDIATION,
    )
    assert condition.equalities == (("alertname", "Down"), ("team", "web"))


def test_each_scope_knows_its_own_names() -> None:
    """A policy knows changes and the time, a route neither."""
    assert "now" in Scope.POLICY.variables
    assert "change.type" not in Scope.ROUTE.variables
