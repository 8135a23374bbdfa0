"""How the command line writes: tables for people, one JSON document for scripts."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import PermanentError

STATE_STYLES = {
    "open": "bold red",
    "resolved": "green",
    "closed": "dim",
    "awaiting_approval": "bold yellow",
    "running": "cyan",
    "verifying": "cyan",
    "unknown": "bold magenta",
}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def console() -> Console:
    """Standard output, with colours only where somebody can see them."""
    return Console(highlight=False, soft_wrap=False)


def as_json(document: Any) -> int:
    """Print one document for scripts."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


def table(*columns: str) -> Table:
    """A plain table."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def text(value: str, style: str = "") -> Text:
    """Words from outside: control characters are shown and never reach the terminal."""
    return Text(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value), style=style)


def state(word: str) -> Text:
    """A state in its colour."""
    return text(word.replace("_", " "), style=STATE_STYLES.get(word, ""))


def wanted(text: str, option: str) -> str:
    """A moment that a person typed, for the API: UTC unless it says another offset."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        said = f"{option}: {text!r} is no moment; write 2026-12-31T22:00 (UTC) or ...T22:00+01:00"
        raise PermanentError(said) from None
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).isoformat()


def moment(text: str | None) -> str:
    """A moment of the API for people: UTC, to the second."""
    return parse(text).strftime("%Y-%m-%d %H:%M:%S") if text else "-"


def age(text: str | None) -> str:
    """How long ago."""
    return length((datetime.now(UTC) - parse(text)).total_seconds()) if text else "-"


def length(seconds: float | None) -> str:
    """A duration for people: two units at most."""
    if seconds is None:
        return "-"
    rest = timedelta(seconds=max(0, round(seconds)))
    minutes, secs = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    units = [(rest.days, "d"), (hours, "h"), (minutes, "min"), (secs, "s")]
    named = [f"{value} {unit}" for value, unit in units if value]
    return " ".join(named[:2]) or "0 s"


def share(value: float | None) -> str:
    """A share as a percentage with the digits that matter."""
    return "unknown" if value is None else f"{value * 100:.3f} %"


def parse(text: str) -> datetime:
    """A moment of the API."""
    return datetime.fromisoformat(text)
