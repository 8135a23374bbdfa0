"""May it: the one gate before every run, whoever asked, judged when asked and again at start.

Fails closed: what cannot be read, evaluated or found is refused.
"""

import hashlib
from datetime import datetime, timedelta

from agent.core import facts
from agent.core.conditions import ConditionFailure
from agent.core.state import State
from agent.core.targets import host_of
from agent.model.change import (
    Approval,
    Calendar,
    CalendarPurpose,
    Change,
    ChangeState,
    ChangeType,
    Decision,
    PolicyRule,
    Verdict,
)
from agent.model.interval import Interval
from agent.model.reason import Reason

LOOK_AGAIN = timedelta(minutes=1)
UNDER_WAY = (
    ChangeState.STARTING,
    ChangeState.RUNNING,
    ChangeState.VERIFYING,
    ChangeState.UNKNOWN,
)
"""States in which a change holds its target."""


def judge(state: State, change: Change, at: datetime) -> Decision:
    """Policy's answer about this change at this moment, by the rule set in force."""
    rule = _rule(state, change, at)
    if isinstance(rule, Decision):
        return rule
    for check in (_still_possible, _still_needed, _attempts):
        decision = check(state, change, at)
        if decision is not None:
            return decision
    calendar = _freeze(state, change, at) or _window(state, change, at)
    if calendar is not None and calendar.verdict is Verdict.REFUSED:
        return calendar
    if rule.verdict is Verdict.NEEDS_APPROVAL:
        # Before its window opens is the time to approve a change.
        decision = _approvals(state, change, rule, at)
        if decision is not None:
            return decision
    if calendar is not None:
        return calendar
    for check in (_cooldown, _concurrency, _blast_radius):
        decision = check(state, change, at)
        if decision is not None:
            return decision
    if rule.verdict is Verdict.NEEDS_APPROVAL:
        return Decision(
            verdict=Verdict.ALLOWED,
            reason=Reason.APPROVED,
            text="approved by " + ", ".join(a.by for a in valid_approvals(state, change, rule, at)),
            rule=rule.name,
        )
    is_standard = change.type is ChangeType.STANDARD
    return Decision(
        verdict=Verdict.ALLOWED,
        reason=Reason.STANDARD_CHANGE if is_standard else Reason.POLICY_ALLOWS,
        text=rule.text or f"policy rule {rule.name} allows it",
        rule=rule.name,
    )


def binding_of(state: State, change: Change) -> str:
    """The digest over all that will run and the policy it was judged by: what approvals name."""
    policy = state.config.policy
    parts = [
        change.remediation,
        change.digest,
        change.type.value,
        change.entity,
        *(repr(host) for host in change.hosts),
        *(f"{name}={change.parameters[name]!r}" for name in sorted(change.parameters)),
        policy.digest if policy else "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def valid_approvals(state: State, change: Change, rule: PolicyRule, at: datetime) -> list[Approval]:
    """Approvals that count now: of this content, in time, by others, by role, one a person.

    One that is given ahead of a window counts for its time from when that window opens.
    """
    binding = binding_of(state, change)
    counted: dict[str, Approval] = {}
    for approval in change.approvals:
        given_for = max(approval.at, change.scheduled_for or approval.at)
        if approval.binding != binding or at - given_for > rule.approval_expires:
            continue
        if is_own(change, approval.by) or approval.role not in rule.roles:
            continue
        counted.setdefault(approval.by, approval)
    return list(counted.values())


def is_own(change: Change, person: str) -> bool:
    """Whether this person asked for the change or wrote the rule that did: four eyes."""
    return change.requested_by == f"person:{person}" or change.rule_author == person


def rule_for(state: State, change: Change, at: datetime) -> PolicyRule | None:
    """The policy rule that decides about this change, if there is one."""
    rule = _rule(state, change, at)
    return rule if isinstance(rule, PolicyRule) else None


def _rule(state: State, change: Change, at: datetime) -> PolicyRule | Decision:
    policy = state.config.policy
    if policy is None:
        return _refused(Reason.POLICY_MISSING, "there is no readable change policy")
    for name in state.config.calendars:
        calendar = state.calendars.get(name)
        if calendar is None or not calendar.horizon.contains(at):
            # It may be read in a moment, when a new rule set has come into force.
            text = f"calendar {name} cannot be read for now"
            return _deferred(Reason.POLICY_MISSING, text, until=at + LOOK_AGAIN)
    known = facts.of_change(state, change, at)
    for rule, condition in zip(policy.rules, state.derived.policy, strict=True):
        try:
            holds = condition.holds(known)
        except ConditionFailure as failure:
            return _refused(Reason.POLICY_FAILED, f"policy rule {rule.name}: {failure}", rule.name)
        if holds and rule.verdict is Verdict.REFUSED:
            text = rule.text or f"policy rule {rule.name} refuses it"
            return _refused(Reason.POLICY_REFUSES, text, rule.name)
        if holds:
            return rule
    return _refused(Reason.NO_POLICY_RULE, "no policy rule allows it")


def _still_possible(state: State, change: Change, at: datetime) -> Decision | None:
    remediation = state.config.remediations.get(change.remediation)
    if remediation is None:
        return _refused(Reason.REMEDIATION_GONE, f"{change.remediation} is not registered any more")
    if remediation.digest != change.digest:
        return _refused(
            Reason.DIGEST_MISMATCH, f"{change.remediation} was changed since this was asked for"
        )
    if change.hosts != (host_of(state.config.service_map, change.entity),):
        return _refused(Reason.TARGET_MOVED, f"{change.entity} is on another host by now")
    return None


def _still_needed(state: State, change: Change, at: datetime) -> Decision | None:
    if change.trigger is not None and change.trigger not in state.alerts:
        return _refused(Reason.NO_LONGER_NEEDED, "the alert it was for has cleared")
    return None


def _attempts(state: State, change: Change, at: datetime) -> Decision | None:
    attempts = state.attempts.get(target_key(change))
    if attempts is None or not change.requested_by.startswith("rule:"):
        return None
    if attempts.breaker_open:
        return _refused(
            Reason.BREAKER_OPEN, "it did not help before; a person must look at the problem first"
        )
    remediation = state.config.remediations[change.remediation]
    since = at - remediation.attempts_window
    recent = [start for start in attempts.started if start > since]
    if len(recent) >= remediation.attempts_max:
        hours = remediation.attempts_window.total_seconds() / 3600
        return _refused(
            Reason.ATTEMPTS_EXHAUSTED, f"{len(recent)} attempts in the last {hours:g} h are enough"
        )
    return None


def _freeze(state: State, change: Change, at: datetime) -> Decision | None:
    if change.type is ChangeType.EMERGENCY:
        return None
    remediation = state.config.remediations[change.remediation]
    needed = Interval(at, at + remediation.timeout + timedelta(seconds=1))
    for calendar in _calendars(state, change, CalendarPurpose.FREEZE):
        for window in calendar.windows:
            if window.interval.clip(needed) is not None:
                name = window.summary or calendar.name
                text = f"{name} is a freeze until {_clock(window.interval)}"
                return _deferred(Reason.FROZEN, text, until=window.interval.end)
    return None


def _window(state: State, change: Change, at: datetime) -> Decision | None:
    """A normal change runs in a permitting window, where one is required or declared for it."""
    policy = state.config.policy
    calendars = _calendars(state, change, CalendarPurpose.PERMIT)
    if change.type is not ChangeType.NORMAL or policy is None:
        return None
    if not calendars and not policy.windows_required:
        return None
    remediation = state.config.remediations[change.remediation]
    following: list[datetime] = []
    too_short = False
    for calendar in calendars:
        for window in calendar.windows:
            if window.interval.contains(at):
                if at + remediation.timeout <= window.interval.end:
                    return None
                too_short = True
            elif window.interval.start > at:
                following.append(window.interval.start)
    reason = Reason.WINDOW_TOO_SHORT if too_short else Reason.OUTSIDE_WINDOW
    if not following:
        return _refused(reason, "no change window is open or in sight")
    text = "it would not end before the window closes" if too_short else "no change window is open"
    return _deferred(reason, text, until=min(following))


def _approvals(state: State, change: Change, rule: PolicyRule, at: datetime) -> Decision | None:
    missing = rule.approvals - len(valid_approvals(state, change, rule, at))
    if missing <= 0:
        return None
    return Decision(
        verdict=Verdict.NEEDS_APPROVAL,
        reason=Reason.APPROVAL_NEEDED,
        text=f"needs {missing} approval{'s' if missing > 1 else ''} by {' or '.join(rule.roles)}",
        rule=rule.name,
        roles=rule.roles,
        approvals=missing,
        until=change.due_at
        if change.state is ChangeState.AWAITING_APPROVAL
        else at + rule.approval_expires,
    )


def _cooldown(state: State, change: Change, at: datetime) -> Decision | None:
    attempts = state.attempts.get(target_key(change))
    if attempts is None or not attempts.started or not change.requested_by.startswith("rule:"):
        return None
    until = attempts.started[-1] + state.config.remediations[change.remediation].cooldown
    if at < until:
        return _deferred(Reason.COOLDOWN, "it ran here a short while ago", until=until)
    return None


def _concurrency(state: State, change: Change, at: datetime) -> Decision | None:
    under_way = _others_under_way(state, change)
    for other in under_way:
        shared = {host.name for host in change.hosts} & {host.name for host in other.hosts}
        if other.entity == change.entity or shared:
            return _deferred(Reason.CONCURRENCY, f"{other.id} is under way on the same target")
    policy = state.config.policy
    if policy is not None and len(under_way) >= policy.concurrency_max:
        return _deferred(Reason.CONCURRENCY, f"{len(under_way)} changes are under way already")
    return None


def _blast_radius(state: State, change: Change, at: datetime) -> Decision | None:
    entity = state.config.service_map.entities.get(change.entity)
    remediation = state.config.remediations[change.remediation]
    if entity is None or entity.redundancy_group is None:
        return None
    group = state.config.service_map.groups[entity.redundancy_group]
    busy = {change.entity, *(o.entity for o in _others_under_way(state, change))} & set(group)
    if len(busy) > 1 and len(busy) / len(group) > remediation.redundancy_share_max:
        return _deferred(
            Reason.BLAST_RADIUS, f"{len(busy)} of {len(group)} in {entity.redundancy_group}"
        )
    return None


def target_key(change: Change) -> str:
    """What attempts are counted by."""
    return f"{change.entity}|{change.remediation}"


def _others_under_way(state: State, change: Change) -> list[Change]:
    return [
        other
        for other in state.changes.values()
        if other.id != change.id and other.state in UNDER_WAY
    ]


def _calendars(state: State, change: Change, purpose: CalendarPurpose) -> list[Calendar]:
    return [
        calendar
        for calendar in state.calendars.values()
        if purpose in calendar.purposes and state.derived.concerns(calendar, change.entity)
    ]


def _clock(interval: Interval) -> str:
    return f"{interval.end:%Y-%m-%d %H:%M} UTC"


def _refused(reason: Reason, text: str, rule: str | None = None) -> Decision:
    return Decision(verdict=Verdict.REFUSED, reason=reason, text=text, rule=rule)


def _deferred(reason: Reason, text: str, until: datetime | None = None) -> Decision:
    return Decision(verdict=Verdict.DEFERRED, reason=reason, text=text, until=until)
