"""What alerts and closed incidents tell of the map, as it is remembered.

Not here: what it comes to (`suggest`). Nothing of it decides anything.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.drift.memory import (
    ENTITIES_MAX,
    EPISODES_MAX,
    INCIDENTS_MAX,
    NAMES_MAX,
    NOWHERE_MAX,
    Episode,
)
from agent.core.state import Members, State
from agent.model.alert import Alert
from agent.model.service import EntityRef
from agent.model.suggestion import Nowhere

EPISODES_LOOKED_AT = 50
"""How many of the newest episodes an onset may belong to."""


def placed(state: State, entity: EntityRef | None, alert: Alert, at: datetime) -> None:
    """An alert began at an entity of the map, or at none."""
    if entity is None:
        _nowhere(state, alert, at)
    elif entity not in state.drift.heard:
        state.drift.heard[entity] = None


def closed(state: State, incident: str, members: Members) -> None:
    """An incident is over: who alerted in it, and when each of them began."""
    onsets: dict[EntityRef, datetime] = {}
    for sign in members.signs.values():
        if sign.entity is not None:
            known = onsets.get(sign.entity)
            onsets[sign.entity] = sign.first_at if known is None else min(known, sign.first_at)
    window = state.config.correlation.window
    for entity, at in sorted(onsets.items(), key=lambda item: (item[1], item[0])):
        _add(state.drift.episodes, incident, entity, at, window)


def map_changed(state: State) -> None:
    """Another map is in force: forget what is not on it any more."""
    entities, drift = state.config.service_map.entities, state.drift
    drift.heard = {ref: None for ref in drift.heard if ref in entities}


def _add(
    episodes: list[Episode], incident: str, entity: EntityRef, at: datetime, window: timedelta
) -> None:
    best: int | None = None
    for place in range(len(episodes) - 1, max(-1, len(episodes) - 1 - EPISODES_LOOKED_AT), -1):
        apart = abs(at - episodes[place].at)
        if apart <= window and (best is None or apart < abs(at - episodes[best].at)):
            best = place
    if best is None:
        if len(episodes) >= EPISODES_MAX:
            del episodes[0]
        episodes.append(Episode(at=at, incidents=(incident,), onsets={entity: 0.0}))
        return
    episode = episodes[best]
    if entity in episode.onsets and incident in episode.incidents:
        return
    # Storms are counted, their entities are not: they would cost most and say least.
    is_storm = episode.is_storm or len(episode.onsets) >= ENTITIES_MAX
    onsets = dict(episode.onsets)
    if not is_storm:
        after = (at - episode.at).total_seconds()
        onsets[entity] = min(after, onsets.get(entity, after))
    incidents = tuple(dict.fromkeys((*episode.incidents, incident)))[:INCIDENTS_MAX]
    episodes[best] = replace(episode, incidents=incidents, onsets=onsets, is_storm=is_storm)


def _nowhere(state: State, alert: Alert, at: datetime) -> None:
    """Count labels that lead nowhere; the rarest make room (Metwally et al., 2005)."""
    names = state.config.correlation.similar_labels
    labels = tuple([f"{name}={alert.labels[name]}" for name in names if name in alert.labels])
    if not labels:
        return
    known, key = state.drift.nowhere, "\n".join(labels)
    row = known.get(key)
    if row is None:
        missed = 0
        if len(known) >= NOWHERE_MAX:
            rarest = min(known, key=lambda other: known[other].alerts)
            missed = known.pop(rarest).alerts
        row = Nowhere(
            labels=labels, alerts=missed, missed=missed, names=(), first_at=at, last_at=at
        )
    seen = row.names
    if len(seen) < NAMES_MAX and alert.name not in seen:
        seen = (*seen, alert.name)
    known[key] = replace(row, alerts=row.alerts + 1, names=seen, last_at=at)
