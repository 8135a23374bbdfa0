"""Where automation is stopped until a person says otherwise: everything, a rule, or a target.

The breaker of one target is `policy.attempts`' to ask about and `course`'s to open by failures.
"""

from datetime import datetime

from agent.core.autonomy import modes
from agent.core.autonomy.memory import Halt, Standing
from agent.core.draft import Draft
from agent.core.problems.record import raise_problem
from agent.core.state import State
from agent.model.autonomy_entries import AutonomyResumed, AutonomyStopped, BreakerReset
from agent.model.change import Change
from agent.model.incident import Incident
from agent.model.reason import Reason
from agent.model.service import EntityRef

STORY = "autonomy"
"""Whose story tells of stops and resumptions of everything."""


def stop(state: State, draft: Draft, said: AutonomyStopped) -> None:
    """From now on no rule starts anything; what waits is turned into proposals."""
    if state.autonomy.stopped is not None:
        draft.refuse(Reason.NOT_OPEN, f"{state.autonomy.stopped.by} stopped all rules already")
        return
    state.autonomy.stopped = Halt(at=draft.at, by=said.by, why=said.note)
    draft.note(STORY, Reason.AUTONOMY_STOPPED, said.note, actor=said.by)
    draft.is_released = True


def resume(state: State, draft: Draft, said: AutonomyResumed) -> None:
    """Rules go as far as they may again."""
    if state.autonomy.stopped is None:
        draft.refuse(Reason.NOT_OPEN, "nothing is stopped")
    elif _may(state, draft, said.roles):
        state.autonomy.stopped = None
        draft.note(STORY, Reason.AUTONOMY_RESUMED, said.note or "resumed", actor=said.by)
        draft.is_released = True


def reset(state: State, draft: Draft, said: BreakerReset) -> None:
    """A person looked at it: automation may try again there, with its attempts counted anew."""
    kind, _, name = said.breaker.partition(":")
    standing = state.autonomy.rules.get(name) if kind == "rule" else None
    attempts = state.attempts.get(said.breaker)
    if standing is not None and standing.halt is not None:
        if _may(state, draft, said.roles):
            standing.halt = None
            standing.wanted, standing.failed = {}, {}
            _tell_reset(draft, said, f"rule:{name}")
    elif attempts is not None and attempts.breaker_open:
        if _may(state, draft, said.roles):
            attempts.breaker_open, attempts.failed, attempts.started = False, 0, []
            attempts.opened_at, attempts.why = None, ""
            entity, _, _ = said.breaker.partition("|")
            state.autonomy.targets.pop(entity, None)
            _tell_reset(draft, said, STORY)
    else:
        draft.refuse(Reason.NOT_FOUND, f"there is no open breaker {said.breaker}")


def _tell_reset(draft: Draft, said: BreakerReset, subject: str) -> None:
    note = f": {said.note}" if said.note else ""
    draft.note(subject, Reason.BREAKER_RESET, f"{said.breaker}{note}", actor=said.by)
    draft.is_released = True


def _may(state: State, draft: Draft, roles: tuple[str, ...]) -> bool:
    wanted = state.config.autonomy.roles
    if set(wanted) & set(roles):
        return True
    draft.refuse(Reason.ROLE_MISSING, f"that is for {' or '.join(wanted)}")
    return False


def warn(state: State, draft: Draft, change: Change) -> None:
    """Tell whoever looks at a person's request that automation has stopped there, and why."""
    attempts = state.attempts.get(f"{change.entity}|{change.remediation}")
    if change.requested_by.startswith("person:") and attempts and attempts.breaker_open:
        draft.note(change.id, Reason.BREAKER_OPEN, f"automation stopped here: {attempts.why}")


def helped(state: State, rule: str) -> None:
    """A run of a rule was verified: its failures on other targets are no pattern."""
    if standing := state.autonomy.rules.get(rule):
        standing.failed = {}


def failed(state: State, draft: Draft, change: Change) -> None:
    """A run of a rule did not help; on too many targets in a row the rule is stopped everywhere."""
    standing = state.autonomy.rules.get(change.rule or "")
    if standing is None or standing.halt is not None:
        return
    standing.failed[change.entity] = draft.at
    if len(standing.failed) < state.config.autonomy.rule_failures:
        return
    where = ", ".join(sorted(standing.failed))
    why = f"it failed on {len(standing.failed)} targets in a row: {where}"
    incident = state.incidents.get(change.incident or "")
    _halt(state, draft, change.rule or "", standing, why, incident)
    standing.failed = {}


def wants(state: State, draft: Draft, rule: str, entity: EntityRef, on: Incident) -> None:
    """A rule wants to act on a target; on too many at once it pauses and asks a person."""
    standing, limits = state.autonomy.rules.get(rule), state.config.autonomy
    if standing is None or standing.halt is not None:
        return
    since: datetime = draft.at - limits.bulk_within
    standing.wanted = {
        each: at for each, at in standing.wanted.items() if at > since and each != entity
    }
    standing.wanted[entity] = draft.at
    if len(standing.wanted) > limits.bulk_targets:
        minutes = limits.bulk_within.total_seconds() / 60
        why = f"it wants to act on {len(standing.wanted)} targets within {minutes:g} min"
        _halt(state, draft, rule, standing, why, on)
        standing.wanted = {}


def _halt(  # noqa: PLR0917 - which rule, why, where it shows
    state: State,
    draft: Draft,
    rule: str,
    standing: Standing,
    why: str,
    incident: Incident | None,
) -> None:
    standing.halt = Halt(at=draft.at, by="watchkeeper", why=why)
    problem = raise_problem(
        state,
        draft,
        title=f"Rule {rule} is stopped: {why}",
        signature=f"halt|{rule}",
        incident=incident,
        reason=Reason.RULE_HALTED,
        incidents=(incident.id,) if incident else (),
    )
    draft.note(f"rule:{rule}", Reason.RULE_HALTED, f"it only suggests from now on: {why}")
    if incident is not None:
        text = f"rule {rule} only suggests from now on: {why}; {problem.id} is for a person"
        draft.note(incident.id, Reason.HANDED_OVER, text)
        draft.set_incident(state, state.incidents[incident.id], problem=problem.id)
    draft.is_released = True


def open_breakers(state: State) -> tuple[tuple[str, datetime | None, str], ...]:
    """The open breakers: name, since when, and why; rules first, then targets, by name."""
    rules = [
        (f"rule:{name}", standing.halt.at, standing.halt.why)
        for name, standing in sorted(state.autonomy.rules.items())
        if standing.halt is not None and modes.rule_named(state, name) is not None
    ]
    targets = [
        (key, attempts.opened_at, attempts.why)
        for key, attempts in sorted(state.attempts.items())
        if attempts.breaker_open
    ]
    return (*rules, *targets)
