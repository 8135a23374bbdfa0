"""Why an alert is where it is, and why it is not with others: questions that change nothing.

Every answer comes from the predicates by which alerts join (`correlation.find`), asked as if the
alert began again at its own moment, of the incidents as they are now.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from agent.core import flapping
from agent.core.correlation import corrected, groups
from agent.core.correlation.find import (
    Newcomer,
    find,
    is_back,
    is_before,
    is_near,
    is_together,
    likeness_of,
    rests_on_it,
)
from agent.core.correlation.join import area_of
from agent.core.correlation.members import shown_at
from agent.core.correlation.reach import Step, Way
from agent.core.derived import HOPS_MAX
from agent.core.state import ActiveAlert, State
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason
from agent.model.service import EntityRef

NAMED_MAX = 20
_WAYS = {
    Way.HERE: "at its cause",
    Way.UP: "resting on its cause",
    Way.DOWN: "below its cause",
    Way.ASIDE: "beside its cause",
}


_RESTORED = {IncidentState.RESOLVED: ": only what comes back to a place of it joins"}


class Question(StrEnum):
    """What is asked, in this order; the first answer of no decides."""

    MUTED = "muted"
    PERSON = "person"
    FLAPPING = "flapping"
    OPEN = "open"
    LABELS = "labels"
    DISTANCE = "distance"
    WINDOW = "window"
    GROUP = "group"
    WAVE = "wave"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question with its answer and the numbers behind it."""

    question: Question
    holds: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWith:
    """Whether an alert may be with an incident; `decided_by` is the first check that says no."""

    alert: str
    incident: str
    is_together: bool
    checks: tuple[Check, ...]
    decided_by: Check | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """An alert that fires in an incident: by which rule it came, and how far from the cause."""

    alert: str
    name: str
    entity: EntityRef | None
    reason: Reason | None
    distance: int | None
    """Steps on the map from the probable cause; None where the map does not say."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a candidate for the cause explains of the places that alert, and what it does not."""

    entity: EntityRef
    explains: tuple[EntityRef, ...]
    fails_to_explain: tuple[EntityRef, ...]


def not_with(state: State, active: ActiveAlert, incident: Incident) -> NotWith:
    """Why an alert is not in an incident that lives, or that it is."""
    new = Newcomer(active, shown_at(active), area_of(state, active))
    checks = tuple(_checks(state, new, incident))
    is_in = active.incident == incident.id
    failing = next((check for check in checks if not check.holds), None)
    if failing is None and not is_in:
        failing = _choice(state, new, incident)
        checks = (*checks, failing)
    return NotWith(
        alert=active.alert.fingerprint,
        incident=incident.id,
        is_together=is_in,
        checks=checks,
        decided_by=None if is_in else failing,
    )


def joined(state: State, incident: Incident) -> tuple[Joined, ...]:
    """The alerts that fire in an incident, first joined first; bounded."""
    members = state.members.get(incident.id)
    names = list(members.firing)[:NAMED_MAX] if members is not None else []
    return tuple(_joined(state, incident, state.alerts[name]) for name in names)


def coverage(state: State, incident: Incident) -> tuple[Coverage, ...]:
    """What each candidate explains: itself, and what rests on it."""
    members = state.members.get(incident.id)
    places = tuple(members.entities) if members is not None else incident.entities
    service_map = state.config.service_map
    found: list[Coverage] = []
    for cause in incident.causes:
        reached = {cause.entity, *(ref for ref, _ in service_map.above(cause.entity, HOPS_MAX))}
        found.append(
            Coverage(
                entity=cause.entity,
                explains=tuple(ref for ref in places if ref in reached)[:NAMED_MAX],
                fails_to_explain=tuple(ref for ref in places if ref not in reached)[:NAMED_MAX],
            )
        )
    return tuple(found)


def _checks(state: State, new: Newcomer, incident: Incident) -> list[Check]:
    active, members = new.active, state.members[incident.id]
    muters = ", ".join(active.suppressed_by)
    home, held = corrected.home(state, new.series), flapping.home(state, new.series)
    barred = corrected.is_barred(state, incident.id, active)
    person = "nobody has corrected this"
    if barred:
        person = "a person said that it has nothing to do with it"
    elif home is not None:
        person = f"a person put it in {home}"
    checks = [
        _check(
            Question.MUTED,
            not (muters and active.incident is None),
            f"muted by {muters}" if muters else "nothing mutes it",
        ),
        _check(Question.PERSON, home == incident.id or (home is None and not barred), person),
        _check(
            Question.FLAPPING,
            held in (None, incident.id),
            f"it flaps, and {held} holds it as one" if held else "it does not flap",
        ),
        _check(
            Question.OPEN,
            _is_open_to(state, new, incident),
            f"{incident.id} is {incident.state}{_RESTORED.get(incident.state, '')}",
        ),
    ]
    if active.entity is None:
        mine, theirs = likeness_of(state, active), members.unplaced
        text = f"it says {' '.join(mine)}; {incident.id} has {_likenesses(theirs)}"
        return [
            *checks,
            _check(Question.LABELS, mine in theirs, text),
            _window(state, new, incident),
        ]
    return [*checks, *_by_map(state, new, incident, active.entity)]


def _is_open_to(state: State, new: Newcomer, incident: Incident) -> bool:
    """Whether it takes anything at all: when it is resolved, only what comes back to it."""
    if incident.state is IncidentState.OPEN or is_back(state, incident.id, new):
        return True
    members, entity = state.members[incident.id], new.active.entity
    if entity is None or entity not in members.entities:
        return False
    return members.is_lasting or bool(members.entities[entity])


def _by_map(state: State, new: Newcomer, incident: Incident, entity: EntityRef) -> list[Check]:
    step = state.derived.reach.of(entity).get(incident.id)
    checks = [_check(Question.DISTANCE, step is not None, _distance(state, incident, entity, step))]
    if step is None:
        return checks
    members = state.members[incident.id]
    is_over = incident.state is not IncidentState.OPEN
    if is_before(state, incident.id, new.at):
        return [*checks, _window(state, new, incident)]
    if members.entities.get(entity) or is_over or is_back(state, incident.id, new):
        text = "the same place alerts there now, or it comes back: neither time nor group is asked"
        return [*checks, _check(Question.WINDOW, True, text), *_wave(state, new, incident)]
    rests = rests_on_it(state, incident, step)
    window = _window(state, new, incident)
    if rests and not window.holds:
        window = _check(Question.WINDOW, True, f"{window.text}; but the cause itself still fires")
    together = step.distance == 0 or is_together(state, incident, step, new.area)
    checks += [window, _check(Question.GROUP, together, _group(state, new, incident))]
    return [*checks, *_wave(state, new, incident)]


def _window(state: State, new: Newcomer, incident: Incident) -> Check:
    members, window = state.members[incident.id], state.config.correlation.window
    near = is_near(state, incident.id, new.at)
    late = new.at - members.last_alert_at
    early = members.first_alert_at - new.at
    if late > timedelta(0):
        text = f"it began {_s(late)} after the last alert there; the window is {_s(window)}"
    elif early > timedelta(0):
        text = f"it began {_s(early)} before the first alert there; the window is {_s(window)}"
    else:
        text = f"it began while {incident.id} was heard of; the window is {_s(window)}"
    return _check(Question.WINDOW, near, text)


def _distance(state: State, incident: Incident, entity: EntityRef, step: Step | None) -> str:
    label, hops = state.config.service_map.label, state.config.correlation.hops
    cause = incident.cause
    if step is not None:
        return f"{_far(step.distance)} away, {_WAYS[step.way]}; {hops} are allowed"
    if cause is None:
        return f"{incident.id} has no place on the map"
    far = _steps(state, cause, entity)
    how = f"{_far(far)} from" if far is not None else "not connected within 8 steps to"
    return f"{label(entity)} is {how} {label(cause)}, its probable cause; {hops} are allowed"


def _steps(state: State, one: EntityRef, other: EntityRef) -> int | None:
    """The shortest way straight up or down between two places."""
    if one == other:
        return 0
    service_map = state.config.service_map
    ways = (*service_map.above(one, HOPS_MAX), *service_map.below(one, HOPS_MAX))
    return min((distance for ref, distance in ways if ref == other), default=None)


def _group(state: State, new: Newcomer, incident: Incident) -> str:
    cause = incident.cause or next(iter(state.members[incident.id].entities), None)
    home = groups.neighbourhood_of(state, cause) if cause else None
    if home is None or home == new.area:
        return "one neighbourhood of the map"
    count, met = groups.partners(state, new.area)
    theirs, _ = groups.partners(state, home)
    seen = f"{count} and {theirs} onsets, {met.get(home, 0)} of them together"
    word = "proved independent" if groups.are_apart(state, home, new.area) else "not proved apart"
    return f"the neighbourhoods {new.area} and {home} are {word}: {seen}"


def _wave(state: State, new: Newcomer, incident: Incident) -> list[Check]:
    older = state.members[incident.id].after
    if older is None or older not in state.members:
        return []
    is_late = (
        new.series in state.members[incident.id].series
        and new.series not in state.members[older].series
    )
    text = f"{incident.id} is a new wave after {older}; what only that one had goes to the older"
    return [_check(Question.WAVE, not is_late, text)]


def _choice(state: State, new: Newcomer, incident: Incident) -> Check:
    found = find(state, new)
    if found is None:
        text = f"it might have joined {incident.id}, which was not so when it began"
    elif found.incident == incident.id:
        text = f"it would join {incident.id} now; when it began, that was not so yet"
    else:
        text = f"{found.incident} is nearer, or heard of later ({found.reason.replace('_', ' ')})"
    return _check(Question.CHOICE, False, text)


def _joined(state: State, incident: Incident, active: ActiveAlert) -> Joined:
    distance = None
    if active.entity is not None and incident.cause is not None:
        distance = _steps(state, incident.cause, active.entity)
    word = (active.joined_by or Reason.INCIDENT_OPENED).replace("_", " ")
    far = f", {_far(distance)} from the probable cause" if distance else ""
    return Joined(
        alert=active.alert.fingerprint,
        name=active.alert.name,
        entity=active.entity,
        reason=active.joined_by,
        distance=distance,
        text=word + far,
    )


def _check(question: Question, holds: bool, text: str) -> Check:
    return Check(question=question, holds=holds, text=text)


def _likenesses(known: tuple[tuple[str, ...], ...]) -> str:
    return " or ".join(" ".join(words) for words in known[:3]) or "only alerts with a place"


def _s(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


def _far(distance: int) -> str:
    return "1 step" if distance == 1 else f"{distance} steps"
