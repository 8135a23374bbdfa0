"""Promises about permission: nothing starts that policy, calendar and people did not allow."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.state import State
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeType
from agent.model.change_entries import ApprovalGiven
from agent.model.entry import CalendarsExpanded, Entry, RunPrepared
from agent.model.interval import union
from agent.model.policy import PolicyRule, Verdict
from agent.model.remediation import Phase
from agent.model.transition import Transition
from agent.sim.check_runs import launches
from agent.sim.checkers import Checker


@dataclass(frozen=True, slots=True)
class Word:
    """An approval, with what the person saw when giving it."""

    by: str
    at: datetime
    roles: tuple[str, ...]
    content: str


class RunsAreAuthorised(Checker):
    """I18, I11: judged by the policy in force at the start; approvals count that are of this very
    content under this very policy, in time, by others, in the role, one a person.
    """

    def __init__(self) -> None:
        self._words: dict[str, list[Word]] = {}

    def before(self, state: State, entry: Entry) -> None:
        what = entry.what
        if isinstance(what, ApprovalGiven):
            change = state.changes.get(what.change)
            if change is not None and what.binding == change.binding:
                word = Word(
                    what.by,
                    entry.at,
                    (*what.roles, *_lent(state, entry, what)),
                    _content(state, change),
                )
                self._words.setdefault(change.id, []).append(word)

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for change, phase, run in launches(state, transition):
            if not isinstance(entry.what, RunPrepared) or entry.what.digest != change.digest:
                return f"{run} starts what was not approved: {entry.what}"
            if phase is Phase.REMEDIATE:
                wrong = self._judge(state, entry.at, change)
                if wrong is not None:
                    return f"{run} starts: {wrong}"
        return None

    def _judge(self, state: State, at: datetime, change: Change) -> str | None:
        policy = state.config.policy
        if policy is None:
            return "there is no policy"
        rule = next((r for r in policy.rules if f'"{change.type.value}"' in r.when), None)
        if rule is None or rule.verdict is Verdict.REFUSED:
            return "no rule allows it"
        if rule.verdict is Verdict.ALLOWED:
            return None
        people = self._counted(state, at, change, rule)
        if len(people) < rule.approvals:
            return f"{change.id} has {len(people)} of {rule.approvals} approvals"
        return None

    def _counted(self, state: State, at: datetime, change: Change, rule: PolicyRule) -> list[str]:
        content = _content(state, change)
        return sorted(
            {
                word.by
                for word in self._words.get(change.id, ())
                if word.content == content
                and at - max(word.at, change.scheduled_for or word.at) <= rule.approval_expires
                and word.by not in (change.rule_author, change.requested_by.partition(":")[2])
                and set(word.roles) & set(rule.roles)
            }
        )


class RunsKeepToTheirTime(Checker):
    """I20: nothing but an emergency starts in a freeze or would run into one; a normal change on
    what has change windows starts in one, and would end in it.
    """

    def __init__(self) -> None:
        self._calendars: tuple[Calendar, ...] = ()

    def before(self, state: State, entry: Entry) -> None:
        if isinstance(entry.what, CalendarsExpanded):
            self._calendars = entry.what.calendars

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for change, phase, run in launches(state, transition):
            if phase is Phase.REMEDIATE and change.type is not ChangeType.EMERGENCY:
                wrong = self._judge(state, change, entry.at, _length(state, change))
                if wrong is not None:
                    return f"{run} starts at {entry.at}: {wrong}"
        return None

    def _judge(self, state: State, change: Change, at: datetime, length: timedelta) -> str | None:
        is_windowed, permitted = False, []
        for calendar in self._calendars:
            is_windowed |= any(not who or change.entity in who for who in calendar.permits)
            for window in calendar.windows:
                start, end = window.interval.start, window.interval.end
                if window.entities and change.entity not in window.entities:
                    continue
                if CalendarPurpose.FREEZE in window.purposes and start < at + length and at < end:
                    return f"there is a freeze from {start} to {end}"
                if CalendarPurpose.PERMIT in window.purposes:
                    permitted.append(window.interval)
        policy = state.config.policy
        is_windowed |= policy is not None and policy.windows_required
        is_inside = any(w.start <= at and at + length <= w.end for w in union(permitted))
        if change.type is ChangeType.NORMAL and is_windowed and not is_inside:
            return "no window is open long enough"
        return None


def _length(state: State, change: Change) -> timedelta:
    """All that may follow by itself once it is started."""
    remediation = state.config.remediations[change.remediation]
    played = remediation.timeout * (2 if remediation.has_rollback else 1)
    return played + remediation.verification.within


def _lent(state: State, entry: Entry, what: ApprovalGiven) -> list[str]:
    """The roles that somebody else has lent to whoever speaks, by a delegation in force."""
    found: list[str] = []
    for one in what.lent:
        given = state.delegations.get(one.delegation or "")
        if given and given.holds(entry.at) and (given.by, given.to) == (one.person, what.by):
            found += one.roles
    return found


def _content(state: State, change: Change) -> str:
    policy = state.config.policy
    parts = (change.remediation, change.digest, change.type, change.entity, change.hosts)
    return repr((*parts, sorted(change.parameters.items()), policy.digest if policy else None))
