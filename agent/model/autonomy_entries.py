"""What people say about how far rules may go: entries of the journal."""

from dataclasses import dataclass

from agent.model.autonomy import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalTaken:
    """A person took up what a rule proposed for an incident: it is that person's request now."""

    incident: str
    case: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModePromoted:
    """A person signed that a rule may go a step further; `binding` names rule and playbook."""

    rule: str
    to: Mode
    binding: str
    by: str
    roles: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeDemoted:
    """A person said that a rule shall go no further than this."""

    rule: str
    to: Mode
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyStopped:
    """A person stopped all rules: they only suggest. With `cancel`, their runs are ended too."""

    by: str
    note: str
    cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyResumed:
    """A person with a role in it let rules go as far as they may again."""

    by: str
    roles: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReset:
    """A person looked at why automation had stopped somewhere, and lets it go on."""

    breaker: str
    """`rule:NAME`, or `ENTITY|REMEDIATION`."""
    by: str
    roles: tuple[str, ...]
    note: str = ""
