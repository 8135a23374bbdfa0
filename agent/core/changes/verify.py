"""Did it help: the original signal has cleared and a query holds, both for a stability time.

Success is never an exit code. Only an alert that is gone and a sample newer than the end of the
run count.
"""

from datetime import datetime, timedelta
from string import Template

from agent.core.changes.course import close, roll_back, tell
from agent.core.changes.verifying import Verifying
from agent.core.draft import Draft
from agent.core.state import State, Timer
from agent.model.change import Change, ChangeState, Closure
from agent.model.effect import Probe
from agent.model.entry import ProbeAnswered
from agent.model.reason import Reason
from agent.model.remediation import Verification

OVERDUE_EVERY = timedelta(minutes=1)


def begin(state: State, draft: Draft, change: Change) -> None:
    """From now on the change has to prove itself; a lost run keeps its state `unknown`."""
    verification = _verification(state, change)
    state.verifying[change.id] = Verifying(
        deadline=draft.at + verification.within, ended_at=draft.at
    )
    if change.state is not ChangeState.UNKNOWN:
        change = draft.set_change(state, change, state=ChangeState.VERIFYING)
        draft.note(change.id, Reason.VERIFYING, _conditions(change, verification))
    state.schedule(draft.at, Timer.VERIFY, change.id)


def look(state: State, draft: Draft, identifier: str) -> None:
    """Look whether a change has proved itself by now, or has run out of time."""
    verifying = state.verifying.get(identifier)
    if verifying is None:
        return
    change = state.changes[identifier]
    verification = _verification(state, change)
    if verification.promql is None:
        _hear(state, draft, change, verifying, holds=True)
    elif verifying.probing is None:
        query = _query(state, change, verification.promql)
        verifying.probing = draft.ask(
            state, lambda effect: Probe(id=effect, change=change.id, query=query)
        )
    _conclude(state, draft, change, verifying, verification)
    if identifier in state.verifying:
        every = (
            max(verification.every, OVERDUE_EVERY) if verifying.is_overdue else verification.every
        )
        state.schedule(draft.at + every, Timer.VERIFY, identifier)


def answered(state: State, draft: Draft, said: ProbeAnswered) -> None:
    """The metrics source answered a probe; only what was measured after the run's end counts."""
    state.outbox.take(said.effect)
    verifying = state.verifying.get(said.change)
    if verifying is None or verifying.probing != said.effect:
        return
    change = state.changes[said.change]
    verifying.probing = None
    is_fresh = said.measured_at >= verifying.ended_at
    _hear(state, draft, change, verifying, holds=bool(said.holds) and is_fresh)
    _conclude(state, draft, change, verifying, _verification(state, change))


def _hear(state: State, draft: Draft, change: Change, verifying: Verifying, *, holds: bool) -> None:
    if not (holds and _is_clear(state, change)):
        verifying.holds_since = None
    elif verifying.holds_since is None or _came_back(state, change, verifying.holds_since):
        verifying.holds_since = draft.at


def _conclude(
    state: State, draft: Draft, change: Change, verifying: Verifying, verification: Verification
) -> None:
    # While an answer is awaited, what held before says nothing of now.
    since = verifying.holds_since if verifying.probing is None else None
    if since is not None and draft.at - since >= verification.stable_for:
        seconds = (draft.at - since).total_seconds()
        was_lost = change.state is ChangeState.UNKNOWN
        reason = Reason.RECONCILED if was_lost else Reason.VERIFIED
        text = f"the signal has cleared and held for {seconds:.0f} s"
        close(state, draft, change, Closure.SUCCESS, reason, text)
    elif draft.at >= verifying.deadline and not verifying.is_overdue:
        _run_out(state, draft, change, verifying, verification)


def _run_out(
    state: State, draft: Draft, change: Change, verifying: Verifying, verification: Verification
) -> None:
    """The signal did not clear in time: undo, or for a lost run tell a person and go on looking."""
    text = f"the signal did not clear within {verification.within.total_seconds():.0f} s"
    tell(draft, change, Reason.VERIFICATION_FAILED, text)
    if change.state is ChangeState.UNKNOWN:
        verifying.is_overdue = True
        tell(draft, change, Reason.HANDED_OVER, "a person must find out what it did")
    else:
        del state.verifying[change.id]
        roll_back(state, draft, change)


def _is_clear(state: State, change: Change) -> bool:
    return change.trigger is None or change.trigger not in state.alerts


def _came_back(state: State, change: Change, since: datetime) -> bool:
    """Whether the signal fired and cleared again after that moment, between two looks."""
    ended = state.ended.get(change.trigger) if change.trigger else None
    return ended is not None and ended.starts_at > since


def _verification(state: State, change: Change) -> Verification:
    remediation = state.config.remediations.get(change.remediation)
    return remediation.verification if remediation else Verification()


def _query(state: State, change: Change, text: str) -> str:
    """The query with the target's names in it, each escaped as the inside of a PromQL string."""
    entity = state.config.service_map.entities.get(change.entity)
    names = {
        "host": change.hosts[0].name if change.hosts else "",
        "entity": change.entity,
        "name": entity.name if entity else "",
        **{name: str(value) for name, value in change.parameters.items()},
    }
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for name, value in names.items()
    }
    return Template(text).safe_substitute(escaped)


def _conditions(change: Change, verification: Verification) -> str:
    wanted = ["its alert clears"] if change.trigger else []
    if verification.promql:
        wanted.append(f"{verification.promql} holds")
    seconds = verification.stable_for.total_seconds()
    return f"it has to show that {' and '.join(wanted) or 'nothing fails'} for {seconds:.0f} s"
