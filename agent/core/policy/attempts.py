"""How often automation may try: attempts, cooldown, and the breaker that hands over to people."""

from datetime import datetime

from agent.core.autonomy.memory import Attempts
from agent.core.policy.answers import deferred, refused
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Decision
from agent.model.reason import Reason


def target_key(change: Change) -> str:
    """What attempts are counted by."""
    return f"{change.entity}|{change.remediation}"


def attempts_left(state: State, change: Change, at: datetime) -> Decision | None:
    """A rule has not tried too often, and no breaker is open."""
    if change.requested_by.startswith("rule:"):
        tired = _target_is_tired(state, change, at)
        if tired is not None:
            return tired
    attempts = state.attempts.get(target_key(change))
    if attempts is None or not change.requested_by.startswith("rule:"):
        return None
    if attempts.breaker_open:
        return refused(
            Reason.BREAKER_OPEN, "it did not help before; a person must look at the problem first"
        )
    return _tried_enough(state, change, attempts, at)


def _tried_enough(
    state: State, change: Change, attempts: Attempts, at: datetime
) -> Decision | None:
    """The limit of attempts within the window that the remediation declares is not reached."""
    remediation = state.config.remediations[change.remediation]
    since = at - remediation.attempts_window
    recent = [start for start in attempts.started if start > since]
    if len(recent) >= remediation.attempts_max:
        hours = remediation.attempts_window.total_seconds() / 3600
        return refused(
            Reason.ATTEMPTS_EXHAUSTED, f"{len(recent)} attempts in the last {hours:g} h are enough"
        )
    return None


def _target_is_tired(state: State, change: Change, at: datetime) -> Decision | None:
    """Rules have not started too much on the target, whatever it was."""
    limits = state.config.autonomy
    since = at - limits.starts_within
    starts = state.autonomy.targets.get(change.entity, ())
    recent = sum(start.by_rule and start.at > since for start in starts)
    if recent < limits.starts:
        return None
    hours = limits.starts_within.total_seconds() / 3600
    return refused(
        Reason.TARGET_TIRED, f"rules started {recent} runs here in the last {hours:g} h: enough"
    )


def cooldown(state: State, change: Change, at: datetime) -> Decision | None:
    """The last attempt of a rule had time to show what it did."""
    attempts = state.attempts.get(target_key(change))
    if attempts is None or not attempts.started or not change.requested_by.startswith("rule:"):
        return None
    until = attempts.started[-1] + state.config.remediations[change.remediation].cooldown
    if at < until:
        return deferred(Reason.COOLDOWN, "it ran here a short while ago", until=until)
    return None
