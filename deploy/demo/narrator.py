"""Tells the demonstration's stages as they happen, each with its time since the act began."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Narrator:
    """Prints to standard output; one act is one clock."""

    _act_began: float = field(default_factory=time.monotonic)

    def act(self, title: str) -> None:
        """A new act begins, and with it its clock."""
        self._act_began = time.monotonic()
        print(f"\n{title}", flush=True)

    def stage(self, name: str, text: str) -> None:
        """Something happened: one line, with the seconds since the act began."""
        seconds = time.monotonic() - self._act_began
        first, *rest = text.splitlines() or [""]
        print(f"  {seconds:5.1f} s  {name:<13} {first}", flush=True)
        for line in rest:
            print(f"{'':24}{line}", flush=True)

    def note(self, text: str) -> None:
        """Something to know, outside any act."""
        print(f"  {text}", flush=True)
