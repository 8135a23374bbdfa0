"""What a condition of policy demands at least, so that a rule can be passed over unevaluated.

`change.remediation == "restart" && ...` holds for no other remediation, whatever follows: in CEL a
conjunction with a false part is false even where another part fails. A rule is passed over only by
a value that is known and differs; everything else is left to the condition itself.
"""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from agent.core.conditions import Fact, Scope, conjuncts

Demand = tuple[str, Callable[[Any, Any], bool], Fact]
"""The name of a fact, how it is compared, and with what."""

_COMPARE = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_TEXT = re.compile(r'\s*((?:change|service|incident)\.\w+)\s*([!=]=)\s*"([^"\\]*)"\s*')
_WHOLE = re.compile(
    r"\s*((?:change|service|incident|history)\.\w+)\s*([!=]=|[<>]=?)\s*(-?\d{1,15})\s*"
)
_FLAG = re.compile(r"\s*(!?)\s*((?:change|service|calendar|history)\.(?:is|has)_\w+)\s*")


def demands_of(text: str) -> tuple[Demand, ...]:
    """The plain comparisons among the parts that must all hold."""
    found: list[Demand] = []
    for part in conjuncts(text, Scope.POLICY):
        if match := _TEXT.fullmatch(part):
            found.append((match[1], _COMPARE[match[2]], match[3]))
        elif match := _WHOLE.fullmatch(part):
            found.append((match[1], _COMPARE[match[2]], int(match[3])))
        elif match := _FLAG.fullmatch(part):
            found.append((match[2], eq, not match[1]))
    return tuple(found)


def is_ruled_out(demands: tuple[Demand, ...], values: Mapping[str, Fact]) -> bool:
    """Whether a fact that is known does not compare as it must."""
    for name, compare, wanted in demands:
        if name in values and not compare(values[name], wanted):
            return True
    return False
