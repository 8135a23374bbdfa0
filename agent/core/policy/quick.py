"""What a condition of policy demands at least, so that a rule can be passed over unevaluated.

`change.remediation == "restart" && ...` holds for no other remediation, whatever follows: in CEL a
conjunction with a false part is false even where another part fails. A rule is passed over only by
a value that is known and differs; everything else is left to the condition itself.
"""

import re

from agent.core.conditions import Fact, Scope, conjuncts

Demand = tuple[str, Fact]
"""The name of a fact and the value that it must have."""

_TEXT = re.compile(r'\s*((?:change|service|incident)\.\w+)\s*==\s*"([^"\\]*)"\s*')
_WHOLE = re.compile(r"\s*((?:change|service|incident|history)\.\w+)\s*==\s*(-?\d{1,15})\s*")
_FLAG = re.compile(r"\s*(!?)\s*((?:change|service|calendar|history)\.(?:is|has)_\w+)\s*")


def demands_of(text: str) -> tuple[Demand, ...]:
    """The values that are compared for equality in parts that must all hold."""
    found: list[Demand] = []
    for part in conjuncts(text, Scope.POLICY):
        if match := _TEXT.fullmatch(part):
            found.append((match[1], match[2]))
        elif match := _WHOLE.fullmatch(part):
            found.append((match[1], int(match[2])))
        elif match := _FLAG.fullmatch(part):
            found.append((match[2], not match[1]))
    return tuple(found)
