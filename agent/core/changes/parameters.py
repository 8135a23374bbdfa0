"""Values from outside become parameters only if they are exactly what was declared."""

import re2

from agent.core.state import State
from agent.model.remediation import Parameter, ParameterType, ParameterValue

TEXT_MAX = 256
"""No parameter is longer than this, whatever its pattern says."""


def accept(state: State, parameter: Parameter, value: ParameterValue) -> ParameterValue | None:
    """The value in its declared type, or None where it is not what the declaration asks for."""
    match parameter.type:
        case ParameterType.BOOLEAN:
            return value if isinstance(value, bool) else _boolean(value)
        case ParameterType.INTEGER:
            return _integer(parameter, value)
        case ParameterType.ENTITY:
            known = isinstance(value, str) and value in state.config.service_map.entities
            return value if known else None
        case ParameterType.STRING:
            return value if isinstance(value, str) and _is_text(parameter, value) else None


def describe(parameter: Parameter) -> str:
    """What would be accepted, for people."""
    if parameter.choices:
        return f"one of {', '.join(parameter.choices)}"
    if parameter.pattern:
        return f"text that matches {parameter.pattern}"
    bounds = [
        f"at least {parameter.minimum}" if parameter.minimum is not None else "",
        f"at most {parameter.maximum}" if parameter.maximum is not None else "",
    ]
    return f"{parameter.type} {' and '.join(bound for bound in bounds if bound)}".strip()


def _boolean(value: ParameterValue) -> bool | None:
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _integer(parameter: Parameter, value: ParameterValue) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not re2.fullmatch(r"-?[0-9]{1,9}", value):
            return None
        value = int(value)
    low = parameter.minimum is None or value >= parameter.minimum
    high = parameter.maximum is None or value <= parameter.maximum
    return value if low and high else None


def _is_text(parameter: Parameter, value: str) -> bool:
    if len(value) > TEXT_MAX:
        return False
    if parameter.choices:
        return value in parameter.choices
    if parameter.pattern is None:
        return False
    return re2.fullmatch(parameter.pattern, value) is not None
