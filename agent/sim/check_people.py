"""Promises about people: four eyes, duties after emergencies, and a life of legal moves."""

from agent.core.state import State
from agent.model.change import MOVES, PASSED_MAX, Change, ChangeState, ChangeType
from agent.model.change_entries import ApprovalGiven, RetroDecided
from agent.model.entry import Entry
from agent.model.remediation import Phase
from agent.model.transition import Transition
from agent.sim.check_runs import launches
from agent.sim.checkers import Checker


class FourEyesLook(Checker):
    """I19: no word of the requester, or of an author, is ever kept, given or lent; nor does one
    answer for one's own emergency.
    """

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        what = entry.what
        if not isinstance(what, ApprovalGiven | RetroDecided) or transition.refusal is not None:
            return None
        change = state.changes.get(what.change)
        if change is None:
            return None
        own = _own(state, change)
        for one in change.approvals:
            if one.by == what.by and {one.by, one.on_behalf_of} & own:
                return f"{change.id} is approved by {one.by}, who is involved"
        if change.retro is not None and change.retro.by in own:
            return f"{change.retro.by} answers for {change.id}, their own emergency"
        return None


class EmergenciesAreAnsweredFor(Checker):
    """I21: every emergency that starts owes an answer with a deadline, in memory until given; and
    while one is overdue, who owes it starts no other.
    """

    def __init__(self) -> None:
        self._owed: dict[str, str] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        what = entry.what
        if isinstance(what, RetroDecided) and transition.refusal is None:
            self._owed.pop(what.change, None)
        for change, phase, run in launches(state, transition):
            if phase is not Phase.REMEDIATE or change.type is not ChangeType.EMERGENCY:
                continue
            if change.retro is None or not change.retro.is_open:
                return f"{run} is an emergency that nobody has to answer for"
            for other, who in self._owed.items():
                duty = state.changes[other].retro
                is_late = duty is not None and duty.due_at <= entry.at
                if is_late and who == change.requested_by and other != change.id:
                    return f"{run} starts while {other} waits for an answer too long"
            self._owed[change.id] = change.requested_by
        for name in self._owed:
            known = state.changes.get(name)
            if known is None or known.retro is None or not known.retro.is_open:
                return f"{name} was forgotten, and nobody has answered for it"
        return None


class MovesAreLegal(Checker):
    """Every state that a change was in is written down, and each move is one of the table."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for record in transition.records:
            if not isinstance(record, Change) or len(record.passed) >= PASSED_MAX:
                continue
            before: ChangeState | None = None
            for passed in record.passed:
                if passed.state not in MOVES[before]:
                    return f"{record.id} went from {before} to {passed.state}"
                before = passed.state
            if before is not record.state:
                return f"{record.id} is {record.state}, and the last that is told is {before}"
        return None


def _own(state: State, change: Change) -> set[str | None]:
    remediation = state.config.remediations.get(change.remediation)
    asked = change.requested_by
    own: set[str | None] = {change.rule_author, remediation.author if remediation else None}
    if asked.startswith("person:"):
        own.add(asked.removeprefix("person:"))
    return own - {None}
