"""What must hold in every world: invariants, looked at after every entry over state and effects.

Each checker is named after what it promises and says which invariant that is. None of them asks
the core whether the core is right: they keep their own account of what was said and done.
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.core.state import State
from agent.model.entry import Entry
from agent.model.transition import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something that did not hold: which promise, after which entry, and what was seen."""

    checker: str
    text: str
    entry: int
    at: datetime | None

    def __str__(self) -> str:
        moment = f"{self.at:%Y-%m-%d %H:%M:%S}" if self.at else "before anything happened"
        return f"{self.checker} after entry {self.entry} ({moment}): {self.text}"


class ViolationFound(AssertionError):  # noqa: N818 - it is a finding, not a mistake
    """Raised where a promise is broken: what follows in that world says nothing any more."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(str(violation))
        self.violation = violation


class Checker:
    """One promise."""

    def before(self, state: State, entry: Entry) -> None:
        """An entry is about to be applied to this state."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        """What is wrong now, or None."""

    def at_rest(self, state: State) -> str | None:
        """What is wrong after the world has been quiet for long, or None."""


class Checks:
    """All promises together, as the observer of a world."""

    def __init__(self, checkers: Iterable[Checker]) -> None:
        self._checkers = list(checkers)
        self._entry = 0
        self._at: datetime | None = None

    def add(self, checker: Checker) -> None:
        """One more promise."""
        self._checkers.append(checker)

    def before(self, state: State, entry: Entry) -> None:
        """An entry is about to be applied."""
        self._entry, self._at = entry.number, entry.at
        for checker in self._checkers:
            checker.before(state, entry)

    def after(self, state: State, entry: Entry, transition: Transition) -> None:
        """An entry was applied."""
        for checker in self._checkers:
            wrong = checker.after(state, entry, transition)
            if wrong is not None:
                self.violated(type(checker).__name__, wrong)

    def at_rest(self, state: State) -> None:
        """The world has been quiet for long."""
        for checker in self._checkers:
            wrong = checker.at_rest(state)
            if wrong is not None:
                self.violated(type(checker).__name__, wrong)

    def violated(self, checker: str, text: str) -> None:
        """Stop this world here."""
        raise ViolationFound(Violation(checker=checker, text=text, entry=self._entry, at=self._at))

    def broken_down(self, error: Exception) -> Violation:
        """The violation that an error out of the core is."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.name}, line {place.lineno}"
        text = f"{type(error).__name__} in {where}: {error}"
        return Violation(checker="CoreStands", text=text, entry=self._entry, at=self._at)
