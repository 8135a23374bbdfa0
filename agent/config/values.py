"""Whether a value satisfies a declared parameter. Not here: where the value comes from."""

import re2

from agent.model.remediation import Parameter, ParameterType, ParameterValue
from agent.model.service import ServiceMap


def value_problem(
    parameter: Parameter, value: ParameterValue, service_map: ServiceMap
) -> str | None:
    """Why the value does not satisfy the parameter, or None."""
    match parameter.type:
        case ParameterType.BOOLEAN:
            return None if isinstance(value, bool) else "must be true or false"
        case ParameterType.INTEGER:
            if not isinstance(value, int) or isinstance(value, bool):
                return f'must be an integer, not "{value}"'
            low, high = parameter.minimum, parameter.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                return f"{value} is outside {low} .. {high}"
            return None
    if not isinstance(value, str):
        return f"must be a text, not {value}"
    if parameter.type is ParameterType.ENTITY:
        return None if value in service_map.entities else f'there is no entity "{value}"'
    if parameter.choices and value not in parameter.choices:
        return f'must be one of {", ".join(parameter.choices)}, not "{value}"'
    if parameter.pattern and not re2.fullmatch(parameter.pattern, value):
        return f'"{value}" does not match {parameter.pattern}'
    return None
