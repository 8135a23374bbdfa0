"""What people say about policy itself, beside single changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardReinstated:
    """A person put a withdrawn standard change into force again."""

    name: str
    by: str
    note: str = ""
