"""Alerts that go from one incident to another: two that are one, one that is two.

The older incident keeps its name, its tickets and its clocks. Not here: the judgement that alerts
belong elsewhere (`waves`, `causes`, people).
"""

from collections.abc import Iterable
from datetime import datetime

from agent.core import flapping
from agent.core.causes.suspects import judged_too
from agent.core.correlation import corrected
from agent.core.correlation.find import likeness_of
from agent.core.correlation.members import add, rebuild, shown_at, take_out, take_over
from agent.core.correlation.opening import open_incident
from agent.core.draft import Draft
from agent.core.impact import spread
from agent.core.state import (
    CLOSED_KEPT,
    EXPLAINED_NAMED_MAX,
    Explained,
    State,
    Timer,
)
from agent.model.incident import IncidentState
from agent.model.reason import Reason


def move(
    state: State, draft: Draft, fingerprints: Iterable[str], *, source: str, into: str
) -> tuple[str, ...]:
    """Give alerts of one live incident to another; answers with those that were moved.

    What is over stays where it was: only alerts that fire can belong elsewhere from now on.
    """
    giving = state.members[source]
    moving = [state.alerts[name] for name in fingerprints if name in giving.firing]
    if not moving:
        return ()
    take_out(state, giving, moving)
    for active in moving:
        active.incident = into
        add(state, draft, into, active, shown_at(active))
    flapping.carry(state, [active.alert.fingerprint for active in moving], into=into)
    rebuild(state, draft, source)
    started_at = min(active.alert.starts_at for active in moving)
    incident, members = state.incidents[into], state.members[into]
    draft.set_incident(
        state,
        incident,
        started_at=min(started_at, incident.started_at),
        alerts=members.alerts,
        firing=len(members.firing),
    )
    names = tuple(active.alert.fingerprint for active in moving)
    draft.joined.setdefault(into, []).extend(names)
    draft.newcomers.setdefault(into, []).extend(names)
    draft.touched[source] = draft.touched[into] = None
    return names


def open_from(
    state: State, draft: Draft, fingerprints: Iterable[str], *, source: str, text: str
) -> str | None:
    """Open an incident with alerts that fire in another, and say why; None where none does."""
    firing = state.members[source].firing
    names = [name for name in fingerprints if name in firing]
    if not names:
        return None
    first = min((state.alerts[name] for name in names), key=lambda active: active.heard_at)
    into = open_incident(state, draft, first, shown_at(first), likeness=likeness_of(state, first))
    moved = move(state, draft, names, source=source, into=into)
    for name in moved:
        state.alerts[name].joined_by = Reason.SPLIT
    draft.note(into, Reason.SPLIT, f"{len(moved)} alerts of {source}: {text}", alerts=moved)
    draft.note(source, Reason.SPLIT, f"{len(moved)} alerts go on in {into}: {text}", alerts=moved)
    return into


def unite(state: State, draft: Draft, one: str, other: str) -> str:
    """Make one incident of two; the older goes on. Answers with its id."""
    older, younger = sorted((one, other), key=lambda name: _age(state, name))
    absorb(state, draft, into=older, other=younger)
    return older


def absorb(state: State, draft: Draft, *, into: str, other: str) -> None:
    """Make one incident of two: alerts, entities and evidence of `other` go over to `into`."""
    target, source = state.members[into], state.members.pop(other)
    for fingerprint in source.firing:
        active = state.alerts[fingerprint]
        active.incident = into
        target.firing[fingerprint] = None
    target.alerts += source.alerts
    target.kinds.update(source.kinds)
    take_over(target, source.signs)
    target.series.update(source.series)
    target.is_lasting |= source.is_lasting
    target.first_alert_at = min(target.first_alert_at, source.first_alert_at)
    target.last_alert_at = max(target.last_alert_at, source.last_alert_at)
    for entity, firing in source.entities.items():
        target.entities[entity] = target.entities.get(entity, 0) + firing
        state.derived.reach.added(into, entity)
        spread(state, target, entity)
    for entity, more in source.explains.items():
        explained = target.explains.setdefault(entity, Explained())
        explained.weight += more.weight
        explained.others += more.others
        explained.named = [*explained.named, *more.named][:EXPLAINED_NAMED_MAX]
    corrected.take_over(state, into=into, other=other, said=source.corrected)
    flapping.carry(state, list(source.flapping), into=into)
    for likeness in source.unplaced:
        state.derived.likeness_gone(likeness, other)
        state.derived.likeness_added(likeness, into)
    target.unplaced = tuple(dict.fromkeys((*target.unplaced, *source.unplaced)))
    state.derived.reach.gone(other)
    kept, gone = state.incidents[into], state.incidents[other]
    draft.set_incident(
        state, gone, state=IncidentState.MERGED, merged_into=into, closed_at=draft.at
    )
    draft.set_incident(
        state,
        kept,
        started_at=min(kept.started_at, gone.started_at),
        changes=(*kept.changes, *gone.changes),
        suspects=judged_too(kept, gone),
        alerts=target.alerts,
        firing=len(target.firing),
    )
    for identifier in gone.changes:
        if change := state.changes.get(identifier):
            draft.set_change(state, change, incident=into)
    state.schedule(draft.at + CLOSED_KEPT, Timer.QUIET, other)
    draft.note(into, Reason.MERGED, f"{other} ({gone.title}) was found to be part of this")
    draft.note(other, Reason.MERGED, f"goes on in {into}")
    draft.rescored[into] = dict.fromkeys(target.explains)
    draft.rescored.pop(other, None)


def _age(state: State, identifier: str) -> tuple[datetime, int, str]:
    return state.incidents[identifier].opened_at, len(identifier), identifier
