"""What a discovery would make of the map in force: the file, and the difference to what stands.

What a person wrote wins; what is not seen any more is marked and stays; nothing is put into force
here. Not here: names (`names`), the file's form (`described`), reading and writing (`runtime`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from agent.config.discovered.compare import Edge, differences
from agent.config.discovered.described import ITSELF, Described, match_lines, text_of
from agent.config.discovered.difference import Difference, DiffLine
from agent.config.discovered.names import names_of
from agent.model.discovery import Discovery, Evidence, Link, Sighting, Thing
from agent.model.labels import Labels, MatchOperator
from agent.model.service import EntityRef, ServiceMap

ENTITIES_MAX = 50_000
LINKS_MAX = 250_000

Place = Callable[[Labels], EntityRef | None]
"""Where an alert with these labels belongs on the map in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The map as it stands."""

    service_map: ServiceMap
    written_at: Mapping[EntityRef, str]
    """Entities of all other files, with the place of each."""
    earlier: Mapping[EntityRef, Described]
    """What this source's own file says."""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The file as it would be, and how it differs."""

    source: str
    entities: tuple[Described, ...]
    lines: tuple[DiffLine, ...]
    warnings: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether writing it would change nothing."""
        return not any(line.changes_the_file for line in self.lines)


def propose(discovery: Discovery, in_force: InForce, *, source: str, today: date) -> Proposal:
    """The proposal of a discovery. The same twice gives no difference the second time."""
    drawing = _Drawing(discovery, in_force)
    drawing.name()
    found = drawing.entities()
    merged: dict[EntityRef, Described] = {}
    lines: list[DiffLine] = list(drawing.lines)
    for ref in sorted({*found, *in_force.earlier}):
        if ref in in_force.written_at:
            said = f"written at {in_force.written_at[ref]}, and left out of {source}'s own file"
            lines.append(DiffLine(difference=Difference.STANDS, entity=ref, text=said))
            continue
        earlier, now = in_force.earlier.get(ref), found.get(ref)
        merged[ref] = _merged(earlier, now, today)
        lines += differences(earlier, merged[ref], drawing.evidence)
    entities = _whole(merged.values(), {*in_force.written_at, *merged})
    order = list(Difference)
    lines.sort(key=lambda line: (line.is_edge, order.index(line.difference), str(line)))
    return Proposal(
        source=source, entities=entities, lines=tuple(lines), warnings=tuple(drawing.warnings)
    )


class _Drawing:
    """Things and links as entities and edges of ours."""

    def __init__(self, discovery: Discovery, in_force: InForce) -> None:
        self._sightings = discovery.sightings[:ENTITIES_MAX]
        self._links = discovery.links[:LINKS_MAX]
        self._in_force = in_force
        self._refs: dict[Thing, EntityRef] = {}
        self._ours: dict[EntityRef, Sighting] = {}
        self._by_name: dict[str, list[EntityRef]] = {}
        self.lines: list[DiffLine] = []
        self.evidence: dict[Edge, Evidence] = {}
        self.warnings = [*map(text_of, discovery.warnings)]
        for what, most, count in (
            ("entities", ENTITIES_MAX, len(discovery.sightings)),
            ("calls", LINKS_MAX, len(discovery.links)),
        ):
            if count > most:
                self.warnings.append(f"left out: {what} above {most} ({count - most})")

    def name(self) -> None:
        """Give every thing its reference: that of an entity which a person wrote, or its own."""
        names = names_of(sighting.thing for sighting in self._sightings)
        self.warnings += map(text_of, names.warnings)
        for ref in self._in_force.written_at:
            self._by_name.setdefault(ref.rpartition("/")[2], []).append(ref)
        for sighting in self._sightings:
            plain = names.refs.get(sighting.thing)
            if plain is None:
                continue
            ref, how = self._known_as(sighting, plain)
            self._refs[sighting.thing] = ref
            if how:
                said = f"{how}; written at {self._in_force.written_at[ref]}"
                if ref != plain:
                    said = f"is what the source calls {plain}: {said}"
                self.lines.append(DiffLine(difference=Difference.STANDS, entity=ref, text=said))
            else:
                self._ours.setdefault(ref, sighting)

    def _known_as(self, sighting: Sighting, plain: EntityRef) -> tuple[EntityRef, str]:
        """The reference, and how a person's entity was recognized; empty where it is none."""
        written = self._in_force.written_at
        if plain in written:
            return plain, "same reference"
        for alternative in sighting.matches:
            if all(matcher.operator is MatchOperator.EQUAL for matcher in alternative):
                place = self._in_force.place({m.name: m.value for m in alternative})
                if place is not None and place in written:
                    shown = ",".join(map(str, alternative))
                    return place, f"an alert with {text_of(shown)} belongs there"
        if not sighting.thing.namespace:
            kind = plain.partition(":")[0]
            alike = [
                ref
                for ref in self._by_name.get(plain.rpartition("/")[2], ())
                if ref.startswith(f"{kind}:")
            ]
            if len(alike) == 1:
                return alike[0], "the only entity of that kind and name"
        return plain, ""

    def entities(self) -> dict[EntityRef, Described]:
        """The entities that are this source's own to describe."""
        below: dict[EntityRef, dict[EntityRef, None]] = {}
        above: dict[EntityRef, dict[EntityRef, None]] = {}
        standing = self._in_force.service_map.dependencies
        for upper, lower, evidence in self._edges():
            self.evidence[upper, lower] = evidence
            if upper in self._ours:
                below.setdefault(upper, {})[lower] = None
            elif lower in self._ours:
                above.setdefault(lower, {})[upper] = None
            elif lower not in standing.get(upper, ()):
                said = f"add to spec of {upper}: dependsOn: [{lower}]"
                self.lines.append(
                    DiffLine(
                        difference=Difference.BY_HAND,
                        entity=upper,
                        lower=lower,
                        text=said,
                        evidence=evidence,
                    )
                )
        return {
            ref: self._described(ref, sighting, below.get(ref, {}), above.get(ref, {}))
            for ref, sighting in self._ours.items()
        }

    def _edges(self) -> Iterable[tuple[EntityRef, EntityRef, Evidence]]:
        lost = 0
        for link in sorted(self._links, key=_ends):
            upper, lower = self._end(link.upper), self._end(link.lower)
            if upper is None or lower is None:
                lost += 1
            elif upper != lower:
                yield upper, lower, link.evidence
        if lost:
            self.warnings.append(f"left out: edges to entities that nobody describes ({lost})")

    def _end(self, thing: Thing) -> EntityRef | None:
        """The entity that a thing is, also where another file describes it."""
        ref = self._refs.get(thing)
        if ref is None:
            ref = names_of((thing,)).refs.get(thing)
            if ref not in self._in_force.written_at:
                return None
        return ref

    def _described(
        self,
        ref: EntityRef,
        sighting: Sighting,
        below: Mapping[EntityRef, None],
        above: Mapping[EntityRef, None],
    ) -> Described:
        name = sighting.thing.name
        title = sighting.title or (name if name != ref.rpartition("/")[2] else "")
        return Described(
            ref=ref,
            title=text_of(title),
            description=text_of(sighting.description),
            type=text_of(sighting.type),
            lifecycle=text_of(sighting.lifecycle),
            matches=match_lines(sighting.matches),
            owner=self._named(sighting.owner),
            part_of=self._named(sighting.part_of),
            runs_on=self._named(sighting.runs_on),
            depends_on=tuple(sorted(below)),
            dependency_of=tuple(sorted(above)),
            annotations=dict(sorted(sighting.annotations.items())),
        )

    def _named(self, thing: Thing | None) -> EntityRef | None:
        return None if thing is None else self._end(thing)


def _ends(link: Link) -> Edge:
    return f"{link.upper}", f"{link.lower}"


def _merged(earlier: Described | None, now: Described | None, today: date) -> Described:
    """What is known now, with what was known earlier and is gone marked."""
    if now is None:
        assert earlier is not None, "it is one or the other"
        return replace(earlier, gone={**earlier.gone, ITSELF: earlier.gone.get(ITSELF, today)})
    if earlier is None:
        return now
    depends_on = {*now.depends_on, *earlier.depends_on}
    dependency_of = {*now.dependency_of, *earlier.dependency_of}
    missing = {*earlier.depends_on, *earlier.dependency_of} - {
        *now.depends_on,
        *now.dependency_of,
    }
    return replace(
        now,
        depends_on=tuple(sorted(depends_on)),
        dependency_of=tuple(sorted(dependency_of)),
        gone={ref: earlier.gone.get(ref, today) for ref in sorted(missing)},
    )


def _whole(entities: Iterable[Described], known: set[EntityRef]) -> tuple[Described, ...]:
    """The entities without references that lead nowhere (a person removed what they led to)."""

    def kept(ref: EntityRef | None) -> EntityRef | None:
        return ref if ref in known else None

    return tuple(
        replace(
            entity,
            owner=kept(entity.owner),
            part_of=kept(entity.part_of),
            runs_on=kept(entity.runs_on),
            depends_on=tuple(ref for ref in entity.depends_on if ref in known),
            dependency_of=tuple(ref for ref in entity.dependency_of if ref in known),
            gone={ref: day for ref, day in entity.gone.items() if ref == ITSELF or ref in known},
        )
        for entity in entities
    )
