"""Durations as Prometheus writes them: `30s`, `5m`, `1h30m`, `2d`.

Not here: calendar time (months, working hours), which only calendars know.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

DURATION_MAX = timedelta(days=3660)

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))


def parse_duration(text: str) -> timedelta:
    """The length that the text names, units from large to small; `0` needs none.

    Raises ValueError with a sentence for people.
    """
    found = _DURATION.fullmatch(text)
    if text == "0":
        return timedelta(0)
    if not text or found is None:
        raise ValueError(f'"{text}" is no duration; write it like 30s, 5m, 1h30m or 2d')
    length = sum(
        (
            int(count) * unit
            for count, unit in zip(found.groups(), _UNITS.values(), strict=True)
            if count
        ),
        timedelta(0),
    )
    if length > DURATION_MAX:
        raise ValueError(f'"{text}" is longer than {DURATION_MAX.days} days')
    return length


def format_duration(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads as this length (full milliseconds)."""
    left = length
    parts: list[str] = []
    for name, unit in _UNITS.items():
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("is no duration; write it like 30s, 5m, 1h30m or 2d")  # noqa: TRY004
    return parse_duration(str(value))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["30s", "5m", "1h30m"]}),
]
"""A pydantic field that holds a length of time."""
