"""What people say of suspects and problems; part of the union in `entry`."""

from dataclasses import dataclass

from agent.model.problem import ProblemState


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectConfirmed:
    """A person said that this change led to the incident."""

    incident: str
    change: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectDismissed:
    """A person said that this change has nothing to do with the incident."""

    incident: str
    change: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemMoved:
    """A person moved a problem to another state; to close it, `note` says what was learnt."""

    problem: str
    to: ProblemState
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownErrorRecorded:
    """A person said why a problem happens, and what helps until it is mended."""

    problem: str
    cause: str
    workaround: str
    by: str
    remediation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixPlanned:
    """A person linked the change that is to mend a problem for good."""

    problem: str
    change: str
    by: str
    note: str = ""
