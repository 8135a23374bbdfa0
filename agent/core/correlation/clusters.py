"""The groups of a map: neighbouring neighbourhoods that have not proved independent.

Not here: how they prove it (`groups`).
"""

from collections.abc import Mapping

from agent.core.correlation.neighbourhoods import Neighbourhoods

GROUP_MAX = 300
"""Places in the largest group: beyond it only what lies straight above or below a cause joins."""


def pair(one: str, other: str) -> str:
    """The key of two neighbourhoods, whichever is named first."""
    return f"{one} {other}" if one < other else f"{other} {one}"


class Groups:
    """The groups of one map, as far as they were asked for."""

    def __init__(self, neighbourhoods: Neighbourhoods, apart: Mapping[str, None]) -> None:
        self._links = neighbourhoods.links
        self._apart = apart
        self._cluster, self._clusters = _clusters(neighbourhoods)
        self._groups: dict[str, str] = {}
        self._members: dict[str, tuple[str, ...]] = {}

    def of(self, neighbourhood: str) -> str:
        """The group of a neighbourhood, by its smallest one; what is unknown is its own."""
        if neighbourhood not in self._cluster:
            return neighbourhood
        if neighbourhood not in self._groups:
            self._divide(self.candidates(neighbourhood))
        return self._groups[neighbourhood]

    def members(self, neighbourhood: str) -> tuple[str, ...]:
        """The neighbourhoods of the group that this one is in."""
        return self._members.get(self.of(neighbourhood), (neighbourhood,))

    def candidates(self, neighbourhood: str) -> tuple[str, ...]:
        """All neighbourhoods that this one may ever be in one group with."""
        cluster = self._cluster.get(neighbourhood)
        return self._clusters[cluster] if cluster is not None else (neighbourhood,)

    def forget(self, neighbourhood: str) -> None:
        """What is apart has changed around this one."""
        for name in self.candidates(neighbourhood):
            self._members.pop(self._groups.pop(name, name), None)

    def _divide(self, candidates: tuple[str, ...]) -> None:
        waiting = dict.fromkeys(sorted(candidates))
        while waiting:
            first = next(iter(waiting))
            del waiting[first]
            found = [first]
            for one in found:
                for other in self._links.get(one, ()):
                    if other in waiting and pair(one, other) not in self._apart:
                        del waiting[other]
                        found.append(other)
            self._members[first] = tuple(found)
            self._groups.update(dict.fromkeys(found, first))


def _clusters(neighbourhoods: Neighbourhoods) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Neighbours by neighbours, those with the most edges first, while a cluster stays small."""
    home = {name: name for name in neighbourhoods.size}
    inside = {name: [name] for name in neighbourhoods.size}
    size = dict(neighbourhoods.size)
    pairs = sorted(
        (-weight, one, other)
        for one, others in neighbourhoods.links.items()
        for other, weight in others.items()
        if one < other
    )
    for _, one, other in pairs:
        into, gone = sorted((home[one], home[other]))
        if into == gone or size[into] + size[gone] > GROUP_MAX:
            continue
        size[into] += size.pop(gone)
        for name in inside[gone]:
            home[name] = into
        inside[into] += inside.pop(gone)
    return home, {name: tuple(sorted(names)) for name, names in inside.items()}
