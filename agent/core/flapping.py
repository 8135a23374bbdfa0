"""Flapping: an alert that fires and clears again and again is one thing, until it has calmed down.

Its incident stays open and is told once, instead of being resolved, reopened and told at every
change. It ends by itself. Suppression stops creation, never resolution: each end is heard and
recorded as ever, and a person resolves the incident when they like.

Nagios' method (its manual, "Detection and Handling of State Flapping"; Icinga 2 does the same):
the share of state changes in a window, newer ones weighing more (0.8 to 1.2), a high threshold to
begin and a low one to end. Nagios counts over its last checks; alerts come without checks, so here
the changes are weighed by their age in a window of time.
"""

from collections.abc import Iterable
from datetime import datetime

from agent.core.draft import Draft
from agent.core.flap import Flap
from agent.core.state import ActiveAlert, EndedAlert, State, Timer
from agent.model.alert import EndedBy
from agent.model.reason import Reason

WEIGHT_OLD, WEIGHT_NEW = 0.8, 1.2
CHANGES_KEPT_MAX = 40
"""Of one alert; more within the window say nothing new."""
NAMED_MAX = 5
SERIES_MAX = 20_000
"""So many alerts that fired more than once are watched for flapping; what is beyond is not."""


def weighed(flap: Flap, at: datetime, state: State) -> float:
    """The changes of state in the window before `at`, each by its age."""
    window = state.config.correlation.flap_window
    ages = ((at - moment) / window for moment in flap.changed_at)
    return sum(WEIGHT_NEW - (WEIGHT_NEW - WEIGHT_OLD) * age for age in ages if age < 1)


def home(state: State, fingerprint: str) -> str | None:
    """The live incident to which a flapping alert belongs, whatever fires near it."""
    flap = state.flaps.get(fingerprint)
    return flap.incident if flap is not None and flap.since is not None else None


def began(state: State, draft: Draft, active: ActiveAlert, ended: EndedAlert | None) -> None:
    """An alert fires; `ended` is its occurrence before, where one is remembered.

    What merely lapsed was not said to be over: an event that comes again does not flap.
    """
    if ended is None or ended.by is not EndedBy.RESOLVED:
        return
    name = active.alert.fingerprint
    flap = state.flaps.get(name)
    if flap is None:
        if len(state.flaps) >= SERIES_MAX:
            return
        state.flaps[name] = flap = Flap(
            changed_at=[ended.starts_at, max(ended.starts_at, ended.ends_at)]
        )
        due = draft.at + state.config.correlation.flap_window
        state.bucket(Timer.FLAP, due, name)
    _change(state, draft, active, flap, active.alert.starts_at)


def cleared(state: State, draft: Draft, active: ActiveAlert, at: datetime) -> None:
    """An alert is over."""
    flap = state.flaps.get(active.alert.fingerprint)
    if flap is not None:
        _change(state, draft, active, flap, at)


def settle(state: State, draft: Draft, active: ActiveAlert) -> None:
    """An alert has its incident: where it flaps, the incident holds it as one, and says so."""
    name = active.alert.fingerprint
    flap = state.flaps.get(name)
    if flap is None or flap.since is None or flap.incident == active.incident:
        return
    carry(state, [name], into=active.incident)
    if active.incident is not None:
        label = state.config.service_map.label
        flap.label = f"{active.alert.name} on {label(active.entity or 'an unknown place')}"
        minutes = state.config.correlation.flap_window.total_seconds() / 60
        text = (
            f"{flap.label} flaps: {flap.counted} changes within {minutes:.0f} min; "
            "it stays here as one until it is calm"
        )
        draft.note(active.incident, Reason.FLAPPING, text, alerts=(name,))
        draft.touched[active.incident] = None


def carry(state: State, names: Iterable[str], *, into: str | None) -> None:
    """Flapping alerts go on in another incident, or in none."""
    for name in names:
        flap = state.flaps.get(name)
        if flap is None or flap.since is None:
            continue
        before = state.members.get(flap.incident or "")
        if before is not None:
            before.flapping.pop(name, None)
        flap.incident = into
        if into is not None:
            state.members[into].flapping[name] = None


def told(state: State, identifier: str) -> list[str]:
    """What a ticket says of the flapping in an incident: no figure that changes with it."""
    members = state.members.get(identifier)
    lines: list[str] = []
    for name in list(members.flapping)[:NAMED_MAX] if members is not None else ():
        flap = state.flaps[name]
        if flap.since is not None:
            lines.append(f"Flapping since {flap.since:%Y-%m-%d %H:%M:%S} UTC: {flap.label}")
    return lines


def look(state: State, draft: Draft, bucket: str) -> None:
    """The oldest change left the window: see who is calm, and forget who did not change at all."""
    window = state.config.correlation.flap_window
    for name in state.buckets.pop(bucket, ()):
        flap = state.flaps[name]
        flap.changed_at = [moment for moment in flap.changed_at if draft.at - moment < window]
        if flap.since is not None and _is_calm(state, draft, flap):
            _end(state, draft, name, flap)
        if flap.changed_at:
            state.bucket(Timer.FLAP, flap.changed_at[0] + window, name)
        else:
            del state.flaps[name]


def _change(state: State, draft: Draft, active: ActiveAlert, flap: Flap, claimed: datetime) -> None:
    # Senders whose clocks differ, or who tell late, must not make time run backwards.
    last = flap.changed_at[-1] if flap.changed_at else claimed
    flap.changed_at.append(max(last, min(claimed, draft.at)))
    del flap.changed_at[:-CHANGES_KEPT_MAX]
    flap.changes += 1
    if flap.since is None and weighed(flap, draft.at, state) > _begins(state):
        window = state.config.correlation.flap_window
        flap.since = draft.at
        flap.counted = sum(draft.at - moment < window for moment in flap.changed_at)
        flap.changes = flap.counted
        if active.incident is not None and active.incident in state.members:
            settle(state, draft, active)


def _end(state: State, draft: Draft, name: str, flap: Flap) -> None:
    incident = flap.incident
    since, changes = flap.since, flap.changes
    carry(state, [name], into=None)
    flap.since, flap.changes = None, 0
    if incident is not None and since is not None:
        lasted = int((draft.at - since).total_seconds() / 60)
        text = f"calm again after {lasted} min of flapping, {changes} changes in all"
        draft.note(incident, Reason.CALM, text, alerts=(name,))
        draft.touched[incident] = None


def _is_calm(state: State, draft: Draft, flap: Flap) -> bool:
    return weighed(flap, draft.at, state) < state.config.correlation.flap_ends


def _begins(state: State) -> float:
    return state.config.correlation.flap_begins
