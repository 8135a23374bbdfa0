"""Where the alerts and the map do not agree, with the counts: for a person, never applied here.

Not here: what is remembered (`memory`), and how it is told (`web`, `cli`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations

from agent.core.drift.memory import Drift, Episode
from agent.core.drift.statistics import DOUBT, at_most, chance, chance_by_size, sureness
from agent.model.rule import Correlation
from agent.model.service import WALK_ENTITIES_MAX, EntityRef, ServiceMap
from agent.model.suggestion import MissingEdge, SilentEdge, Suggestions

TOGETHER_MIN = 3
"""Twice is no pattern."""
FAILURES_MIN = 5
"""With fewer, even an edge that carries two failures of five would often look silent."""
SIBLINGS_MAX = 20
"""What more rest on than this joins none of them with another."""
SURE = 0.9
SHOWN_MAX = 100
EXAMPLES_MAX = 3

Pair = tuple[EntityRef, EntityRef]


def suggest(
    drift: Drift,
    service_map: ServiceMap,
    correlation: Correlation,
    *,
    watching_since: datetime | None,
) -> Suggestions:
    """Compare what is remembered with the map in force."""
    calm = [episode for episode in drift.episodes if not episode.is_storm]
    silent_ones = sorted(
        ref
        for ref, entity in service_map.entities.items()
        if entity.matches and ref not in drift.heard
    )
    return Suggestions(
        missing=tuple(_missing(calm, service_map, correlation))[:SHOWN_MAX],
        silent=tuple(_silent(calm, service_map))[:SHOWN_MAX],
        nowhere=tuple(
            sorted(drift.nowhere.values(), key=lambda row: (row.missed - row.alerts, row.labels))
        ),
        never_heard=tuple(silent_ones[:SHOWN_MAX]),
        never_heard_count=len(silent_ones),
        episodes=len(calm),
        storms=len(drift.episodes) - len(calm),
        watching_since=watching_since,
    )


def _missing(
    episodes: list[Episode], service_map: ServiceMap, correlation: Correlation
) -> list[MissingEdge]:
    alone: dict[EntityRef, int] = {}
    together: dict[Pair, list[Episode]] = {}
    window = correlation.window.total_seconds()
    for episode in episodes:
        known = sorted(ref for ref in episode.onsets if ref in service_map.entities)
        for ref in known:
            alone[ref] = alone.get(ref, 0) + 1
        for one, other in combinations(known, 2):
            if abs(episode.onsets[one] - episode.onsets[other]) <= window:
                together.setdefault((one, other), []).append(episode)
    near = _Nearness(service_map, correlation.hops)
    found = []
    for pair, seen in together.items():
        if len(seen) < TOGETHER_MIN:
            continue
        one, other = pair
        by_chance = chance(
            episodes=len(episodes), one=alone[one], other=alone[other], both=len(seen)
        )
        if by_chance * len(together) > DOUBT or near.joins(one, other):
            continue
        rarer, usual = sorted(pair, key=lambda ref: (alone[ref], ref))
        shares = list(_shares(episodes, rarer, usual, alone[usual]))
        by_chance = max(by_chance, chance_by_size(shares, both=len(seen)))
        expected = by_chance * len(together)
        if expected <= DOUBT:
            found.append(_edge(pair, seen, alone, len(episodes), by_chance, expected))
    return sorted(found, key=lambda edge: (edge.chance, -edge.both, edge.upper, edge.lower))


def _shares(
    episodes: list[Episode], rarer: EntityRef, usual: EntityRef, count: int
) -> Iterator[float]:
    """How likely `usual` is in each episode of `rarer`, by how many others alerted in it."""

    def others(episode: Episode) -> int:
        return 1 + sum(ref not in (rarer, usual) for ref in episode.onsets)

    whole = sum(map(others, episodes))
    for episode in episodes:
        if rarer in episode.onsets:
            yield min(1.0, count * others(episode) / whole)


def _edge(  # noqa: PLR0917 - all of the counts
    pair: Pair,
    seen: list[Episode],
    alone: Mapping[EntityRef, int],
    episodes: int,
    by_chance: float,
    expected: float,
) -> MissingEdge:
    before = sum(episode.onsets[pair[0]] < episode.onsets[pair[1]] for episode in seen)
    after = sum(episode.onsets[pair[0]] > episode.onsets[pair[1]] for episode in seen)
    lower, upper = pair if before >= after else (pair[1], pair[0])
    first = max(before, after)
    return MissingEdge(
        upper=upper,
        lower=lower,
        is_direction_sure=sureness(first=first, of=before + after) >= SURE,
        first=first,
        both=len(seen),
        upper_alone=alone[upper] - len(seen),
        lower_alone=alone[lower] - len(seen),
        episodes=episodes,
        lift=len(seen) * episodes / (alone[upper] * alone[lower]),
        chance=by_chance,
        expected=expected,
        examples=_examples(seen),
    )


def _silent(episodes: list[Episode], service_map: ServiceMap) -> list[SilentEdge]:
    suffering: dict[str, set[EntityRef]] = {}
    for episode in episodes:
        for incident in episode.incidents:
            suffering.setdefault(incident, set()).update(episode.onsets)
    failures: dict[EntityRef, list[Episode]] = {}
    for episode in episodes:
        for ref in episode.onsets:
            failures.setdefault(ref, []).append(episode)
    found = []
    for lower, seen in failures.items():
        if len(seen) < FAILURES_MIN:
            continue
        for upper in _would_show(service_map, lower):
            # It counts as carried too where it suffered later in the same incident.
            if not any(
                upper in suffering[incident] for episode in seen for incident in episode.incidents
            ):
                found.append(
                    SilentEdge(
                        upper=upper,
                        lower=lower,
                        failures=len(seen),
                        carries_at_most=at_most(seen=0, of=len(seen)),
                        examples=_examples(seen),
                    )
                )
    return sorted(found, key=lambda edge: (-edge.failures, edge.upper, edge.lower))


def _would_show(service_map: ServiceMap, lower: EntityRef) -> Iterator[EntityRef]:
    """What rests directly on an entity, and of which an alert could tell that it suffers."""
    entity = service_map.entities.get(lower)
    if entity is None or entity.redundancy_group is not None:
        # What has a stand-in is meant to fail without anybody noticing.
        return
    for upper in service_map.dependants.get(lower, ()):
        if service_map.entities[upper].matches:
            yield upper


def _examples(seen: list[Episode]) -> tuple[str, ...]:
    newest = sorted(seen, key=lambda episode: episode.at, reverse=True)
    named = dict.fromkeys(name for episode in newest for name in episode.incidents)
    return tuple(named)[:EXAMPLES_MAX]


class _Nearness:
    """Whether the map explains that two entities alert together."""

    def __init__(self, service_map: ServiceMap, hops: int) -> None:
        self._map, self._hops = service_map, hops
        self._around: dict[EntityRef, frozenset[EntityRef]] = {}

    def joins(self, one: EntityRef, other: EntityRef) -> bool:
        """A path of few hops leads from one to the other, whichever way its edges point."""
        known = self._around.get(one)
        if known is None:
            self._around[one] = known = frozenset(self._reach(one))
        return other in known

    def _reach(self, start: EntityRef) -> Iterator[EntityRef]:
        seen, level = {start}, [start]
        for _ in range(self._hops):
            following = []
            for ref in level:
                for neighbour in self._neighbours(ref):
                    if neighbour not in seen:
                        seen.add(neighbour)
                        following.append(neighbour)
                        yield neighbour
            if len(seen) > WALK_ENTITIES_MAX:
                return
            level = following

    def _neighbours(self, ref: EntityRef) -> Iterator[EntityRef]:
        yield from self._map.dependencies.get(ref, ())
        above = self._map.dependants.get(ref, ())
        if len(above) <= SIBLINGS_MAX:
            # Under more than these lies infrastructure: that two of its users alert is no news.
            yield from above
