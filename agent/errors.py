"""The exceptions, sorted by who must act.

    AgentError
    ├── ConfigError      the operator mends a file: all findings at once, each with its place
    ├── PayloadError     a tool sent something strange: where in the payload, what was wrong
    ├── TransientError   try again, not before `retry_after`
    └── PermanentError   do not try again; tell someone

A refusal by policy is no error but a value (`model.change.Decision`). A broken invariant is an
`assert`: the process stops, and the journal replays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class AgentError(Exception):
    """The root; never raised itself."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One mistake in what an operator wrote, with its place and a way out."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{text} {self.hint}" if self.hint else text


class ConfigError(AgentError):
    """What was read cannot be put into force; carries every finding, not only the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("\n".join(str(finding) for finding in self.findings))


class PayloadError(AgentError):
    """A payload that its connector cannot take; nothing of it was kept."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        """JSON path of the offending value, `$` for the whole."""
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class TransientError(AgentError):
    """The world did not answer as it should just now; trying again may help."""

    def __init__(self, problem: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(problem)


class PermanentError(AgentError):
    """The world refused for good; trying again cannot help."""
