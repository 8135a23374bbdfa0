"""Tells the demonstration's stages as they happen, each with its time since the act began.

Lines fit 80 columns. Colours only where a terminal shows them; their meaning is in the words too.
"""

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

COLUMNS = 80
NAME_COLUMNS = 11
INDENT = 21
LINES_MAX = 3
"""Of one text; what is longer ends in an ellipsis."""


class Tone(StrEnum):
    """How a line looks."""

    PLAIN = ""
    GOOD = "green"
    BAD = "red"
    WARNING = "yellow"
    QUIET = "dim"
    NAME = "bold"


@dataclass(frozen=True, slots=True)
class Detail:
    """One more line of a stage; `mark` stands before it and its further lines are indented."""

    text: str
    mark: str = ""
    tone: Tone = Tone.QUIET
    lines_max: int = LINES_MAX


@dataclass(slots=True, kw_only=True)
class Narrator:
    """Prints to standard output; one act is one clock."""

    console: Console = field(
        default_factory=lambda: Console(
            width=COLUMNS, highlight=False, emoji=False, markup=False, soft_wrap=True
        )
    )
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: float = field(default_factory=time.monotonic)

    @property
    def total_s(self) -> float:
        """Seconds since the narrator was made."""
        return time.monotonic() - self._started

    def act(self, title: str) -> None:
        """A new act begins, and with it its clock."""
        self.began = datetime.now(UTC)
        self.console.print()
        self.console.print(Text(title, style="bold cyan"))

    def stage(
        self,
        name: str,
        text: str,
        *,
        at: datetime | None = None,
        tone: Tone = Tone.PLAIN,
        details: Sequence[Detail] = (),
    ) -> None:
        """Something happened at a time (default: now): what, and what there is to say about it."""
        seconds = ((at or datetime.now(UTC)) - self.began).total_seconds()
        first, *rest = _wrapped(text, INDENT)
        clock = (f"{max(seconds, 0.0):5.1f} s  ", Tone.QUIET)
        label = (f"{name:<{NAME_COLUMNS}}  ", tone or Tone.NAME)
        self.console.print(Text.assemble(clock, label, (first, tone)))
        for line in rest:
            self.console.print(Text(" " * INDENT + line, style=tone))
        for detail in details:
            self._detail(detail)

    def note(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Something to know, outside any act."""
        for line in _wrapped(text, 2):
            self.console.print(Text(f"  {line}", style=tone))

    def place(self, name: str, address: str) -> None:
        """Where to look; an address is never broken into lines."""
        self.console.print(Text.assemble("  ", (f"{name:<12}", Tone.NAME), address))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table; all columns but the first are figures."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=Tone.QUIET)
        for number, title in enumerate(head):
            table.add_column(title, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        with self.console.capture() as captured:
            self.console.print(table)
        for line in captured.get().splitlines():
            self.console.print(Text.assemble("  ", Text.from_ansi(line.rstrip())))

    def _detail(self, detail: Detail) -> None:
        mark = f"{detail.mark} " if detail.mark else ""
        lines = _wrapped(detail.text, INDENT + len(mark), detail.lines_max)
        for number, line in enumerate(lines):
            before = mark if number == 0 else " " * len(mark)
            self.console.print(Text(" " * INDENT + before + line, style=detail.tone))


def _wrapped(text: str, indent: int, lines_max: int = LINES_MAX) -> list[str]:
    lines = textwrap.wrap(
        text, COLUMNS - indent, max_lines=lines_max, placeholder=" …", break_on_hyphens=False
    )
    return lines or [""]
