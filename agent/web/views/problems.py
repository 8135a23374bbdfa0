"""Problems: what keeps coming back, and which incidents show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.model.problem import Problem, ProblemState
from agent.model.service import ServiceMap
from agent.web.views.words import Badge, Link, Moment, Tone, counted, entity_label, moment, word

INCIDENTS_SHOWN_MAX = 8

STATES = {
    ProblemState.OPEN: Tone.WARN,
    ProblemState.KNOWN_ERROR: Tone.BUSY,
    ProblemState.CLOSED: Tone.MUTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRow:
    """One problem."""

    id: str
    title: str
    state: Badge
    cause: str
    signature: str
    reason: str
    opened: Moment
    count: str
    incidents: tuple[Link, ...]


def problem_rows(
    problems: Iterable[Problem], service_map: ServiceMap, now: datetime
) -> tuple[ProblemRow, ...]:
    """All problems: those without a closure first, the newest first."""
    order = list(STATES)
    ranked = sorted(problems, key=lambda one: (order.index(one.state), -one.opened_at.timestamp()))
    return tuple(_row(problem, service_map, now) for problem in ranked)


def _row(problem: Problem, service_map: ServiceMap, now: datetime) -> ProblemRow:
    newest = problem.incidents[-INCIDENTS_SHOWN_MAX:]
    return ProblemRow(
        id=problem.id,
        title=problem.title,
        state=Badge(text=word(problem.state), tone=STATES[problem.state]),
        cause=entity_label(problem.cause, service_map) if problem.cause else "",
        signature=problem.signature,
        reason=word(problem.reason),
        opened=moment(problem.opened_at, now),
        count=counted(len(problem.incidents), "incident"),
        incidents=tuple(Link(text=one, href=f"/incidents/{one}") for one in reversed(newest)),
    )
