"""Promises about what runs at once: groups stay up, nothing is in another's way, templates hold."""

from dataclasses import dataclass, field
from datetime import datetime

from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType, Closure
from agent.model.entry import Entry
from agent.model.policy import ConflictKind
from agent.model.policy_entries import StandardReinstated
from agent.model.remediation import Phase
from agent.model.service import Health
from agent.model.transition import Transition
from agent.sim.check_runs import launches
from agent.sim.checkers import Checker

HOLDS = (
    ChangeState.STARTING,
    ChangeState.RUNNING,
    ChangeState.VERIFYING,
    ChangeState.UNKNOWN,
)
"""States in which something may be done to a target."""
HOPS = 3


class GroupsStayUp(Checker):
    """I15: no start leaves fewer healthy members of a group than the map demands; only a person
    may have repaired what is down.
    """

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for change, phase, run in launches(state, transition):
            if phase is Phase.REMEDIATE and (wrong := self._judge(state, change)) is not None:
                return f"{run} starts on {change.entity}: {wrong}"
        return None

    def _judge(self, state: State, change: Change) -> str | None:
        entities = state.config.service_map.entities
        group = entities[change.entity].redundancy_group
        members = [
            ref for ref, each in entities.items() if group and each.redundancy_group == group
        ]
        wanted = max((entities[ref].min_up or 0 for ref in members), default=0)
        busy = {each.entity for each in state.changes.values() if each.state in HOLDS}
        healthy = [ref for ref in members if ref not in busy and ref not in state.health]
        now = state.health.get(change.entity)
        is_repair = now is not None and now.health is Health.DOWN
        if len(healthy) >= wanted or (is_repair and change.requested_by.startswith("person:")):
            return None
        return f"{len(healthy)} of {len(members)} stay healthy, {wanted} must"


class NothingRunsInTheWay(Checker):
    """Never two at one entity or host; none on top of a change below it, where policy says so."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for change, phase, run in launches(state, transition):
            if phase is not Phase.REMEDIATE:
                continue
            for other in state.changes.values():
                if other.id == change.id or other.state not in HOLDS:
                    continue
                if wrong := self._judge(state, change, other):
                    return f"{run} starts while {other.id} is under way {wrong}"
        return None

    def _judge(self, state: State, change: Change, other: Change) -> str | None:
        if other.entity == change.entity:
            return "on the same entity"
        if {host.name for host in other.hosts} & {host.name for host in change.hosts}:
            return "on the same host"
        policy = state.config.policy
        waits = policy is not None and ConflictKind.PARENT in policy.conflicts_defer
        if waits and change.type is not ChangeType.EMERGENCY:
            return "below it" if other.entity in _below(state, change.entity) else None
        return None


@dataclass(slots=True)
class _Account:
    started: list[datetime] = field(default_factory=list)
    results: list[bool] = field(default_factory=list)
    is_withdrawn: bool = False


class TemplatesHold(Checker):
    """I18: a standard change starts under a template that is not used up, withdrawn or expired."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._closed: set[str] = set()

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        if isinstance(entry.what, StandardReinstated) and transition.refusal is None:
            self._accounts[entry.what.name].is_withdrawn = False
            self._accounts[entry.what.name].results = []
        policy = state.config.policy
        templates = {each.name: each for each in policy.standard} if policy else {}
        for change, phase, run in launches(state, transition):
            if phase is not Phase.REMEDIATE or change.type is not ChangeType.STANDARD:
                continue
            template = templates.get((change.template or "").partition("@")[0])
            if template is None:
                return f"{run} starts as standard under {change.template}, which is not in force"
            account = self._accounts.setdefault(template.name, _Account())
            recent = [moment for moment in account.started if moment > entry.at - template.within]
            if template.uses is not None and len(recent) >= template.uses:
                return f"{run} is use {len(recent) + 1} of {template.name}"
            if account.is_withdrawn or entry.at.date() >= template.expires:
                return f"{run} starts under {template.name}, which is withdrawn or expired"
            account.started.append(entry.at)
        for record in transition.records:
            if isinstance(record, Change) and not record.is_open:
                self._count(state, record)
        return None

    def _count(self, state: State, change: Change) -> None:
        name = (change.template or "").partition("@")[0]
        policy = state.config.policy
        template = next((t for t in policy.standard if t.name == name), None) if policy else None
        counts = change.closure in (Closure.SUCCESS, Closure.FAILED, Closure.ROLLED_BACK)
        if template is None or change.id in self._closed or not counts or not change.started_at:
            return
        self._closed.add(change.id)
        account = self._accounts.setdefault(name, _Account())
        account.results = [*account.results, change.closure is Closure.SUCCESS]
        account.results = account.results[-template.failures_of :]
        account.is_withdrawn |= account.results.count(False) >= template.failures


def _below(state: State, entity: str) -> set[str]:
    dependencies = state.config.service_map.dependencies
    found: set[str] = set()
    level = {entity}
    for _ in range(HOPS):
        level = {lower for ref in level for lower in dependencies.get(ref, ())} - found
        found |= level
    return found - {entity}
