"""The record of a problem: raised once, then added to. Why one is raised is not known here."""

from collections import Counter

from agent.core.draft import Draft
from agent.core.state import State
from agent.model.incident import Incident
from agent.model.problem import Occurrence, Problem, ProblemState, Proposal, Record
from agent.model.reason import Reason

INCIDENTS_REMEMBERED_MAX = 100
EVIDENCE_PROPOSED_MAX = 5


def raise_problem(
    state: State,
    draft: Draft,
    *,
    title: str,
    signature: str,
    incident: Incident | None,
    reason: Reason,
    incidents: tuple[str, ...],
    occurrences: tuple[Occurrence, ...] = (),
) -> Problem:
    """Open a problem, or add to the open one with this signature."""
    known = find(state, signature)
    if known is not None:
        return add(state, draft, known, incidents, occurrences)
    state.problem_count += 1
    problem = Problem(
        id=f"PRB-{state.problem_count}",
        state=ProblemState.OPEN,
        title=title,
        opened_at=draft.at,
        signature=signature,
        cause=incident.cause if incident else None,
        incidents=incidents,
        reason=reason,
        occurrences=occurrences,
        proposal=propose(occurrences),
    )
    draft.note(problem.id, reason, title)
    return draft.set_problem(state, problem)


def find(state: State, signature: str) -> Problem | None:
    """The problem with this signature that is not closed."""
    for problem in state.problems.values():
        if problem.signature == signature and problem.state is not ProblemState.CLOSED:
            return problem
    return None


def add(
    state: State,
    draft: Draft,
    problem: Problem,
    incidents: tuple[str, ...],
    occurrences: tuple[Occurrence, ...],
) -> Problem:
    """Add incidents to a problem; the newest are remembered."""
    names = tuple(dict.fromkeys((*problem.incidents, *incidents)))
    by_incident = {one.incident: one for one in (*problem.occurrences, *occurrences)}
    kept = tuple(by_incident.values())[-INCIDENTS_REMEMBERED_MAX:]
    return draft.set_problem(
        state,
        problem,
        incidents=names[-INCIDENTS_REMEMBERED_MAX:],
        occurrences=kept,
        proposal=propose(kept),
    )


def propose(occurrences: tuple[Occurrence, ...]) -> Proposal:
    """What repeats: the cause most often on top, its evidence, the remediation that helped most."""
    if not occurrences:
        return Proposal()
    causes = Counter(one.cause for one in occurrences if one.cause is not None)
    cause, times = _most(causes)
    of_cause = [one for one in occurrences if one.cause == cause]
    said = Counter(text for one in of_cause for text in dict.fromkeys(one.evidence))
    repeated = [text for text, count in said.items() if 2 * count >= len(of_cause)]
    repeated.sort(key=lambda text: (-said[text], text))
    return Proposal(
        cause=cause,
        times=times,
        of=len(occurrences),
        evidence=tuple(repeated[:EVIDENCE_PROPOSED_MAX]),
        workaround=best_of(occurrences),
    )


def best_of(occurrences: tuple[Occurrence, ...]) -> Record | None:
    """The remediation that was verified most often, with its record; None where none ever was."""
    helped = Counter(name for one in occurrences for name in one.helped)
    name, verified = _most(helped)
    return None if name is None else record_of(occurrences, name, verified)


def record_of(
    occurrences: tuple[Occurrence, ...], remediation: str, verified: int | None = None
) -> Record:
    """How often a remediation was tried on these incidents, and helped."""
    if verified is None:
        verified = sum(remediation in one.helped for one in occurrences)
    tried = sum(remediation in one.tried for one in occurrences)
    return Record(remediation=remediation, tried=tried, verified=verified)


def _most(counts: "Counter[str]") -> tuple[str | None, int]:
    """The commonest, ties to the smaller name."""
    if not counts:
        return None, 0
    name = min(counts, key=lambda each: (-counts[each], each))
    return name, counts[name]
