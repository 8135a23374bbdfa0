"""Whom an entry means: ids of one playing in terms that another playing can find again.

Incidents are known by their alerts, changes by what they ask for, problems by their signature.
"""

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from agent.core import sync
from agent.core.state import State
from agent.model.autonomy_entries import ProposalTaken
from agent.model.change import Change
from agent.model.entry import TicketChanged, What
from agent.model.service import EntityRef

ALERTS_NAMED_MAX = 50
NEAR = timedelta(minutes=15)
"""What is asked for the same target within this time is the same."""

OF_INCIDENTS = ("incident", "into")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a change asks for, and when it was asked."""

    remediation: str
    entity: EntityRef
    at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """Whom an entry means, by the field that says so."""

    alerts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    change: Asked | None = None
    signature: str | None = None
    proposal: tuple[str, str] | None = None
    """The rule that proposes, and the alert that it is about."""


def names_of(state: State, what: What) -> Named | None:
    """Whom the entry means in the playing that it was made in; None where it means nobody."""
    parts = {part.name for part in fields(what)}
    alerts = {
        name: _alerts(state, getattr(what, name))
        for name in OF_INCIDENTS
        if name in parts and getattr(what, name) is not None
    }
    if isinstance(what, TicketChanged):
        alerts["ticket"] = _alerts(state, sync.incident_of(state, what.ticket.key) or "")
    change = state.changes.get(getattr(what, "change", "") or "")
    problem = state.problems.get(getattr(what, "problem", "") or "")
    if not alerts and change is None and problem is None:
        return None
    signature = problem.signature if problem else None
    return Named(alerts, _asked(change), signature, _proposal(state, what))


def translated(state: State, what: What, named: Named) -> What | None:
    """The entry with the ids of this playing; None where somebody whom it means is not there."""
    ids: dict[str, object] = {}
    for name, alerts in named.alerts.items():
        incident = incident_with(state, alerts)
        if incident is None:
            return None
        if isinstance(what, TicketChanged):
            key = sync.ticket_key(state, incident)
            ids["ticket"] = replace(what.ticket, key=key)
        else:
            ids[name] = incident
    if named.change is not None:
        change = change_like(state, named.change)
        if change is None:
            return None
        ids["change"] = change.id
        if any(part.name == "binding" for part in fields(what)):
            # People approve what they see; what they saw then is taken for what they would see.
            ids["binding"] = change.binding
    if named.proposal is not None:
        cases = {
            (each.rule, each.trigger): each.case
            for each in state.incidents[str(ids["incident"])].proposals
        }
        if named.proposal not in cases:
            return None
        ids["case"] = cases[named.proposal]
    if named.signature is not None:
        problem = {p.signature: p.id for p in state.problems.values()}.get(named.signature)
        if problem is None:
            return None
        ids["problem"] = problem
    return replace(what, **ids) if ids else what  # type: ignore[arg-type]


def incident_with(state: State, alerts: tuple[str, ...]) -> str | None:
    """The live incident that holds most of these alerts."""
    found: Counter[str] = Counter()
    for fingerprint in alerts:
        active = state.alerts.get(fingerprint)
        if active is not None and active.incident is not None:
            found[active.incident] += 1
    if not found:
        for identifier, members in state.members.items():
            count = sum(fingerprint in members.series for fingerprint in alerts)
            if count:
                found[identifier] = count
    return found.most_common(1)[0][0] if found else None


def change_like(state: State, asked: Asked) -> Change | None:
    """The open change that asks for the same at about the same time."""
    for change in state.changes.values():
        is_same = (change.remediation, change.entity) == (asked.remediation, asked.entity)
        if is_same and change.is_open and abs(change.requested_at - asked.at) <= NEAR:
            return change
    return None


def _asked(change: Change | None) -> Asked | None:
    if change is None:
        return None
    return Asked(change.remediation, change.entity, change.requested_at)


def _proposal(state: State, what: What) -> tuple[str, str] | None:
    if not isinstance(what, ProposalTaken) or what.incident not in state.incidents:
        return None
    for each in state.incidents[what.incident].proposals:
        if each.case == what.case:
            return each.rule, each.trigger
    return None


def _alerts(state: State, incident: str) -> tuple[str, ...]:
    members = state.members.get(incident)
    if members is None:
        return ()
    return tuple(dict.fromkeys((*members.firing, *members.series)))[:ALERTS_NAMED_MAX]
