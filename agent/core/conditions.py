"""The condition language (CEL) behind `compile_condition`; the only file that knows the library.

Names and types are checked when a condition is loaded, so that a slip of the pen is a finding with
its place and not a rule that silently never matches.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from cel_expr_python import cel

Fact = str | int | float | bool | datetime | list[str] | Mapping[str, str]
"""A value that a condition may look at."""

_STRINGS = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)

_ALERT: Final = {
    "alert.name": cel.Type.STRING,
    "alert.severity": cel.Type.STRING,
    "alert.source": cel.Type.STRING,
    "alert.labels": _STRINGS,
    "alert.annotations": _STRINGS,
}
_SERVICE: Final = {
    "service.ref": cel.Type.STRING,
    "service.kind": cel.Type.STRING,
    "service.name": cel.Type.STRING,
    "service.type": cel.Type.STRING,
    "service.tier": cel.Type.INT,
    "service.owner": cel.Type.STRING,
    "service.lifecycle": cel.Type.STRING,
}
_INCIDENT: Final = {
    "incident.id": cel.Type.STRING,
    "incident.priority": cel.Type.INT,
    "incident.severity": cel.Type.STRING,
    "incident.cause": cel.Type.STRING,
    "incident.owner": cel.Type.STRING,
    "incident.alerts": cel.Type.INT,
    "incident.services": cel.Type.List(cel.Type.STRING),
}
_CHANGE: Final = {
    "change.type": cel.Type.STRING,
    "change.remediation": cel.Type.STRING,
    "change.requested_by": cel.Type.STRING,
    "change.is_automatic": cel.Type.BOOL,
    "change.is_reversible": cel.Type.BOOL,
    "change.has_check_mode": cel.Type.BOOL,
    "change.mode": cel.Type.STRING,
    "change.attempt": cel.Type.INT,
    "change.hosts": cel.Type.INT,
    "change.parameters": _STRINGS,
    "change.risk": cel.Type.STRING,
    "change.risk_score": cel.Type.INT,
    "change.has_conflict": cel.Type.BOOL,
    "change.conflicts": cel.Type.List(cel.Type.STRING),
    "change.reach": cel.Type.INT,
    "change.has_incident": cel.Type.BOOL,
}
_GATE: Final = {
    "service.has_tier": cel.Type.BOOL,
    "service.has_owner": cel.Type.BOOL,
    "service.has_objective": cel.Type.BOOL,
    "service.is_budget_known": cel.Type.BOOL,
    "service.budget_left": cel.Type.DOUBLE,
    "service.health": cel.Type.STRING,
    "calendar.is_frozen": cel.Type.BOOL,
    "calendar.is_permitted": cel.Type.BOOL,
    "calendar.has_business_hours": cel.Type.BOOL,
    "calendar.is_business_hours": cel.Type.BOOL,
    "calendar.open": cel.Type.List(cel.Type.STRING),
    "history.runs": cel.Type.INT,
    "history.successes": cel.Type.INT,
    "history.failures": cel.Type.INT,
    "history.success_rate_low": cel.Type.DOUBLE,
    "history.last_failed": cel.Type.BOOL,
    "now": cel.Type.TIMESTAMP,
}

_ERROR = re.compile(r"<input>:(\d+):(\d+): (.+)")
_EQUALITY = re.compile(r'\s*alert\.(?:labels\.(\w+)|(name))\s*==\s*"([^"\\]*)"\s*')


class Scope(Enum):
    """Which names a condition may use."""

    REMEDIATION = "remediation"
    POLICY = "policy"
    ROUTE = "route"

    @property
    def variables(self) -> Mapping[str, cel.Type]:
        """Name to type, also the source of the documentation."""
        return _VARIABLES[self]


_VARIABLES: Final = {
    Scope.REMEDIATION: {**_ALERT, **_SERVICE, **_INCIDENT},
    Scope.POLICY: {**_CHANGE, **_SERVICE, **_INCIDENT, **_GATE},
    Scope.ROUTE: {**_INCIDENT, **_SERVICE},
}
_ENVIRONMENTS: Final = {
    scope: cel.NewEnv(variables=dict(variables)) for scope, variables in _VARIABLES.items()
}


class ConditionError(Exception):
    """The text is no condition: line and column within it (from 1), and what is wrong."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.line, self.column, self.message = line, column, message


class ConditionFailure(Exception):  # noqa: N818 - it is an outcome, not a mistake
    """The condition met values that it cannot be evaluated on, such as a label that is absent."""


class Facts:
    """The values of one moment, prepared once for any number of conditions of one scope."""

    __slots__ = ("activation", "scope", "values")

    def __init__(self, scope: Scope, values: Mapping[str, Fact]) -> None:
        self.scope = scope
        self.values = values
        self.activation = _ENVIRONMENTS[scope].Activation(dict(values))


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition."""

    text: str
    scope: Scope
    equalities: tuple[tuple[str, str], ...]
    """Labels (`alertname` for alert.name) that must have these values wherever it holds."""
    _expression: cel.Expression

    def may_hold(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels could satisfy it; a quick look."""
        return all(labels.get(name) == value for name, value in self.equalities)

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of these facts. Raises ConditionFailure where it cannot be told."""
        try:
            value = self._expression.eval(facts.activation)
        except RuntimeError as error:
            raise ConditionFailure(str(error)) from error
        if value.type() == cel.Type.ERROR:
            raise ConditionFailure(str(value.value()))
        return bool(value.value())


def compile_condition(text: str, scope: Scope) -> Condition:
    """The condition that `text` says, or ConditionError with the place of its first mistake."""
    return Condition(text, scope, _equalities(text, scope), _compile(text, scope))


def groupable(scope: Scope) -> tuple[str, ...]:
    """The names of this scope whose values are one word each, so that things can be told apart."""
    plain = (cel.Type.STRING, cel.Type.INT, cel.Type.BOOL)
    return tuple(name for name, kind in scope.variables.items() if kind in plain)


def conjuncts(text: str, scope: Scope) -> tuple[str, ...]:
    """The parts that must all hold; the whole text as one part where it cannot be told apart.

    Splits at `&&` only where no `||` or `?` could bind otherwise and every part is a condition.
    """
    if "||" in text or "?" in text or text.count("&&") == 0:
        return (text,)
    parts = text.split("&&")
    try:
        for part in parts:
            _compile(part, scope)
    except ConditionError:
        return (text,)
    return tuple(parts)


def _equalities(text: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    found = (_EQUALITY.fullmatch(part) for part in conjuncts(text, scope))
    return tuple((match[1] or "alertname", match[3]) for match in found if match)


def _compile(text: str, scope: Scope) -> cel.Expression:
    try:
        expression = _ENVIRONMENTS[scope].compile(text)
    except RuntimeError as error:
        place = _ERROR.search(str(error))
        if place is None:
            raise ConditionError(1, 1, str(error)) from error
        raise ConditionError(int(place[1]), int(place[2]), place[3]) from error
    if expression.return_type() != cel.Type.BOOL:
        kind = expression.return_type().name().lower()
        raise ConditionError(1, 1, f"a condition must be true or false, this gives a {kind}")
    return expression
