"""The cases of a rule: each moment at which it acted or would have, followed to its outcome.

A run and a moment at which nothing was done are measured alike: the alert has to be gone within T
and to stay away for 2T, where T is as long as the remediation may take to run and to prove itself.
What people did with their own hands is not seen: such an alert counts as gone by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.autonomy import halts, modes, promotion
from agent.core.autonomy.memory import CASES_KEPT_MAX, CASES_OPEN_MAX, OpenCase
from agent.core.changes.looking import only_looks
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State, Timer
from agent.model.autonomy import Case, CaseOutcome, Mode
from agent.model.change import Change, Closure
from agent.model.incident import Incident
from agent.model.reason import Reason
from agent.model.rule import RemediationRule

BAD = (CaseOutcome.FAILED, CaseOutcome.ROLLED_BACK, CaseOutcome.HARMFUL)
"""Outcomes that demote a rule."""


def trial(state: State, rule: str) -> timedelta | None:
    """T of a rule: its remediation's time to run and to prove itself; None where it is gone."""
    named = modes.rule_named(state, rule)
    remediation = state.config.remediations.get(named.remediation) if named else None
    return remediation.timeout + remediation.verification.within if remediation else None


def known(state: State, rule: str, trigger: str) -> str | None:
    """The open case of this rule about this alert."""
    for identifier, case in state.autonomy.open.items():
        if (case.rule, case.trigger) == (rule, trigger):
            return identifier
    return None


def begin(  # noqa: PLR0917 - which rule, in which mode, about what
    state: State, draft: Draft, rule: RemediationRule, mode: Mode, active: ActiveAlert, on: Incident
) -> str:
    """A rule acts, or would: a case from now on. Answers with its id."""
    assert active.entity is not None, "a rule acts somewhere"
    case = OpenCase(
        rule=rule.name,
        mode=mode,
        at=draft.at,
        entity=active.entity,
        trigger=active.alert.fingerprint,
        incident=on.id,
    )
    return _open(state, draft, case)


def _open(state: State, draft: Draft, case: OpenCase) -> str:
    autonomy = state.autonomy
    autonomy.case_count += 1
    identifier = f"CASE-{autonomy.case_count}"
    length = trial(state, case.rule)
    if len(autonomy.open) >= CASES_OPEN_MAX or length is None:
        autonomy.uncounted += 1
        return identifier
    autonomy.open[identifier] = case
    if not case.is_run:
        state.schedule(draft.at + length, Timer.CASE, identifier)
    return identifier


def follow(state: State, draft: Draft) -> None:
    """Alerts that went or came back bear on the cases about them."""
    if not (draft.ended or draft.joined) or not state.autonomy.open:
        return
    began = {name for names in draft.joined.values() for name in names}
    for identifier, case in list(state.autonomy.open.items()):
        if case.trigger in draft.ended and case.trigger not in state.alerts:
            case.cleared_at = case.cleared_at or draft.at
        elif case.trigger in began and case.cleared_at is not None:
            _came_back(state, draft, identifier, case)


def _came_back(state: State, draft: Draft, identifier: str, case: OpenCase) -> None:
    length = trial(state, case.rule)
    if case.is_run:
        if case.verified_at is not None:
            _close(state, draft, identifier, CaseOutcome.RELAPSED)
    elif length is not None and draft.at > case.at + length:
        _close(state, draft, identifier, CaseOutcome.NOT_CLEARED)
    else:
        case.cleared_at = None


def look(state: State, draft: Draft, identifier: str) -> None:
    """The moment of a case has come: close it, or wait until its alert was gone for long enough."""
    case = state.autonomy.open.get(identifier)
    if case is None:
        return
    length = trial(state, case.rule)
    if length is None or (case.is_disturbed and not case.is_run):
        _close(state, draft, identifier, CaseOutcome.VOID)
    elif case.is_run:
        if case.verified_at is not None and draft.at >= case.verified_at + 2 * length:
            _close(state, draft, identifier, CaseOutcome.HELPED)
    elif draft.at >= case.at + length:
        if case.cleared_at is None:
            _close(state, draft, identifier, CaseOutcome.NOT_CLEARED)
        elif draft.at >= case.cleared_at + 2 * length:
            _close(state, draft, identifier, CaseOutcome.CLEARED)
        else:
            state.schedule(case.cleared_at + 2 * length, Timer.CASE, identifier)


def run_started(state: State, draft: Draft, change: Change) -> None:
    """A run begins on a target: nobody knows any more what doing nothing would have led to."""
    if only_looks(state, change):
        return
    for case in state.autonomy.open.values():
        if case.entity == change.entity and case.change != change.id:
            case.is_disturbed = True
    if change.rule is None or change.trigger is None:
        return
    identifier = _of_change(state, change)
    if identifier is None:
        mode = change.mode or Mode.SUGGEST
        case = OpenCase(
            rule=change.rule,
            mode=mode,
            at=draft.at,
            entity=change.entity,
            trigger=change.trigger,
            incident=change.incident or "",
            change=change.id,
            is_run=True,
        )
        _open(state, draft, case)
    else:
        case = state.autonomy.open[identifier]
        case.is_run, case.at, case.cleared_at = True, draft.at, None


def change_closed(
    state: State, draft: Draft, change: Change, closure: Closure, reason: Reason
) -> None:
    """A change is over: what its rule gains or loses by that."""
    if change.rule is None:
        return
    if reason is Reason.MODE_FORBIDS and change.trigger is not None:
        # What a rule may not do itself any more, it proposes.
        state.schedule(draft.at, Timer.RETRY, f"{change.trigger} {change.rule}")
    identifier = _of_change(state, change)
    case = state.autonomy.open.get(identifier or "")
    if closure is Closure.SUCCESS:
        halts.helped(state, change.rule)
        if identifier is not None and only_looks(state, change):
            _close(state, draft, identifier, CaseOutcome.VOID, change=change.id)
        elif identifier is not None and case is not None:
            _verified(state, draft, identifier, case)
        return
    outcome = _outcome(closure, reason)
    if identifier is not None and case is not None:
        if case.is_run:
            _close(state, draft, identifier, outcome, change=change.id)
        else:
            case.change = None
    if change.started_at is not None and outcome in BAD:
        promotion.after_bad(state, draft, change.rule, outcome, change.id, change.incident)
        halts.failed(state, draft, change)


def _verified(state: State, draft: Draft, identifier: str, case: OpenCase) -> None:
    length = trial(state, case.rule)
    if length is None:
        _close(state, draft, identifier, CaseOutcome.VOID)
        return
    case.verified_at = case.cleared_at = draft.at
    state.schedule(draft.at + 2 * length, Timer.CASE, identifier)


def harmed(state: State, draft: Draft, change: str) -> None:
    """A verified run turned out to lead to its own alert, or to undo another's."""
    for identifier, case in list(state.autonomy.open.items()):
        if case.change == change and case.is_run:
            _close(state, draft, identifier, CaseOutcome.HARMFUL)
    for standing in state.autonomy.rules.values():
        standing.cases = [
            replace(case, outcome=CaseOutcome.HARMFUL) if case.change == change else case
            for case in standing.cases
        ]


def _of_change(state: State, change: Change) -> str | None:
    for identifier, case in state.autonomy.open.items():
        if case.change == change.id:
            return identifier
    return None


def _outcome(closure: Closure, reason: Reason) -> CaseOutcome:
    if closure is Closure.FAILED:
        is_harmful = reason is Reason.ROLLBACK_FAILED
        return CaseOutcome.HARMFUL if is_harmful else CaseOutcome.FAILED
    return CaseOutcome.ROLLED_BACK if closure is Closure.ROLLED_BACK else CaseOutcome.VOID


def _close(
    state: State, draft: Draft, identifier: str, outcome: CaseOutcome, change: str | None = None
) -> None:
    case = state.autonomy.open.pop(identifier)
    standing = state.autonomy.rules.get(case.rule)
    closed = Case(
        id=identifier,
        rule=case.rule,
        mode=case.mode,
        at=case.at,
        entity=case.entity,
        trigger=case.trigger,
        incident=case.incident,
        change=change or case.change,
        outcome=outcome,
        ended_at=draft.at,
    )
    if standing is None:
        return
    standing.cases = [*standing.cases, closed][-CASES_KEPT_MAX:]
    draft.note(f"rule:{case.rule}", Reason.CASE_CLOSED, _told(closed))
    promotion.offer(state, draft, case.rule)


def _told(case: Case) -> str:
    about = ", ".join(name for name in (case.incident, case.change) if name)
    said = case.outcome.replace("_", " ")
    return f"{case.id} ({about}) on {case.entity} since {_clock(case.at)}: {said}"


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
