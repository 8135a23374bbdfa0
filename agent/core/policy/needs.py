"""Whether a change still means what it meant when it was asked for, and is still wanted."""

from datetime import datetime

from agent.core.changes.targets import hosts_of
from agent.core.policy.answers import refused
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Decision
from agent.model.reason import Reason


def still_registered(state: State, change: Change) -> Decision | None:
    """There is such a remediation."""
    if change.remediation in state.config.remediations:
        return None
    return refused(Reason.REMEDIATION_GONE, f"{change.remediation} is not registered any more")


def still_possible(state: State, change: Change, at: datetime) -> Decision | None:
    """What would run, and where, is what was asked for."""
    remediation = state.config.remediations[change.remediation]
    if remediation.digest != change.digest:
        return refused(
            Reason.DIGEST_MISMATCH, f"{change.remediation} was changed since this was asked for"
        )
    if change.hosts != hosts_of(state.config.service_map, change.entity, remediation):
        return refused(Reason.TARGET_MOVED, f"{change.entity} is on another host by now")
    return None


def still_needed(state: State, change: Change, at: datetime) -> Decision | None:
    """The alert that it is for still fires."""
    if change.trigger is not None and change.trigger not in state.alerts:
        return refused(Reason.NO_LONGER_NEEDED, "the alert it was for has cleared")
    return None
