"""What all schemas share: strict values, no unknown key, and errors in an operator's words.

Not here: the schemas themselves (`schema_*`), or checks across documents (`check`).
"""

from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from agent.config.references import NAME, did_you_mean
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding

API_VERSION = "watchkeeper.io/v1"
SECRETS = frozenset({"token", "secret", "apprise", "headers"})
"""Keys whose values no finding repeats."""

Shape = TypeVar("Shape", bound=BaseModel)


class Strict(BaseModel):
    """A part of config.yaml: keys in snake_case, none unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Spec(BaseModel):
    """A part of a rule document: keys in camelCase, none unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f'"{text}" is no name: letters, digits and -_. only, at most 63')
    return text


Name = Annotated[str, AfterValidator(_name)]
"""What other documents call this one."""


ConditionText = Annotated[str, Field(min_length=1, max_length=4000)]
"""A condition (CEL); its names and types are checked when it is loaded."""


class Metadata(Spec):
    """Who this is."""

    name: Name = Field(description="How others refer to it; unique among documents of its kind.")
    title: str = Field(default="", description="What people call it.")
    description: str = Field(default="", description="One or two sentences for people.")
    author: str = Field(
        default="", description="Who answers for it; may not approve what it leads to."
    )


class Envelope(Spec):
    """The outside of every document of ours; `kind` says what `spec` must be."""

    api_version: str
    kind: str
    metadata: Metadata
    spec: dict[str, Any] = Field(default_factory=dict)


def validate(
    shape: type[Shape], document: Document, value: object, *, at: Loc = ()
) -> Shape | list[Finding]:
    """The value as this shape, or every finding about it; `at` leads to the value."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        return [_finding(shape, document, at, detail) for detail in error.errors()]


def _finding(shape: type[BaseModel], document: Document, at: Loc, detail: ErrorDetails) -> Finding:
    loc = (*at, *detail["loc"])
    if loc and loc[-1] == "[key]":
        return document.key_finding(loc[:-1], f"{loc_text(loc[:-2])}: {_sentence(loc, detail)}.")
    if detail["type"] == "extra_forbidden":
        known = _keys(shape, detail["loc"][:-1])
        key, inside = str(loc[-1]), _inside(loc)
        hint = did_you_mean(key, known) or f"Known here: {', '.join(known)}."
        return document.key_finding(loc, f'unknown key "{key}"{inside}.', hint)
    if detail["type"] == "missing":
        return document.finding(loc[:-1], f'"{loc[-1]}" is missing{_inside(loc)}.')
    hint = ""
    if detail["type"] == "literal_error":
        hint = did_you_mean(str(detail["input"]), _words(detail))
    where = f"{loc_text(loc)}: " if loc else ""
    return document.finding(loc, f"{where}{_sentence(loc, detail)}.", hint)


def _sentence(loc: Loc, detail: ErrorDetails) -> str:
    """What is wrong, in an operator's words."""
    context = detail.get("ctx", {})
    instead = "" if SECRETS.intersection(loc) else f", not {_shown(detail['input'])}"
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"must be one of {', '.join(_words(detail))}{instead}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}{instead}"
        case "greater_than":
            return f"must be more than {context['gt']}{instead}"
        case "less_than_equal":
            return f"must be at most {context['le']}{instead}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a map{instead}"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}{instead}"
    return f"{detail['msg'].replace('Input should be a valid', 'must be of type')}{instead}"


def loc_text(loc: Loc) -> str:
    """`spec.rules[0].when`: the path as people write it."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _inside(loc: Loc) -> str:
    return f" in {loc_text(loc[:-1])}" if loc[:-1] else ""


def _words(detail: ErrorDetails) -> list[str]:
    parts = detail["ctx"]["expected"].replace(" or ", ", ").split(",")
    return [part.strip("' ") for part in parts]


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text[:60]}"' if isinstance(value, str) else text[:60]


def _keys(shape: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that the model at this place of the shape knows."""
    found: Any = shape
    for step in loc:
        found = _within(found, step)
    model = model_of(found)
    return [] if model is None else keys_of(model)


def keys_of(model: type[BaseModel]) -> list[str]:
    """What operators call the fields of the model."""
    return [field.alias or name for name, field in model.model_fields.items()]


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation such as `X`, `list[X]` or `dict[str, X] | None` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_of(part) for part in get_args(annotation))
    return next((model for model in found if model), None)


def _within(annotation: Any, step: str | int) -> Any:
    if get_origin(annotation) in (list, dict):
        return get_args(annotation)[-1]
    model = model_of(annotation)
    for name, field in model.model_fields.items() if model else ():
        if step in (field.alias, name):
            return field.annotation
    return None
