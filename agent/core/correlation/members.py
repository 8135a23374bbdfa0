"""What an incident remembers of its alerts: added when they join, taken out when they move.

Not here: which incident an alert belongs to (`join`), and why it fails (`causes`).
"""

import re
from datetime import datetime, timedelta

from agent.core.belonging import Sign
from agent.core.draft import Draft
from agent.core.impact import spread
from agent.core.state import SERIES_MAX, SIGNS_MAX, ActiveAlert, Explained, Members, State
from agent.model.service import EntityRef

DECAY = 0.7
"""A symptom one hop further away counts for this much less of its cause."""

LATENESS = timedelta(hours=1)
"""A start that was heard of later than this tells nothing about what broke together."""

_NUMBER = re.compile(r"\d+")


def add(state: State, draft: Draft, identifier: str, active: ActiveAlert, at: datetime) -> None:
    """The alert belongs to the incident from now on; `at` is when it began to show there."""
    members = state.members[identifier]
    members.firing[active.alert.fingerprint] = None
    members.kinds[active.alert.name] = None
    members.alerts += 1
    members.first_alert_at = min(members.first_alert_at, at)
    members.last_alert_at = max(members.last_alert_at, at)
    if len(members.series) < SERIES_MAX:
        members.series[active.alert.fingerprint] = None
    _add_sign(state, members, active, at)
    if active.entity is not None:
        firing = members.entities.get(active.entity)
        members.entities[active.entity] = (firing or 0) + 1
        if firing is None:
            add_entity(state, draft, identifier, members, active.entity)


def take_out(state: State, members: Members, leaving: list[ActiveAlert]) -> None:
    """These alerts, which still fire, belong elsewhere from now on.

    A place of which nothing else was ever said is forgotten. What the incident would explain is
    left to `rebuild`.
    """
    for active in leaving:
        members.firing.pop(active.alert.fingerprint, None)
        members.alerts -= 1
        key = sign_key(state, active)
        sign = members.signs.get(key)
        if sign is not None:
            sign.firings -= 1
            if sign.firings <= 0:
                del members.signs[key]
        if active.entity is not None and members.entities.get(active.entity):
            members.entities[active.entity] -= 1
    speaking = {sign.entity for sign in members.signs.values()}
    for entity in dict.fromkeys(active.entity for active in leaving):
        if entity is not None and entity not in speaking and not members.entities.get(entity):
            members.entities.pop(entity, None)


def rebuild(state: State, draft: Draft, identifier: str) -> None:
    """Work out anew what follows from the places of an incident that lost some of them."""
    members = state.members[identifier]
    members.kinds = dict.fromkeys(sign.name for sign in members.signs.values())
    members.explains.clear()
    members.hit.clear()
    members.tier = None
    draft.rescored[identifier] = {}
    for entity in members.entities:
        add_entity(state, draft, identifier, members, entity)
    entities = tuple(members.entities)
    state.derived.reach_changed(identifier, entities, state.incidents[identifier].cause)


def add_entity(
    state: State, draft: Draft, identifier: str, members: Members, entity: EntityRef
) -> None:
    """Another place alerts: what might explain it is worth more, and what rests on it is hit."""
    explains = members.explains
    explains.setdefault(entity, Explained()).weight += 1.0
    rescored = draft.rescored.setdefault(identifier, {})
    rescored[entity] = None
    for ref, distance in state.config.service_map.below(entity, state.config.correlation.hops):
        explained = explains.get(ref)
        if explained is None:
            explains[ref] = explained = Explained()
        explained.add(entity, DECAY**distance)
        rescored[ref] = None
    state.derived.reach.added(identifier, entity)
    spread(state, members, entity)


def sign_key(state: State, active: ActiveAlert) -> str:
    """What tells one sign of an incident from another: where, what, and the other end of a call."""
    return f"{active.entity or ''} {active.alert.name} {peer(state, active) or ''}"


def kind_of(name: str) -> str:
    """The name of an alert with every number in it written alike."""
    return _NUMBER.sub("#", name)


def peer(state: State, active: ActiveAlert) -> EntityRef | None:
    """The entity at the other end of the call that the alert is about."""
    labels = active.alert.labels
    for name in state.config.correlation.peer_labels:
        if word := labels.get(name):
            return state.derived.places.named(word)
    return None


def take_over(members: Members, signs: dict[str, Sign]) -> None:
    """What another incident remembers is remembered here too."""
    for key, more in signs.items():
        sign = members.signs.get(key)
        if sign is not None:
            sign.firings += more.firings
            sign.first_at = min(sign.first_at, more.first_at)
        elif len(members.signs) < SIGNS_MAX:
            members.signs[key] = more


def shown_at(active: ActiveAlert) -> datetime:
    """When an alert began to show: its own start, unless that is too old to be of this watch."""
    starts_at, heard_at = active.alert.starts_at, active.heard_at
    return starts_at if heard_at - LATENESS <= starts_at <= heard_at else heard_at


def _add_sign(state: State, members: Members, active: ActiveAlert, at: datetime) -> None:
    other = peer(state, active)
    name = active.alert.name
    key = f"{active.entity or ''} {name} {other or ''}"
    sign = members.signs.get(key)
    if sign is None:
        if len(members.signs) >= SIGNS_MAX:
            return
        members.signs[key] = sign = Sign(
            entity=active.entity, kind=kind_of(name), name=name, peer=other, first_at=at
        )
    sign.firings += 1
