"""Which open incident an alert belongs to, if any: by the map, by labels, by what was learnt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.core import flapping
from agent.core.correlation import corrected, groups
from agent.core.correlation.reach import Step, Way
from agent.core.state import ActiveAlert, State
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason

LOOSE_WINDOW = timedelta(seconds=60)
"""A place without an edge joins what was active in this time, if it is used to."""
LOOSE_CHOICE_MAX = 16
"""So many of the latest incidents are asked."""
LOOSE_SHARE = 0.5
"""A loose place must fail together with a group more often than this to join it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The incident that an alert belongs to, and why."""

    incident: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An alert without an incident, when it began to show, and its neighbourhood or loose place."""

    active: ActiveAlert
    at: datetime
    area: str

    @property
    def series(self) -> str:
        """The alert as it may have fired before."""
        return self.active.alert.fingerprint


def find(state: State, new: Newcomer) -> Found | None:
    """The incident that an alert belongs to; None where none is open that may own it."""
    placed = corrected.home(state, new.series)
    if placed is not None:
        return Found(placed, Reason.PLACED_BY_PERSON)
    held = flapping.home(state, new.series)
    if held is not None:
        return Found(held, Reason.FLAPPING)
    if new.active.entity is None:
        return _by_labels(state, new) or _by_habit(state, new, is_known=False)
    found = _by_map(state, new, new.active.entity)
    if found is None and new.area not in state.derived.neighbourhoods.size:
        found = _by_habit(state, new, is_known=True)
    return found


def likeness_of(state: State, active: ActiveAlert) -> tuple[str, ...]:
    """What an alert without a place must share with an incident: all that it says of where."""
    if active.entity is not None:
        return ()
    labels = active.alert.labels
    present = tuple(
        f"{name}={labels[name]}"
        for name in state.config.correlation.similar_labels
        if name in labels
    )
    return present or (f"alertname={labels.get('alertname', '')}",)


def _by_labels(state: State, new: Newcomer) -> Found | None:
    alike = [
        (abs(new.at - state.members[identifier].last_alert_at), identifier)
        for identifier in state.derived.likeness.get(likeness_of(state, new.active), ())
        if (is_near(state, identifier, new.at) or is_back(state, identifier, new))
        and not corrected.is_barred(state, identifier, new.active)
    ]
    return Found(min(alike)[1], Reason.SAME_LABELS) if alike else None


def _by_map(state: State, new: Newcomer, entity: str) -> Found | None:
    candidates: dict[str, Step] = {}
    for near in _nearest_first(state, state.derived.reach.of(entity)):
        candidates = {
            identifier: step
            for identifier, step in near.items()
            if may_own(state, identifier, step, entity, new)
            and not corrected.is_barred(state, identifier, new.active)
        }
        if candidates:
            break
    if not candidates:
        return None
    best = min(
        _going_on(state, candidates),
        key=lambda name: (
            candidates[name].distance,
            abs(new.at - state.members[name].last_alert_at),
            len(name),
            name,
        ),
    )
    is_here = entity in state.members[best].entities
    return Found(best, Reason.SAME_ENTITY if is_here else Reason.NEAR_ON_MAP)


def _nearest_first(state: State, near: Mapping[str, Step]) -> tuple[Mapping[str, Step], ...]:
    """Those at the place itself win over all others, so most alerts need ask no more of them.

    But for waves: which of them goes on is seen only where all are asked together.
    """
    if any(state.members[identifier].after is not None for identifier in near):
        return (near,)
    return {identifier: step for identifier, step in near.items() if not step.distance}, near


def may_own(state: State, identifier: str, step: Step, entity: str, new: Newcomer) -> bool:
    """Whether an incident that reaches the place of an alert may take it, by time and by group."""
    members, incident = state.members[identifier], state.incidents[identifier]
    if is_before(state, identifier, new.at):
        return False
    if members.entities.get(entity) or is_back(state, identifier, new):
        return True
    if incident.state is not IncidentState.OPEN:
        return entity in members.entities and members.is_lasting
    rests = rests_on_it(state, incident, step)
    if not rests and not is_near(state, identifier, new.at):
        return False
    return step.distance == 0 or is_together(state, incident, step, new.area)


def is_before(state: State, identifier: str, at: datetime) -> bool:
    """Whether a moment is too long before the first alert of an incident to belong to it."""
    return at < state.members[identifier].first_alert_at - state.config.correlation.window


def is_back(state: State, identifier: str, new: Newcomer) -> bool:
    """Whether an alert that was over fires again soon: it flaps."""
    members = state.members[identifier]
    if not members.is_lasting or members.left_at is None or new.series not in members.series:
        return False
    return new.at - members.left_at <= state.config.correlation.quiet


def rests_on_it(state: State, incident: Incident, step: Step) -> bool:
    """Whether the place rests on a probable cause that still alerts: then time does not matter."""
    above = step.way in (Way.HERE, Way.UP)
    return above and step.is_from_cause and cause_fires(state, incident)


def cause_fires(state: State, incident: Incident) -> bool:
    """Whether the probable cause itself still alerts."""
    cause = incident.cause
    return cause is not None and bool(state.members[incident.id].entities.get(cause))


def is_together(state: State, incident: Incident, step: Step, area: str) -> bool:
    """Straight above or below a cause belongs to it unless proved otherwise; aside, the group."""
    cause = incident.cause or next(iter(state.members[incident.id].entities), None)
    home = groups.neighbourhood_of(state, cause) if cause else None
    if home is None or home == area:
        return True
    if state.derived.groups.of(home) == state.derived.groups.of(area):
        return True
    return step.way is not Way.ASIDE and not groups.are_apart(state, home, area)


def _going_on(state: State, candidates: Mapping[str, Step]) -> list[str]:
    """Of a wave and what it was split from the wave goes on.

    Whichever series fires again: one that only the wave has is a late word of the older as often
    as a word of the wave after a late word of the older, and each mistake would make the next.
    """
    older = {state.members[identifier].after for identifier in candidates}
    return [identifier for identifier in candidates if identifier not in older]


def beside(state: State, at: datetime) -> dict[str, str]:
    """The incidents in which something was heard lately, with the neighbourhood of each."""
    found: dict[str, str] = {}
    for identifier in reversed(state.members):
        if at - state.members[identifier].last_alert_at > LOOSE_WINDOW:
            break
        home = _home(state, identifier)
        if home is not None and state.incidents[identifier].state is IncidentState.OPEN:
            found[identifier] = home
            if len(found) >= LOOSE_CHOICE_MAX:
                break
    return found


def _by_habit(state: State, new: Newcomer, *, is_known: bool) -> Found | None:
    """A place without an edge joins those beside whom it uses to fail.

    One that the map knows, and of which nothing is learnt yet, joins the only incident there is.
    """
    open_beside = beside(state, new.at)
    if not open_beside:
        return None
    count, together = groups.partners(state, new.area)
    met: dict[str, int] = {}
    for other, times in together.items():
        group = state.derived.groups.of(other)
        met[group] = met.get(group, 0) + times
    prior = 1 / len(open_beside) if is_known else 0.0
    best, best_share = None, LOOSE_SHARE
    for identifier, home in open_beside.items():
        if corrected.is_barred(state, identifier, new.active):
            continue
        share = (min(count, met.get(state.derived.groups.of(home), 0)) + prior) / (count + 1)
        if share > best_share:
            best, best_share = identifier, share
    return Found(best, Reason.SEEN_TOGETHER) if best else None


def _home(state: State, identifier: str) -> str | None:
    """The neighbourhood of an incident; None where it has no place with an edge."""
    for entity in state.members[identifier].entities:
        area = groups.neighbourhood_of(state, entity)
        if area is not None:
            return area
    return None


def is_near(state: State, identifier: str, at: datetime) -> bool:
    """Whether an incident is open, and heard of near enough to this moment."""
    if state.incidents[identifier].state is not IncidentState.OPEN:
        return False
    window, members = state.config.correlation.window, state.members[identifier]
    return members.first_alert_at - window <= at <= members.last_alert_at + window
