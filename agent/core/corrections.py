"""Operators correct what belongs together: merge, split, move, unrelated.

Identity, tickets and clocks stay with the incident that keeps its name; both stories and both
tickets say what was done. What a person said is remembered with the incident, so that the
correlation does not undo it at the next alert (`correlation.corrected`). Not here: which alerts
belong together by themselves.
"""

from agent.core import life, sync
from agent.core.causes import ranking
from agent.core.correlation import corrected, groups
from agent.core.correlation.join import place_of
from agent.core.correlation.members import rebuild
from agent.core.correlation.transfer import absorb, move, open_from
from agent.core.draft import Draft
from agent.core.people import live_incident
from agent.core.state import ActiveAlert, State
from agent.model.entry import AlertsDeclaredUnrelated, AlertsMoved, IncidentsMerged
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason
from agent.model.service import EntityRef


def correct(
    state: State, draft: Draft, said: IncidentsMerged | AlertsMoved | AlertsDeclaredUnrelated
) -> None:
    """Do what a person said about what belongs together, or refuse it with the reason."""
    match said:
        case IncidentsMerged():
            _merge(state, draft, said)
        case AlertsMoved():
            _move_alerts(state, draft, said)
        case AlertsDeclaredUnrelated():
            _declare_unrelated(state, draft, said)


def _merge(state: State, draft: Draft, said: IncidentsMerged) -> None:
    """Make one incident of two; what fires in either stays together from now on."""
    other, into = live_incident(state, draft, said.incident), live_incident(state, draft, said.into)
    if other is None or into is None:
        return
    if other.id == into.id:
        draft.refuse(Reason.MERGED, "an incident cannot be merged into itself")
        return
    if other.cause_confirmed_by is not None and into.cause_confirmed_by is None:
        into = ranking.adopt_confirmed(state, draft, into, other)
    if other.state is IncidentState.OPEN and into.state is IncidentState.RESOLVED:
        life.reopen(state, draft, into, f"{other.id} is open and goes on in this")
    corrected.reconcile(state, into.id, other.id)
    absorb(state, draft, into=into.id, other=other.id)
    corrected.keep(state, into.id, state.members[into.id].firing)
    text = f"{said.by} merged {other.id} into this"
    draft.note(into.id, Reason.MERGED, text, actor=said.by)
    _tell(state, draft, into, f"{said.by}: {other.id} ({other.title}) goes on here")
    _tell(state, draft, other, f"{said.by}: goes on in {sync.known_as(state, into.id)}")


def _move_alerts(state: State, draft: Draft, said: AlertsMoved) -> None:
    """Give alerts to another incident, or to one of their own."""
    source = live_incident(state, draft, said.incident)
    if source is None or not _are_known(state, draft, source, said.alerts):
        return
    firing = state.members[source.id].firing
    moving = [name for name in said.alerts if name in firing]
    if said.into is None:
        _split(state, draft, source, said, moving)
    else:
        _move(state, draft, source, said, moving)


def _declare_unrelated(state: State, draft: Draft, said: AlertsDeclaredUnrelated) -> None:
    """Alerts or places leave an incident; each finds the incident it belongs to without this one.

    Another incident may take them, or they open one; what an unrelated place said is forgotten
    here, so that it explains nothing and is no cause.
    """
    incident = live_incident(state, draft, said.incident)
    if incident is None or not _are_known(state, draft, incident, said.alerts):
        return
    members = state.members[incident.id]
    strangers = [ref for ref in said.entities if ref not in members.entities]
    if strangers or not (said.alerts or said.entities):
        what = strangers[0] if strangers else "nothing"
        draft.refuse(Reason.NOT_FOUND, f"{what} has no alert in {incident.id}")
        return
    leaving = [
        name
        for name in members.firing
        if name in said.alerts or state.alerts[name].entity in said.entities
    ]
    corrected.send_away(state, incident.id, dict.fromkeys((*said.alerts, *leaving)))
    homes = [_rehome(state, draft, incident, state.alerts[name]) for name in leaving]
    _unlearn(state, incident, said.entities)
    corrected.disown(members, said.entities)
    rebuild(state, draft, incident.id)
    label = state.config.service_map.label
    names = [state.alerts[name].alert.name for name in leaving if name in said.alerts]
    what = ", ".join(dict.fromkeys((*map(label, said.entities), *names))) or "what is over"
    where = f"; goes on in {', '.join(dict.fromkeys(homes))}" if homes else ""
    text = f"{what} has nothing to do with this{where}{_because(said.note)}"
    draft.note(incident.id, Reason.UNRELATED, text, actor=said.by, alerts=tuple(leaving))
    _tell(state, draft, incident, f"{said.by}: {text}")
    for home in dict.fromkeys(homes):
        came = f"{what} came from {incident.id}, where it was unrelated"
        draft.note(home, Reason.UNRELATED, came, actor=said.by)
        _tell(state, draft, state.incidents[home], f"{said.by}: {came}")
    _end_if_empty(state, draft, incident.id, Reason.UNRELATED, text)


def _split(
    state: State, draft: Draft, source: Incident, said: AlertsMoved, moving: list[str]
) -> None:
    if not moving or len(moving) == len(state.members[source.id].firing):
        left = "nothing of them fires" if not moving else "nothing that fires would be left of it"
        draft.refuse(Reason.SPLIT, f"{source.id} is not split: {left}")
        return
    text = f"{said.by} split them off{_because(said.note)}"
    into = open_from(state, draft, moving, source=source.id, text=text)
    assert into is not None, "something of it fires"
    _remember(state, source.id, into, said.alerts)
    corrected.keep_apart(state, source.id, into)
    draft.created = into
    _tell(state, draft, source, f"{len(moving)} alerts go on in {into}: {text}")
    _tell(
        state, draft, state.incidents[into], f"split off {sync.known_as(state, source.id)}: {text}"
    )


def _move(
    state: State, draft: Draft, source: Incident, said: AlertsMoved, moving: list[str]
) -> None:
    into = live_incident(state, draft, said.into or "")
    if into is None:
        return
    if into.id == source.id:
        draft.refuse(Reason.MOVED, f"they are in {source.id} already")
        return
    names = ", ".join(dict.fromkeys(state.alerts[name].alert.name for name in moving))
    if moving and into.state is IncidentState.RESOLVED:
        life.reopen(state, draft, into, f"{names} of {source.id} fires and belongs to this")
    move(state, draft, moving, source=source.id, into=into.id)
    for name in moving:
        state.alerts[name].joined_by = Reason.PLACED_BY_PERSON
    _remember(state, source.id, into.id, said.alerts)
    what = names or f"{len(said.alerts)} alerts that are over"
    why = _because(said.note)
    gone, came = f"{what} belongs to {into.id}{why}", f"{what} of {source.id} belongs here{why}"
    draft.note(source.id, Reason.MOVED, gone, actor=said.by, alerts=said.alerts)
    draft.note(into.id, Reason.MOVED, came, actor=said.by, alerts=said.alerts)
    _tell(state, draft, source, f"{said.by}: {gone}")
    _tell(state, draft, into, f"{said.by}: {came}")
    _end_if_empty(state, draft, source.id, Reason.MOVED, gone)


def _rehome(state: State, draft: Draft, source: Incident, active: ActiveAlert) -> str:
    """Where an alert goes that has nothing to do with its incident."""
    name = active.alert.fingerprint
    into, reason = place_of(state, draft.at, active)
    if into is None:
        text = f"it has nothing to do with {source.id}"
        into, reason = (
            open_from(state, draft, [name], source=source.id, text=text),
            Reason.UNRELATED,
        )
        assert into is not None, "it fires"
        corrected.keep_apart(state, source.id, into)
    else:
        move(state, draft, [name], source=source.id, into=into)
    active.joined_by = reason
    return into


def _unlearn(state: State, incident: Incident, places: tuple[EntityRef, ...]) -> None:
    """That these places alerted beside the incident is no sign that they fail together."""
    cause = incident.cause or next(iter(state.members[incident.id].entities), None)
    home = groups.neighbourhood_of(state, cause) if cause else None
    for place in places:
        area = groups.neighbourhood_of(state, place) or place
        if home is not None and area != home:
            groups.part(state, area, home)


def _remember(state: State, source: str, into: str, names: tuple[str, ...]) -> None:
    corrected.send_away(state, source, names)
    corrected.keep(state, into, names)


def _end_if_empty(state: State, draft: Draft, identifier: str, reason: Reason, text: str) -> None:
    """Nothing fires in it any more because it went elsewhere: that resolves it, and says so."""
    incident = state.incidents[identifier]
    if incident.state is IncidentState.OPEN and not state.members[identifier].firing:
        life.resolve(state, draft, incident, reason, text)


def _are_known(state: State, draft: Draft, incident: Incident, names: tuple[str, ...]) -> bool:
    """Whether each is an alert of the incident, or one that is over; refuses else."""
    for name in names:
        active = state.alerts.get(name)
        if (active and active.incident == incident.id) or (not active and name in state.ended):
            continue
        where = f"it is in {active.incident}" if active and active.incident else "nobody knows it"
        draft.refuse(Reason.NOT_FOUND, f"{name} is no alert of {incident.id}: {where}")
        return False
    return True


def _tell(state: State, draft: Draft, incident: Incident, text: str) -> None:
    sync.comment(state, incident, f"{incident.id}/{draft.number}", text)
    draft.touched[incident.id] = None


def _because(note: str) -> str:
    return f": {note}" if note else ""
