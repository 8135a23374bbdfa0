"""Alerts from any tool that posts JSON: an operator's mapping says where in it everything is.

Paths are names joined by dots, list places as `[0]`; `[*]` is for `items` alone. Not a language:
what needs computing belongs into a connector of its own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import from_json

from agent.connector import Options, json_path
from agent.errors import PayloadError
from agent.model.alert import Alert
from agent.model.labels import fingerprint

VALUE_CHARS_MAX = 32_768
INTEGER_MAX = 2**63
MACRO = re.compile(r"\{\$?[A-Z][A-Z0-9_.]*[.}:].*|\{\$[A-Z0-9_.]+\}.*", re.DOTALL)
"""What Zabbix leaves in a text that it has no value for: counts as absent."""

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,6}|\*)\]")

Steps = tuple[str | int, ...]


def _steps(path: str) -> Steps:
    found = list(_STEP.finditer(path))
    if "".join(each[0] for each in found) != path or not found:
        raise ValueError(f'"{path}" is no path; write it like event.host or targets[0].name')
    return tuple(each[1] or (int(each[2]) if each[2].isdigit() else "*") for each in found)


class Value(Options):
    """Where one value comes from: a path (or several, joined by a space), or a constant."""

    path: str | None = None
    paths: tuple[str, ...] = ()
    value: str | None = None
    map: dict[str, str] = Field(default={}, description="The tool's word to ours; others stay.")
    required: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is not None) + bool(self.paths) + (self.value is not None) != 1:
            raise ValueError("exactly one of `path`, `paths` and `value` must be set")
        for path in self.all_paths:
            _steps(path)
        return self

    @property
    def all_paths(self) -> tuple[str, ...]:
        """Whatever way they were written."""
        return self.paths or ((self.path,) if self.path else ())


def _short(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


Origin = Annotated[Value, BeforeValidator(_short)]
"""A `Value`; a plain text is its path."""
LabelName = Annotated[str, Field(pattern=f"^{_NAME}$")]


class Status(Value):
    """Whether an item fires: its words for both; a word of neither list is refused."""

    open: tuple[str, ...] = Field(min_length=1)
    resolved: tuple[str, ...] = ()
    ignored: tuple[str, ...] = Field((), description="Items to leave out, such as comments.")


class Moment(Value):
    """When something happened, and how the tool writes that."""

    format: str = Field("rfc3339", description="rfc3339, epoch_s, epoch_ms, or like %Y.%m.%d %H:%M")
    timezone: str = Field("UTC", description="Of moments that name none.")

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f'"{name}" is no time zone; write it like Europe/Berlin')
        return name


When = Annotated[Moment, BeforeValidator(_short)]


class Spread(Options):
    """Tags that become labels: a list of key and value, JSON in a text, or `a:b,c:d`."""

    path: str
    form: Literal["objects", "pairs"]
    key: str = "tag"
    value: str = "value"
    only: tuple[LabelName, ...] = Field(min_length=1, description="Tags to take; others are left.")


class JsonOptions(Options):
    """How one tool's JSON is read."""

    items: str | None = Field(None, description="Path of the list of alerts; none: one alert.")
    status: Status
    labels: dict[LabelName, Origin] = Field(min_length=1)
    spread: tuple[Spread, ...] = ()
    annotations: dict[LabelName, Origin] = Field({})
    identity: tuple[LabelName, ...] = Field(
        (), description="Labels that tell alerts apart; none named: all of them."
    )
    starts_at: When | None = None
    ends_at: When | None = None
    url: Origin | None = None
    lease: timedelta | None = Field(None, description="How long a firing holds unrepeated.")


@dataclass(frozen=True, slots=True)
class JsonSource:
    """Reads payloads by a mapping."""

    options: JsonOptions
    options_model: ClassVar[type[Options]] = JsonOptions

    def parse(self, payload: bytes, received_at: datetime) -> list[Alert]:
        """The alerts of one payload; PayloadError where it does not fit the mapping."""
        try:
            whole = from_json(payload, allow_inf_nan=False)
        except ValueError as error:
            raise PayloadError("$", str(error)) from None
        alerts = (self._alert(item, received_at) for item in self._items(whole))
        return [alert for alert in alerts if alert is not None]

    def _items(self, whole: object) -> list["_Item"]:
        if self.options.items is None:
            return [_Item(whole, ())]
        place = _steps(self.options.items)
        place = place[:-1] if place[-1] == "*" else place
        found = _Item(whole, ()).at(place) if place else whole
        if not isinstance(found, list):
            raise PayloadError(json_path(place), "a list of alerts was expected here")
        return [_Item(each, (*place, index)) for index, each in enumerate(found)]

    def _alert(self, item: "_Item", received_at: datetime) -> Alert | None:
        options, status = self.options, item.text(self.options.status)
        if status in options.status.ignored:
            return None
        over = status in options.status.resolved
        if not over and status not in options.status.open:
            where = item.place(options.status)
            raise PayloadError(where, f"{status!a:.80} is none of the words for open or resolved")
        labels = item.texts(options.labels)
        for spread in options.spread:
            labels |= item.tags(spread)
        if not labels:
            raise PayloadError(json_path(item.base), "none of the labels has a value")
        named = {name: labels[name] for name in options.identity if name in labels}
        return Alert(
            fingerprint=fingerprint(named or labels),
            labels=labels,
            annotations=item.texts(options.annotations),
            starts_at=item.moment(options.starts_at) or received_at,
            ends_at=(item.moment(options.ends_at) or received_at) if over else None,
            expires_at=None if over or options.lease is None else received_at + options.lease,
            generator_url=(item.text(options.url) or "") if options.url else "",
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """One alert as the tool wrote it, and where it stands in the payload."""

    content: object
    base: Steps

    def at(self, steps: Steps) -> object:
        """What is there; None where nothing is."""
        value = self.content
        for step in steps:
            if isinstance(step, str) and isinstance(value, dict):
                value = value.get(step)
            elif isinstance(step, int) and isinstance(value, list) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def place(self, value: Value) -> str:
        """Where in the payload its first path points."""
        return json_path((*self.base, *(_steps(value.all_paths[0]) if value.all_paths else ())))

    def text(self, value: Value) -> str | None:
        """The value as text in our words; None where the tool has none."""
        if value.value is not None:
            return value.value
        parts = [self._scalar(_steps(path)) for path in value.all_paths]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            if value.required:
                raise PayloadError(self.place(value), "a value is needed here")
            return None
        text = " ".join(known)
        return value.map.get(text, text)

    def texts(self, values: Mapping[str, Value]) -> dict[str, str]:
        """All that have a value."""
        found = ((name, self.text(value)) for name, value in values.items())
        return {name: text for name, text in found if text}

    def moment(self, moment: Moment | None) -> datetime | None:
        """When, in UTC; None where the tool does not say."""
        text = self.text(moment) if moment else None
        if moment is None or text is None:
            return None
        try:
            at = _moment(text, moment.format)
            zoned = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(moment.timezone))
            return zoned.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            problem = f"{text!a:.80} is no moment of the form {moment.format}"
            raise PayloadError(self.place(moment), problem) from None

    def tags(self, spread: Spread) -> dict[str, str]:
        """The tags that are wanted and there."""
        steps = _steps(spread.path)
        value = self.at(steps)
        if isinstance(value, str) and spread.form == "objects":
            try:
                value = None if MACRO.fullmatch(value) else from_json(value, allow_inf_nan=False)
            except ValueError:
                problem = "a list of tags in JSON was expected here"
                raise PayloadError(json_path((*self.base, *steps)), problem) from None
        pairs = _pairs(value) if spread.form == "pairs" else _objects(value, spread)
        return {name: text for name, text in pairs if name in spread.only and text}

    def _scalar(self, steps: Steps) -> str | None:
        value = self.at(steps)
        if value is None or value == "" or (isinstance(value, str) and MACRO.fullmatch(value)):
            return None
        where = json_path((*self.base, *steps))
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int) and abs(value) >= INTEGER_MAX:
            raise PayloadError(where, "this number is too large")
        if not isinstance(value, str | int | float):
            raise PayloadError(where, "one value was expected here, not a list or an object")
        text = str(value)
        if len(text) > VALUE_CHARS_MAX:
            raise PayloadError(where, f"longer than {VALUE_CHARS_MAX} characters")
        return text


def _moment(text: str, form: str) -> datetime:
    match form:
        case "rfc3339":
            return datetime.fromisoformat(text)
        case "epoch_s":
            return datetime.fromtimestamp(float(text), UTC)
        case "epoch_ms":
            return datetime.fromtimestamp(float(text) / 1000, UTC)
    return datetime.strptime(text, form)  # noqa: DTZ007 -- the caller knows the zone


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """`a:b,c:d`, or the same as a list."""
    words = value.split(",") if isinstance(value, str) else value
    for word in words if isinstance(words, list) else ():
        if isinstance(word, str):
            name, _, text = word.strip().partition(":")
            yield name, text[:VALUE_CHARS_MAX]


def _objects(value: object, spread: Spread) -> Iterator[tuple[str, str]]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            name, text = each.get(spread.key), each.get(spread.value)
            if isinstance(name, str) and isinstance(text, str):
                yield name, text[:VALUE_CHARS_MAX]
