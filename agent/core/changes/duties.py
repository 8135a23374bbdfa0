"""What people owe a change after it ran: opened here, called in here, done here.

A late approval (retro) is owed for every emergency that started, a review (PIR) for what failed,
was an emergency, or was of high risk. Until both are done the change is not forgotten.
"""

from dataclasses import replace

from agent.core.changes.voices import voice_of
from agent.core.draft import Draft
from agent.core.policy import hours
from agent.core.policy.emergency import team_of
from agent.core.state import CLOSED_KEPT, State, Timer
from agent.model.change import Change, ChangeState, ChangeType, Closure
from agent.model.change_entries import ChangeReviewed, RetroDecided
from agent.model.duty import RetroDuty, RetroState, ReviewDuty
from agent.model.policy import Policy
from agent.model.reason import Reason
from agent.model.risk import RiskLevel
from agent.model.transition import Refusal

REVIEWS_OWED_MAX = 1000
"""More open reviews than this are not remembered: the oldest lapses, and its story says so."""


def open_retro(state: State, draft: Draft, change: Change) -> Change:
    """An emergency is about to start: from now on somebody else has to answer for it."""
    if change.type is not ChangeType.EMERGENCY or change.retro is not None:
        return change
    rules = _policy(state).emergency
    due = draft.at + rules.retro_within
    # Nobody has to answer over days off: there is time until the end of the next working day.
    working = hours.end_of_next_working_day(state, change.entity, draft.at)
    duty = RetroDuty(
        opened_at=draft.at,
        due_at=max(due, working) if working else due,
        roles=rules.roles,
        team=team_of(state, change),
    )
    state.schedule(duty.due_at, Timer.DUTY, change.id)
    text = f"somebody else has to answer for this emergency until {duty.due_at:%Y-%m-%d %H:%M} UTC"
    _tell(state, draft, change, Reason.RETRO_DUE, text)
    return draft.set_change(state, change, retro=duty)


def open_review(state: State, draft: Draft, change: Change, why: str) -> Change:
    """Somebody has to look back at this change."""
    if change.review is not None:
        return change
    _make_room(state, draft)
    duty = ReviewDuty(
        why=why,
        opened_at=draft.at,
        due_at=draft.at + _policy(state).review_within,
        symptom_before=change.symptom or "no alert was named",
        symptom_after=symptom_of(state, change.trigger) or "clear",
    )
    state.schedule(duty.due_at, Timer.DUTY, change.id)
    draft.note(change.id, Reason.REVIEW_DUE, f"to be reviewed, because it {why}")
    return draft.set_change(state, change, review=duty)


def look(state: State, draft: Draft, identifier: str) -> None:
    """A deadline of a change's duties may have passed: say so, once each."""
    change = state.changes.get(identifier)
    if change is None:
        return
    retro, review = change.retro, change.review
    if retro and retro.is_open and not retro.is_overdue and retro.due_at <= draft.at:
        change = draft.set_change(state, change, retro=replace(retro, is_overdue=True))
        text = "nobody has answered for this emergency in time; its team gets no further one"
        _tell(state, draft, change, Reason.RETRO_OVERDUE, text)
    if review and review.is_open and not review.is_overdue and review.due_at <= draft.at:
        change = draft.set_change(state, change, review=replace(review, is_overdue=True))
        draft.note(change.id, Reason.REVIEW_OVERDUE, "nobody has reviewed it in time")


def decide_retro(state: State, draft: Draft, said: RetroDecided) -> None:
    """A person answers for an emergency, or says that it should not have been one."""
    change = state.changes.get(said.change)
    duty = change.retro if change else None
    if change is None or duty is None or not duty.is_open:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} owes no late approval")
        return
    voice = voice_of(state, change, said, duty.roles, draft.at, "answer for it")
    if isinstance(voice, Refusal):
        draft.refuse(voice.reason, voice.text)
        return
    if not said.approves and not said.note.strip():
        draft.refuse(Reason.NOTE_MISSING, "say why it should not have been done")
        return
    done = replace(
        duty,
        state=RetroState.APPROVED if said.approves else RetroState.REJECTED,
        by=said.by,
        role=voice.role,
        on_behalf_of=voice.on_behalf_of,
        at=draft.at,
        note=said.note,
    )
    change = draft.set_change(state, change, retro=done)
    reason = Reason.RETRO_APPROVED if said.approves else Reason.RETRO_REJECTED
    word = "answered for" if said.approves else "not accepted afterwards"
    text = f"{word} as {voice.role}" + (f": {said.note}" if said.note else "")
    draft.note(change.id, reason, text, actor=said.by)
    if not said.approves and not change.is_open:
        open_review(state, draft, change, "was not accepted afterwards")
    _let_go(state, draft, change)
    # Emergencies of the same team may go on now.
    draft.is_released = True


def review(state: State, draft: Draft, said: ChangeReviewed) -> None:
    """A person looks back at what is over, once."""
    change = state.changes.get(said.change)
    if change is None or change.state is not ChangeState.CLOSED:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} is not over, or not remembered any more")
        return
    if said.is_service:
        draft.refuse(Reason.NO_PERSON, f"{said.by} is no person; only people review")
        return
    if change.review is not None and change.review.at is not None:
        draft.refuse(Reason.NOT_OPEN, f"{change.id} was reviewed by {change.review.by}")
        return
    if not said.text.strip():
        draft.refuse(Reason.NOTE_MISSING, "say what was found")
        return
    if said.problem is not None and said.problem not in state.problems:
        draft.refuse(Reason.NOT_FOUND, f"there is no open problem {said.problem}")
        return
    change = open_review(state, draft, change, "was looked at by choice")
    assert change.review is not None
    done = replace(
        change.review,
        by=said.by,
        at=draft.at,
        outcome=said.outcome,
        text=said.text,
        lessons=said.lessons,
        problem=said.problem,
    )
    _let_go(state, draft, draft.set_change(state, change, review=done))
    text = f"{said.outcome.replace('_', ' ')}: {said.text}"
    draft.note(change.id, Reason.REVIEWED, text, actor=said.by)


def symptom_of(state: State, trigger: str | None) -> str:
    """What the alert that a change is for says at this moment; empty where it does not fire."""
    active = state.alerts.get(trigger) if trigger else None
    return f"{active.alert.name} fires" if active else ""


def review_wanted(change: Change, *, was_started: bool) -> str | None:
    """Why a change that has just ended needs a review; None: it needs none."""
    if not was_started:
        return None
    if change.closure is Closure.FAILED:
        return "failed"
    if change.closure is Closure.ROLLED_BACK:
        return "had to be rolled back"
    if change.type is ChangeType.EMERGENCY:
        return "was an emergency"
    if change.type is ChangeType.STANDARD or change.risk is None:
        return None
    if change.risk.level.rank >= RiskLevel.HIGH.rank:
        return f"was of {change.risk.level.replace('_', ' ')} risk"
    return None


def _let_go(state: State, draft: Draft, change: Change) -> None:
    """What is owed nothing any more is forgotten in time."""
    if not change.is_open and not change.is_owed:
        state.schedule(draft.at + CLOSED_KEPT, Timer.CHANGE, change.id)


def _tell(state: State, draft: Draft, change: Change, reason: Reason, text: str) -> None:
    draft.note(change.id, reason, text)
    if change.incident in state.incidents:
        draft.note(change.incident, reason, f"{change.id}: {text}")
        draft.touched[change.incident] = None


def _policy(state: State) -> Policy:
    return state.config.policy or Policy(rules=(), digest="")


def _make_room(state: State, draft: Draft) -> None:
    owed = [one for one in state.changes.values() if one.review and one.review.is_open]
    if len(owed) >= REVIEWS_OWED_MAX:
        oldest = min(owed, key=lambda one: (one.review.due_at if one.review else draft.at, one.id))
        assert oldest.review is not None
        lapsed = replace(oldest.review, is_lapsed=True)
        _let_go(state, draft, draft.set_change(state, oldest, review=lapsed))
        draft.note(oldest.id, Reason.REVIEW_OVERDUE, "let go: too many reviews are owed")
