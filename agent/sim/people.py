"""The people of the simulated world: they look at what the agent knows, and say something."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from agent.core.state import State
from agent.model.change import ChangeState, ChangeType
from agent.model.change_entries import ApprovalGiven, ApprovalRejected
from agent.model.entry import (
    AlertsDeclaredUnrelated,
    AlertsMoved,
    CauseConfirmed,
    ChangeCancelled,
    ChangeReported,
    ChangeRequested,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
    IncidentsMerged,
    SilenceAdded,
    SilenceExpired,
    What,
)
from agent.model.labels import Matcher, MatchOperator
from agent.model.problem import ProblemState
from agent.model.problem_entries import (
    FixPlanned,
    KnownErrorRecorded,
    ProblemMoved,
    SuspectConfirmed,
    SuspectDismissed,
)
from agent.model.reported import ChangeReport, Progress
from agent.model.silence import Silence
from agent.sim import board
from agent.sim.agenda import Agenda
from agent.sim.people_rules import ACTS_ABOUT_RULES
from agent.sim.plan import Happening, Kind
from agent.sim.town import APPROVERS, FAILOVER, RESTART, ref_of

T = TypeVar("T")


class People:
    """What somebody would say at this moment; None where there is nothing to say it about."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._silences = 0

    def act(self, state: State, happening: Happening) -> What | None:
        """The entry that the planned act is, given what can be seen now."""
        if happening.kind in board.KINDS:
            return board.act(state, self._agenda, happening)
        do = _ACTS.get(happening.kind)
        return do(self, state, happening) if do else None

    def _acknowledge(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        return IncidentAcknowledged(incident=incident, by="carol") if incident else None

    def _assign(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        if incident is None:
            return None
        return IncidentAssigned(incident=incident, assignee="dave", by="carol")

    def _comment(self, state: State, plan: Happening) -> What | None:
        incident = _pick(list(state.incidents), plan.pick)
        if incident is None:
            return None
        return IncidentCommented(incident=incident, text="looking", by="carol")

    def _merge(self, state: State, plan: Happening) -> What | None:
        live = _live(state)
        into, other = _pick(live, plan.pick), _pick(live[::-1], plan.pick)
        if into is None or other is None:
            return None
        return IncidentsMerged(incident=other, into=into, by="carol")

    def _split(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        if incident is None:
            return None
        alerts = _some(list(state.members[incident].firing), plan.pick)
        return AlertsMoved(incident=incident, alerts=alerts, into=None, by="carol")

    def _move(self, state: State, plan: Happening) -> What | None:
        live = _live(state)
        source, into = _pick(live, plan.pick), _pick(live[::-1], plan.pick)
        if source is None or into is None:
            return None
        over = list(state.ended)[:1] if plan.pick < 0.3 else []
        alerts = (*_some(list(state.members[source].firing), plan.pick), *over)
        return AlertsMoved(incident=source, alerts=alerts, into=into, by="dave")

    def _unrelated(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        if incident is None:
            return None
        members = state.members[incident]
        places = list(members.entities)[: int(plan.pick * 3)]
        alerts = _some(list(members.firing), plan.pick) if plan.pick > 0.4 else ()
        return AlertsDeclaredUnrelated(
            incident=incident, alerts=alerts, entities=tuple(places), by="dave"
        )

    def _resolve(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        return IncidentResolved(incident=incident, by="carol") if incident else None

    def _confirm(self, state: State, plan: Happening) -> What | None:
        incident = _pick(_live(state), plan.pick)
        if incident is None:
            return None
        return CauseConfirmed(incident=incident, entity=ref_of(plan.which), by="dave")

    def _request(self, state: State, plan: Happening) -> What | None:
        type = (None, ChangeType.NORMAL, ChangeType.EMERGENCY)[int(plan.pick * 3)]
        remediation = RESTART if plan.pick < 0.6 else FAILOVER
        return ChangeRequested(
            remediation=remediation.name,
            entity=ref_of(plan.which),
            parameters={"service": plan.which},
            by=APPROVERS[int(plan.pick * 40) % 4],
            type=type,
            incident=_pick(_live(state), plan.pick),
        )

    def _approve(self, state: State, plan: Happening) -> What | None:
        change = _pick(_awaiting(state), plan.pick)
        return self._approval(change, state.changes[change].binding, plan) if change else None

    def _approve_others_binding(self, state: State, plan: Happening) -> What | None:
        change = _pick(_awaiting(state), plan.pick)
        others = [other.binding for other in state.changes.values() if other.id != change]
        return self._approval(change, (others or ["none"])[0], plan) if change else None

    def _approval(self, change: str, binding: str, plan: Happening) -> What:
        roles = ("approver",) if plan.pick < 0.9 else ("viewer",)
        by = APPROVERS[int(plan.pick * 400) % 4]
        return ApprovalGiven(change=change, binding=binding, by=by, roles=roles)

    def _reject(self, state: State, plan: Happening) -> What | None:
        change = _pick(_awaiting(state), plan.pick)
        if change is None:
            return None
        return ApprovalRejected(change=change, by="dave", roles=("approver",), note="not now")

    def _cancel(self, state: State, plan: Happening) -> What | None:
        change = _pick([c.id for c in state.changes.values() if c.is_open], plan.pick)
        return ChangeCancelled(change=change, by="dave") if change else None

    def _silence(self, state: State, plan: Happening) -> What:
        now = self._agenda.now
        self._silences += 1
        known = _pick(list(state.silences), plan.pick)
        name = known if known and plan.pick < 0.2 else f"silence-{self._silences}"
        matcher = Matcher(name="service", operator=MatchOperator.EQUAL, value=plan.which)
        return SilenceAdded(
            silence=Silence(
                id=name,
                matchers=(matcher,),
                starts_at=now + plan.lasts / 4 * (plan.pick > 0.7),
                ends_at=now + plan.lasts,
                created_by="carol",
                comment="work",
                updated_at=now,
            )
        )

    def _unsilence(self, state: State, plan: Happening) -> What | None:
        silence = _pick(list(state.silences), plan.pick)
        return SilenceExpired(id=silence, by="carol") if silence else None

    def _deploy(self, state: State, plan: Happening) -> What:
        """Some begin and end, some are told twice, some are told late."""
        progress = list(Progress)[int(plan.pick * 40) % 4]
        report = ChangeReport(
            key=f"deploy {int(plan.pick * 6)}",
            at=self._agenda.now - plan.lasts,
            summary=f"Deploy of {plan.which}",
            progress=progress,
            actor="erin",
            names={"entity": ref_of(plan.which)},
        )
        return ChangeReported(source="pipeline", report=report)

    def _judge(self, state: State, plan: Happening) -> What | None:
        suspected = [one for one in state.incidents.values() if one.suspects]
        incident = _pick([one.id for one in suspected], plan.pick)
        if incident is None:
            return None
        change = state.incidents[incident].suspects[0].change
        said = SuspectConfirmed if plan.pick < 0.5 else SuspectDismissed
        return said(incident=incident, change=change, by="carol")

    def _work(self, state: State, plan: Happening) -> What | None:
        problem = _pick(list(state.problems), plan.pick)
        if problem is None:
            return None
        choice = int(plan.pick * 100) % 8
        if choice == 0:
            return KnownErrorRecorded(
                problem=problem,
                cause="a leak",
                workaround="restart",
                remediation=RESTART.name,
                by="eve",
            )
        if choice == 1:
            return FixPlanned(problem=problem, change="CHG-1", by="eve")
        to = list(ProblemState)[choice % len(ProblemState)]
        note = "learnt" if plan.pick < 0.7 else ""
        return ProblemMoved(problem=problem, to=to, by="eve", note=note)


_ACTS: dict[Kind, Callable[[People, State, Happening], What | None]] = {
    Kind.ACKNOWLEDGE: People._acknowledge,
    Kind.ASSIGN: People._assign,
    Kind.COMMENT: People._comment,
    Kind.MERGE: People._merge,
    Kind.SPLIT: People._split,
    Kind.MOVE: People._move,
    Kind.UNRELATED: People._unrelated,
    Kind.RESOLVE: People._resolve,
    Kind.CONFIRM_CAUSE: People._confirm,
    Kind.DEPLOY: People._deploy,
    Kind.JUDGE_SUSPECT: People._judge,
    Kind.WORK_ON_PROBLEM: People._work,
    Kind.REQUEST: People._request,
    Kind.APPROVE: People._approve,
    Kind.APPROVE_OTHERS_BINDING: People._approve_others_binding,
    Kind.REJECT: People._reject,
    Kind.CANCEL: People._cancel,
    Kind.SILENCE: People._silence,
    Kind.UNSILENCE: People._unsilence,
    **ACTS_ABOUT_RULES,
}


def _pick(items: Sequence[T], pick: float) -> T | None:
    return items[int(pick * len(items))] if items else None


def _some(items: Sequence[str], pick: float) -> tuple[str, ...]:
    """About half of them, at least one where there is one."""
    return tuple(items[: max(1, int(pick * len(items)))])


def _live(state: State) -> list[str]:
    return [incident.id for incident in state.incidents.values() if incident.is_live]


def _awaiting(state: State) -> list[str]:
    waits = ChangeState.AWAITING_APPROVAL
    return [change.id for change in state.changes.values() if change.state is waits]
