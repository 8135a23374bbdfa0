"""Which neighbourhoods fail together: neighbours are one group until their onsets say otherwise.

A neighbourhood has an onset when it alerts after a time of quiet. Two neighbours that had several
onsets and hardly ever together are apart from then on, and together again when that changes. Only
what is quiet is regrouped, so that no incident changes its reach while it lasts. Places without an
edge, and places that the map does not know, learn in the same way with whom they fail.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from agent.core.belonging import Onset
from agent.core.correlation.clusters import pair
from agent.core.state import State
from agent.model.service import EntityRef

TOGETHER = timedelta(seconds=60)
"""Onsets that are no further apart than this are one event."""
ONSETS_MIN = 4
"""From so many onsets on, neighbours may prove independent."""
TOGETHER_SHARE = 0.3
"""They are, when a smaller share of the onsets of the rarer one was together."""
ONSETS_MAX = 64
"""Counts are halved here, so that what was learnt long ago fades."""
PLACES_MAX = 5000
"""So many neighbourhoods and loose places are remembered, those with the latest onsets."""
PARTNERS_MAX = 32


def group_of(state: State, entity: EntityRef) -> str:
    """The name of the group of an entity: the smallest place in it; a loose place by itself."""
    place = state.derived.neighbourhoods.place.get(entity, entity)
    return state.derived.groups.of(state.derived.neighbourhoods.of.get(place, place))


def neighbourhood_of(state: State, entity: EntityRef) -> str | None:
    """The neighbourhood of an entity; None where no edge leads to it."""
    neighbourhoods = state.derived.neighbourhoods
    return neighbourhoods.of.get(neighbourhoods.place.get(entity, entity))


def is_onset(state: State, key: str, at: datetime) -> bool:
    """Whether an alert now, in this neighbourhood or at this loose place, breaks its quiet."""
    known = state.onsets.get(key)
    return known is None or at - known.last_at > state.config.correlation.window


def note(state: State, key: str, at: datetime, beside: Iterable[str]) -> None:
    """An alert in a neighbourhood or at a loose place, beside what is open in `beside`.

    Neighbours are told from their onsets; a loose place may speak at any time of an incident.
    """
    known = state.onsets.get(key)
    if known is not None and at - known.last_at <= state.config.correlation.window:
        known.last_at = max(known.last_at, at)
        return
    known = state.onsets.pop(key) if key in state.onsets else Onset(onset_at=at, last_at=at)
    known.count += 1
    known.onset_at = known.last_at = at
    near = state.derived.neighbourhoods.links.get(key)
    if near is None:
        for other in dict.fromkeys(beside):
            _meet(known, other)
    else:
        for other, partner in _recent(state, at):
            if other in near:
                _meet(known, other)
                _meet(partner, key)
    state.onsets[key] = known
    if known.count >= ONSETS_MAX:
        known.count //= 2
        known.together = {other: met // 2 for other, met in known.together.items() if met > 1}
    if len(state.onsets) > PLACES_MAX:
        del state.onsets[next(iter(state.onsets))]


def regroup(state: State, neighbourhood: str, at: datetime) -> None:
    """Say anew who is together in a group in which everything is quiet."""
    groups = state.derived.groups
    members = groups.members(neighbourhood)
    if any(name in state.onsets and not is_onset(state, name, at) for name in members):
        return
    changed = False
    links = state.derived.neighbourhoods.links
    for one in groups.candidates(neighbourhood):
        for other in links.get(one, ()):
            if one < other and other in groups.candidates(neighbourhood):
                changed |= _judge(state, one, other)
    if changed:
        groups.forget(neighbourhood)
        state.derived.experience.clear()


def are_apart(state: State, one: str, other: str) -> bool:
    """Whether two neighbourhoods, neighbours or not, have proved independent."""
    return one != other and pair(one, other) in state.apart


def part(state: State, one: str, other: str) -> None:
    """A person said that these two had nothing to do with each other: that they met is unlearnt."""
    for key, partner in ((one, other), (other, one)):
        known = state.onsets.get(key)
        if known is not None and known.together.get(partner):
            known.together[partner] -= 1
            if not known.together[partner]:
                del known.together[partner]


def partners(state: State, key: str) -> tuple[int, Mapping[str, int]]:
    """How many onsets a loose place had, and how many of them together with whom."""
    known = state.onsets.get(key)
    return (known.count, known.together) if known else (0, {})


def _judge(state: State, one: str, other: str) -> bool:
    first, second = state.onsets.get(one), state.onsets.get(other)
    if first is None or second is None or min(first.count, second.count) < ONSETS_MIN:
        return False
    met = first.together.get(other, 0) if first.count <= second.count else 0
    if first.count > second.count:
        met = second.together.get(one, 0)
    is_apart = met / min(first.count, second.count) < TOGETHER_SHARE
    key = pair(one, other)
    if is_apart == (key in state.apart):
        return False
    if is_apart:
        state.apart[key] = None
    else:
        del state.apart[key]
    return True


def _recent(state: State, at: datetime) -> list[tuple[str, Onset]]:
    found: list[tuple[str, Onset]] = []
    for name in reversed(state.onsets):
        onset = state.onsets[name]
        if at - onset.onset_at > TOGETHER or len(found) >= PARTNERS_MAX:
            break
        found.append((name, onset))
    return found


def _meet(onset: Onset, other: str) -> None:
    met = onset.together
    met[other] = met.get(other, 0) + 1
    if len(met) > PARTNERS_MAX:
        del met[min(met, key=lambda name: met[name])]
