"""What an approver has to know beside what will run: risk, conflicts, window, history, duties."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.policy.history import history_of
from agent.core.state import State
from agent.model.change import Change
from agent.model.risk import Risk, RiskLevel
from agent.web.cab import last_results
from agent.web.views.words import Badge, Moment, Tone, clock_time, moment, person, word

RISKS = {
    RiskLevel.LOW: Tone.GOOD,
    RiskLevel.MEDIUM: Tone.BUSY,
    RiskLevel.HIGH: Tone.WARN,
    RiskLevel.VERY_HIGH: Tone.BAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """How risky, and why: every input with what was found and its points."""

    level: Badge
    score: int
    inputs: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """An earlier change with the same remediation."""

    change: str
    at: Moment
    closure: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyView:
    """Something that people owe the change, or owed it."""

    name: str
    is_open: bool
    is_overdue: bool
    due: Moment
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedView:
    """All of it."""

    risk: RiskView | None
    conflicts: tuple[str, ...]
    window: str
    history: str
    results: tuple[ResultView, ...]
    edits: tuple[str, ...]
    """Who wrote the policy that judges it, and who agreed."""
    passed: tuple[tuple[str, Moment], ...]
    retro: DutyView | None
    review: DutyView | None


def judged_view(state: State, change: Change, now: datetime) -> JudgedView:
    """What is known of a change beside itself."""
    history = history_of(state, change)
    policy = state.config.policy
    label = state.config.service_map.label
    window = change.window
    return JudgedView(
        risk=risk_view(change.risk) if change.risk else None,
        conflicts=tuple(one.text for one in change.conflicts),
        window=f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC"
        if window
        else "at any time",
        history=f"{history.successes} of {history.runs} helped"
        if history.runs
        else "never tried on this kind of target",
        results=tuple(
            ResultView(
                change=one.change,
                at=moment(one.at, now),
                closure=word(one.closure),
                where=label(one.entity),
            )
            for one in last_results(state, change)
        ),
        edits=tuple(
            f"{edit.document} by {person(edit.author)}, "
            + (f"agreed to by {person(edit.approved_by)}" if edit.approved_by else "by nobody else")
            for edit in (policy.edits if policy else ())
        ),
        passed=tuple((word(one.state), clock_time(one.at, now)) for one in change.passed),
        retro=_retro(change, now),
        review=_review(change, now),
    )


def risk_view(risk: Risk) -> RiskView:
    """How risky, with every input."""
    return RiskView(
        level=Badge(text=f"{word(risk.level)} risk", tone=RISKS[risk.level]),
        score=risk.score,
        inputs=tuple((one.name.replace("_", " "), one.value, one.points) for one in risk.inputs),
    )


def _retro(change: Change, now: datetime) -> DutyView | None:
    duty = change.retro
    if duty is None:
        return None
    roles = " or ".join(duty.roles)
    text = f"somebody else has to answer for it, as {roles}"
    if not duty.is_open:
        note = f": {duty.note}" if duty.note else ""
        text = f"{word(duty.state)} by {person(duty.by)} as {duty.role}{note}"
    return DutyView(
        name="Late approval",
        is_open=duty.is_open,
        is_overdue=duty.is_overdue,
        due=moment(duty.due_at, now),
        text=text,
    )


def _review(change: Change, now: datetime) -> DutyView | None:
    duty = change.review
    if duty is None:
        return None
    text = f"it {duty.why}. Before: {duty.symptom_before}; after: {duty.symptom_after}"
    if duty.outcome is not None:
        lessons = f" Lessons: {duty.lessons}" if duty.lessons else ""
        text = f"{word(duty.outcome)}, by {person(duty.by)}: {duty.text}{lessons}"
    return DutyView(
        name="Review",
        is_open=duty.is_open,
        is_overdue=duty.is_overdue,
        due=moment(duty.due_at, now),
        text=text,
    )
