"""Problems: what keeps coming back, what it costs, what is known of it, and what to do next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.model.incident import TimelineItem
from agent.model.problem import MOVES, Occurrence, Problem, ProblemState, Record
from agent.model.service import ServiceMap
from agent.reporting.problems import ProblemFigures, Trend
from agent.web.views.timeline import TimelineLine, story
from agent.web.views.words import (
    Badge,
    Link,
    Moment,
    Tone,
    clock_time,
    counted,
    entity_label,
    moment,
    money,
    person,
    safe_href,
    span,
    word,
)

INCIDENTS_SHOWN_MAX = 8
OCCURRENCES_SHOWN_MAX = 20
BAR_HEIGHT = 24

STATES = {
    ProblemState.OPEN: Tone.WARN,
    ProblemState.INVESTIGATING: Tone.BUSY,
    ProblemState.KNOWN_ERROR: Tone.BUSY,
    ProblemState.FIX_PLANNED: Tone.BUSY,
    ProblemState.RESOLVED: Tone.GOOD,
    ProblemState.CLOSED: Tone.MUTED,
}
TRENDS = {Trend.RISING: Tone.BAD, Trend.FALLING: Tone.GOOD, Trend.STEADY: Tone.MUTED}
VERBS = {
    ProblemState.OPEN: "Back to open",
    ProblemState.INVESTIGATING: "Look into it",
    ProblemState.KNOWN_ERROR: "Back to known error",
    ProblemState.RESOLVED: "The fix is in place",
}
"""What a button says; closing has a form of its own, for its review."""
CAN_BE_KNOWN = (
    ProblemState.OPEN,
    ProblemState.INVESTIGATING,
    ProblemState.KNOWN_ERROR,
    ProblemState.FIX_PLANNED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One week: how many incidents, and how high its bar is."""

    count: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRow:
    """One problem."""

    id: str
    href: str
    title: str
    state: Badge
    cause: str
    reason: str
    opened: Moment
    count: str
    incidents: tuple[Link, ...]
    trend: Badge
    weeks: tuple[Bar, ...]
    weeks_words: str
    cost: str
    downtime: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceRow:
    """One incident of a problem."""

    incident: Link
    began: Moment
    lasted: str
    cost: str
    tried: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A state that a person may move it to by a button."""

    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemPage:
    """The whole page of one problem."""

    row: ProblemRow
    headline: str
    facts: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    proposal: tuple[str, ...]
    known: tuple[tuple[str, str], ...]
    fix: Link | None
    fix_words: str
    review: str
    occurrences: tuple[OccurrenceRow, ...]
    timeline: tuple[TimelineLine, ...]
    moves: tuple[Move, ...]
    can_be_known: bool
    can_close: bool
    suggested_cause: str
    suggested_remediation: str


def problem_rows(
    problems: Iterable[tuple[Problem, ProblemFigures]], service_map: ServiceMap, now: datetime
) -> tuple[ProblemRow, ...]:
    """All problems: those that are not closed first, the dearest of them on top."""
    ranked = sorted(problems, key=lambda pair: (pair[0].state is ProblemState.CLOSED, pair[1].rank))
    return tuple(problem_row(problem, told, service_map, now) for problem, told in ranked)


def problem_row(
    problem: Problem, told: ProblemFigures, service_map: ServiceMap, now: datetime
) -> ProblemRow:
    """One problem as a line of the list."""
    newest = problem.incidents[-INCIDENTS_SHOWN_MAX:]
    most = max(told.per_week, default=0) or 1
    bars = (Bar(count=one, height=round(BAR_HEIGHT * one / most)) for one in told.per_week)
    return ProblemRow(
        id=problem.id,
        href=f"/problems/{problem.id}",
        title=problem.title,
        state=Badge(text=word(problem.state), tone=STATES[problem.state]),
        cause=entity_label(problem.cause, service_map) if problem.cause else "",
        reason=word(problem.reason),
        opened=moment(problem.opened_at, now),
        count=counted(len(problem.incidents), "incident"),
        incidents=tuple(Link(text=one, href=f"/incidents/{one}") for one in reversed(newest)),
        trend=Badge(text=word(told.trend), tone=TRENDS[told.trend]),
        weeks=tuple(bars),
        weeks_words="Incidents a week, oldest first: " + ", ".join(map(str, told.per_week)),
        cost=_money(told.cost),
        downtime=span(told.downtime),
        share=f"{told.share:.0%}",
    )


def problem_page(
    problem: Problem,
    told: ProblemFigures,
    timeline: Sequence[TimelineItem],
    service_map: ServiceMap,
    now: datetime,
) -> ProblemPage:
    """The page of one problem."""
    proposal = problem.proposal
    newest = list(reversed(problem.occurrences))[:OCCURRENCES_SHOWN_MAX]
    moves = (to for to in MOVES[problem.state] if _is_button(problem, to))
    return ProblemPage(
        row=problem_row(problem, told, service_map, now),
        headline=_headline(problem),
        facts=tuple(_facts(problem, now)),
        figures=tuple(_figures(told)),
        proposal=tuple(_proposal(problem, service_map)),
        known=tuple(_known(problem)),
        fix=_fix(problem),
        fix_words=problem.fix.note if problem.fix else "",
        review=problem.review,
        occurrences=tuple(_occurrence(one, now) for one in newest),
        timeline=story(timeline, now),
        moves=tuple(Move(to=to, text=VERBS[to]) for to in moves),
        can_be_known=problem.state in CAN_BE_KNOWN,
        can_close=ProblemState.CLOSED in MOVES[problem.state],
        suggested_cause=entity_label(proposal.cause, service_map) if proposal.cause else "",
        suggested_remediation=proposal.workaround.remediation if proposal.workaround else "",
    )


def _is_button(problem: Problem, to: ProblemState) -> bool:
    if to is ProblemState.KNOWN_ERROR and problem.known_error is None:
        return False
    return to in VERBS


def _headline(problem: Problem) -> str:
    match problem.state:
        case ProblemState.OPEN if problem.reopened:
            return "It came back after its fix. Nobody looks into it yet."
        case ProblemState.OPEN:
            return "Nobody looks into it yet."
        case ProblemState.INVESTIGATING:
            return f"{person(problem.assignee) or 'Somebody'} looks into it."
        case ProblemState.KNOWN_ERROR:
            return "It is understood, and not mended: new incidents open with what helps."
        case ProblemState.FIX_PLANNED:
            return "The change that is to mend it is planned."
        case ProblemState.RESOLVED if problem.verified_at is not None:
            return "The fix is in place, and nothing of it came back: it can be closed."
        case ProblemState.RESOLVED:
            return "The fix is in place. Watching whether it holds."
        case ProblemState.CLOSED:
            return "It is closed. What comes back is a new problem."


def _facts(problem: Problem, now: datetime) -> Iterable[str]:
    yield f"Raised {moment(problem.opened_at, now).text}: {word(problem.reason)}"
    if problem.assignee:
        yield f"{person(problem.assignee)} has it"
    if problem.reopened:
        yield f"Came back {counted(problem.reopened, 'time')} after a fix"


def _figures(told: ProblemFigures) -> Iterable[tuple[str, str]]:
    mean = told.mean_time_between_failures
    yield "Incidents", str(told.incidents)
    yield "Downtime", span(told.downtime)
    yield "Cost", _money(told.cost)
    yield "Between two", span(mean) if mean is not None else "too few to tell"
    above = f"{told.cumulative:.0%} with those above"
    yield "Rank", f"{told.rank}, {told.share:.0%} of all ({above})"
    if told.since_fix is not None:
        yield "Since the fix", counted(told.since_fix, "incident")


def _proposal(problem: Problem, service_map: ServiceMap) -> Iterable[str]:
    proposal = problem.proposal
    if proposal.cause is not None:
        often = f"on top in {proposal.times} of {counted(proposal.of, 'incident')}"
        yield f"{entity_label(proposal.cause, service_map)} was {often}"
    yield from proposal.evidence
    if proposal.workaround is not None:
        yield f"What helped: {_record(proposal.workaround)}"


def _known(problem: Problem) -> Iterable[tuple[str, str]]:
    known = problem.known_error
    if known is None:
        return
    yield "Cause", known.cause
    yield "Workaround", known.workaround or "nothing is known to help"
    if known.remediation:
        yield "Remediation", known.remediation
    yield "Said by", person(known.by)


def _record(record: Record) -> str:
    return f"{record.remediation}, verified {record.verified} of {counted(record.tried, 'time')}"


def _fix(problem: Problem) -> Link | None:
    if problem.fix is None:
        return None
    change = problem.fix.change
    ours = f"/changes/{change}" if change.startswith("CHG-") else safe_href(change)
    return Link(text=change, href=ours)


def _occurrence(one: Occurrence, now: datetime) -> OccurrenceRow:
    tried = [f"{name} {'helped' if name in one.helped else 'did not help'}" for name in one.tried]
    return OccurrenceRow(
        incident=Link(text=one.incident, href=f"/incidents/{one.incident}"),
        began=clock_time(one.started_at, now),
        lasted=span(one.downtime),
        cost=_money(one.cost),
        tried=", ".join(tried) or "nothing",
    )


def _money(cost: float | None) -> str:
    return "not known" if cost is None else money(cost)
