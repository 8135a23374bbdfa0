"""Promises about permission: nothing starts that policy, calendar and people did not allow."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core.state import State
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeType
from agent.model.entry import ApprovalGiven, CalendarsExpanded, Entry, RunPrepared
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
                word = Word(what.by, entry.at, what.roles, _content(state, change))
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
                timeout = state.config.remediations[change.remediation].timeout
                wrong = self._judge(state, change, entry.at, timeout)
                if wrong is not None:
                    return f"{run} starts at {entry.at}: {wrong}"
        return None

    def _judge(self, state: State, change: Change, at: datetime, timeout: timedelta) -> str | None:
        is_windowed = is_permitted = False
        for calendar in self._calendars:
            is_freeze = CalendarPurpose.FREEZE in calendar.purposes
            is_permit = CalendarPurpose.PERMIT in calendar.purposes
            if calendar.entities and change.entity not in calendar.entities:
                continue
            is_windowed |= is_permit
            for window in calendar.windows:
                start, end = window.interval.start, window.interval.end
                if is_freeze and start <= at + timeout and at < end:
                    return f"there is a freeze from {start} to {end}"
                is_permitted |= is_permit and start <= at and at + timeout <= end
        policy = state.config.policy
        is_windowed |= policy is not None and policy.windows_required
        if change.type is ChangeType.NORMAL and is_windowed and not is_permitted:
            return "no window is open long enough"
        return None


def _content(state: State, change: Change) -> str:
    policy = state.config.policy
    parts = (change.remediation, change.digest, change.type, change.entity, change.hosts)
    return repr((*parts, sorted(change.parameters.items()), policy.digest if policy else None))
