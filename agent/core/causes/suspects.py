"""Changes as suspects: what was changed, on or below what broke, shortly before it broke.

A change is ranked by its nearness in time and on the map: `1 / (1 + gap / 30 min) * 0.7 ** steps`.
The gap is the time between its end (its beginning, where no end is known) and the onset; it is
nothing while the change was under way. What a person said of a match stands above every rank.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.draft import Draft
from agent.core.state import State
from agent.model.change import Change, Closure
from agent.model.incident import Incident, IncidentState
from agent.model.problem_entries import SuspectConfirmed, SuspectDismissed
from agent.model.reason import Reason
from agent.model.reported import Progress, ReportedChange, Suspect
from agent.model.service import EntityRef

SUSPECTS_MAX = 10
"""So many an incident names; those that a person judged before all others."""
STARTS_MAX = 20
"""Alerting entities from which, beside the cause, the map is searched downwards."""
HALF_LIFE = timedelta(minutes=30)
"""After this time between a change and the onset it is half as suspect."""
DECAY = 0.7
"""A step further down the map makes it this much less suspect."""


def suspects_at(state: State, entity: EntityRef, at: datetime) -> tuple[Suspect, ...]:
    """The changes on this very entity that began in the window before `at`, likeliest first.

    Ours that ran, and those that others reported.
    """
    found = [_suspect(state, change, entity, at) for change in _changes(state, entity, at)]
    return tuple(sorted(found, key=_rank))


def follow(state: State, draft: Draft) -> None:
    """Name the suspects of incidents whose cause is new, which grew, or that a report is about.

    What is told after the fact counts as if it had been told in time.
    """
    wanted = dict.fromkeys((*draft.cause_changed, *_grown(state, draft), *_concerned(state, draft)))
    for identifier in wanted:
        incident = state.incidents.get(identifier)
        if incident is not None and incident.is_live:
            _name(state, draft, incident)


def judge(state: State, draft: Draft, said: SuspectConfirmed | SuspectDismissed) -> None:
    """A person knows that this change led to the incident, or that it did not."""
    is_match = isinstance(said, SuspectConfirmed)
    incident = state.incidents.get(said.incident)
    if incident is None or incident.state is IncidentState.MERGED:
        draft.refuse(Reason.NOT_FOUND, f"there is no incident {said.incident} in the watch")
        return
    known = {suspect.change: suspect for suspect in incident.suspects}
    found = known.get(said.change) or _named(state, incident, said.change)
    if found is None:
        text = f"there is no change {said.change} in the watch, or it was made nowhere on the map"
        draft.refuse(Reason.NOT_FOUND, text)
        return
    if (found.is_match, found.judged_by) == (is_match, said.by):
        return
    known[said.change] = replace(found, is_match=is_match, judged_by=said.by)
    draft.set_incident(state, incident, suspects=_best(known.values()))
    reason = Reason.SUSPECT_CONFIRMED if is_match else Reason.SUSPECT_DISMISSED
    word = "led to this" if is_match else "has nothing to do with this"
    draft.note(incident.id, reason, f"{found.change} ({found.title}) {word}", actor=said.by)


def judged_too(kept: Incident, gone: Incident) -> tuple[Suspect, ...]:
    """The suspects of an incident in which another goes on: what people said of either stays.

    What was made because of one of them is not suspected of the other any more.
    """
    ours = {*kept.changes, *gone.changes}
    both = (*gone.suspects, *kept.suspects)
    known = {one.change: one for one in both if one.change not in ours}
    known |= {one.change: one for one in both if one.is_match is not None}
    return _best(known.values())


def _grown(state: State, draft: Draft) -> Iterator[str]:
    """Incidents that reached another place, while they are small enough to be searched whole."""
    for identifier in draft.newcomers:
        members = state.members.get(identifier)
        if members is not None and len(members.entities) <= STARTS_MAX:
            yield identifier


def _concerned(state: State, draft: Draft) -> Iterator[str]:
    """Live incidents that began after a change of which this step heard."""
    moments = [state.reported[name].started_at for name in draft.reported if name in state.reported]
    if moments:
        for identifier in state.members:
            if state.incidents[identifier].started_at >= min(moments):
                yield identifier


def _name(state: State, draft: Draft, incident: Incident) -> None:
    judged = {s.change: s for s in incident.suspects if s.is_match is not None}
    found: dict[str, Suspect] = dict(judged)
    for entity, distance in _near(state, incident).items():
        for change in _changes(state, entity, incident.started_at):
            if change.id in judged or (isinstance(change, Change) and _is_ours(change, incident)):
                continue
            suspect = _suspect(state, change, entity, incident.started_at, distance)
            known = found.get(change.id)
            if known is None or _rank(suspect) < _rank(known):
                found[change.id] = suspect
    suspects = _best(found.values())
    if suspects == incident.suspects:
        return
    before = {suspect.change for suspect in incident.suspects}
    draft.set_incident(state, incident, suspects=suspects)
    for suspect in suspects:
        if suspect.change not in before:
            text = f"{suspect.change} {suspect.title}: {'; '.join(suspect.evidence)}"
            draft.note(incident.id, Reason.SUSPECT_FOUND, text)


def _near(state: State, incident: Incident) -> dict[EntityRef, int]:
    """What the incident may rest on, with the steps from its cause and what alerts in it."""
    if not _any_recent(state, incident.started_at):
        return {}
    alerting = list(state.members[incident.id].entities)[:STARTS_MAX]
    starts = dict.fromkeys((incident.cause, *alerting) if incident.cause else alerting)
    near = dict.fromkeys(starts, 0)
    for start in starts:
        for ref, distance in state.config.service_map.below(start, state.config.correlation.hops):
            if distance < near.get(ref, distance + 1):
                near[ref] = distance
    return near


def _any_recent(state: State, onset: datetime) -> bool:
    """Whether the map has to be searched at all: most incidents follow no change."""
    since = onset - state.config.correlation.suspect_within
    if any(change.started_at >= since for change in state.reported.values()):
        return True
    return any(
        change.started_at is not None and change.started_at >= since
        for change in state.changes.values()
    )


def _changes(state: State, entity: EntityRef, onset: datetime) -> Iterator[Change | ReportedChange]:
    since = onset - state.config.correlation.suspect_within
    for identifier in state.derived.reported.at(entity):
        if since <= state.reported[identifier].started_at <= onset:
            yield state.reported[identifier]
    for change in state.changes.values():
        begun = change.started_at
        if change.entity == entity and begun is not None and since <= begun <= onset:
            yield change


def _is_ours(change: Change, incident: Incident) -> bool:
    """Whether it was made because of this very incident."""
    return change.incident == incident.id


def _suspect(
    state: State,
    change: Change | ReportedChange,
    entity: EntityRef,
    onset: datetime,
    distance: int = 0,
) -> Suspect:
    begun = change.started_at or onset
    ended = change.ended_at
    gap = max(onset - (ended if ended is not None else begun), timedelta())
    if ended is None and isinstance(change, Change):
        gap = timedelta()
    title = change.title if isinstance(change, Change) else change.summary
    return Suspect(
        change=change.id,
        entity=entity,
        title=title,
        started_at=begun,
        score=round(DECAY**distance / (1 + gap / HALF_LIFE), 3),
        distance=distance,
        evidence=tuple(_evidence(state, change, entity, gap, distance)),
    )


def _evidence(
    state: State,
    change: Change | ReportedChange,
    entity: EntityRef,
    gap: timedelta,
    distance: int,
) -> Iterator[str]:
    label = state.config.service_map.label(entity)
    minutes = int(gap.total_seconds() // 60)
    before = f"{minutes} min before the onset" if minutes else "right before or during the onset"
    place = f"on {label}"
    if distance:
        place += f", {distance} {'step' if distance == 1 else 'steps'} below what is disturbed"
    yield f"{before}, {place}"
    if isinstance(change, Change):
        if change.closure in (Closure.FAILED, Closure.ROLLED_BACK):
            yield f"it {change.closure.replace('_', ' ')}"
        return
    said = [
        text
        for text in (
            f"version {change.version}" if change.version else "",
            f"to {change.environment}" if change.environment else "",
            f"by {change.actor}" if change.actor else "",
        )
        if text
    ]
    if said:
        yield " ".join(said)
    if change.progress is Progress.FAILED:
        yield "it failed"


def _named(state: State, incident: Incident, identifier: str) -> Suspect | None:
    """A change that a person names, wherever and whenever it was made."""
    change = state.reported.get(identifier) or state.changes.get(identifier)
    if change is None:
        return None
    places = (change.entity,) if isinstance(change, Change) else change.entities
    if not places:
        return None
    suspect = _suspect(state, change, places[0], incident.started_at)
    return replace(suspect, evidence=("a person named it",))


def _best(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    return tuple(sorted(suspects, key=_rank)[:SUSPECTS_MAX])


def _rank(suspect: Suspect) -> tuple[int, float, str]:
    """Confirmed ones first, then what is open, then what was dismissed."""
    order = {True: 0, None: 1, False: 2}[suspect.is_match]
    return order, -suspect.score, suspect.change
