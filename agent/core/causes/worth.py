"""What a candidate is worth as the cause: a sum of terms, each a piece of evidence.

Two sources: the map (what rests on the candidate alerts; what rests on it is well), which a fresh
installation has to rely on, and the past (how unusual the signs are for each place), which takes
over as lessons come in. Not here: the words (`words`) and who is on top (`ranking`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt

from agent.core.causes.experience import Experience, whole_of
from agent.core.causes.measured import Measured
from agent.core.causes.reading import Reading
from agent.core.causes.taught import taught
from agent.core.state import Members
from agent.model.evidence import EvidenceKind
from agent.model.service import EntityRef, ServiceMap

DEPENDANTS_ASKED_MAX = 50
"""How many direct dependants of a candidate are asked whether they are well."""
STRUCTURE = 5.0
"""What the map alone may move, before there is a past."""
STRUCTURE_INCIDENTS = 2.0
"""After this many lessons it moves half of that."""
ALERTING_BONUS = 0.3
HEALTHY_PENALTY = 0.5
SILENT_PENALTY = 0.2
SIBLINGS_SHARE = 0.7
HOST_SHARE = 0.3
CALLEES_SHARE = 0.7
OWN_SHARE = 0.2
CALLER_SHARE = 4.0
CHANGE_SHARE = 1.5
MEASURED_SHARE = 6.0
TIE = 0.001
FRESH = 0.1
"""What is made of unusual signs while no incident is known to compare with."""

Terms = dict[EvidenceKind, float]


@dataclass(slots=True)
class Case:
    """All that the candidates of one incident are judged by, gathered once."""

    service_map: ServiceMap
    members: Members
    experience: Experience
    reading: Reading
    measured: Measured
    changed: Mapping[EntityRef, tuple[float, str]]
    """How suspect the latest change of a candidate is, 0 to 1, and which it was."""
    muted: Mapping[EntityRef, str]
    """Where alerts fire that are muted, and by what."""
    surprise: dict[EntityRef, float] = field(default_factory=dict)
    """By alerting entity: how far it is above its own past, in standard deviations."""
    taught: dict[EntityRef, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.surprise = {
            entity: self.trust * self.experience.surprise(entity, value)
            for entity, value in self.reading.value.items()
        }
        self.taught = taught(self.experience, self.reading, self.surprise)

    @property
    def trust(self) -> float:
        """How far the past is believed: hardly at first, nearly fully after some incidents."""
        count = self.experience.incidents
        return (count + FRESH) / (count + 1)

    @property
    def structure(self) -> float:
        """What the map may move by now."""
        known = self.experience.incidents
        return STRUCTURE * STRUCTURE_INCIDENTS / (STRUCTURE_INCIDENTS + known)

    def candidates(self) -> Iterator[EntityRef]:
        """Who may be the cause: what alerts, what it is part of and rests on, who calls it."""
        known: dict[EntityRef, None] = dict.fromkeys(self.members.explains)
        known.update(dict.fromkeys(self.reading.by_kind))
        known.update({whole_of(self.service_map, ref): None for ref in self.reading.by_kind})
        known.update(dict.fromkeys(self.reading.callers))
        known.update(dict.fromkeys(self.measured.votes))
        known.update(dict.fromkeys(self.taught))
        yield from known

    def parts(self, ref: EntityRef) -> list[EntityRef]:
        """The parts that stand for a service, where there are several."""
        entities = self.service_map.entities
        below = self.service_map.dependencies.get(ref, ())
        found = [lower for lower in below if entities[lower].part_of == ref]
        return found if len(found) > 1 and whole_of(self.service_map, found[0]) == ref else []

    def value(self, ref: EntityRef) -> float:
        """How unusual an entity is with all its parts: all of them a little, or one much."""
        parts = self.parts(ref)
        pooled = sum(self.surprise.get(part, 0.0) for part in parts) / sqrt(len(parts) or 1)
        return self.surprise.get(ref, 0.0) + pooled

    def siblings(self, ref: EntityRef) -> list[EntityRef]:
        """The other parts of what it is a part of."""
        whole = whole_of(self.service_map, ref)
        return [part for part in self.parts(whole) if part != ref] if whole != ref else []

    def callees(self, ref: EntityRef) -> tuple[EntityRef, ...]:
        """What a service calls."""
        entity = self.service_map.entities.get(ref)
        return entity.depends_on if entity else ()

    def is_watched(self, ref: EntityRef) -> bool:
        """Whether an alert could tell about it."""
        entity = self.service_map.entities.get(ref)
        return entity is not None and bool(entity.matches)

    def dependants(self, ref: EntityRef) -> tuple[list[EntityRef], int]:
        """Direct dependants that are watched and do not alert, and how many could have alerted."""
        direct = self.service_map.dependants.get(ref, ())[:DEPENDANTS_ASKED_MAX]
        asked = [one for one in direct if self.is_watched(one)]
        loud = (self.members.entities, self.muted)
        return [one for one in asked if not any(one in known for known in loud)], len(asked)


def terms(case: Case, ref: EntityRef) -> Terms:
    """What each piece of evidence adds to the worth of a candidate, or takes from it."""
    found: Terms = {}
    _structure(case, ref, found)
    _surprise(case, ref, found)
    share = case.reading.callers.get(ref, 0.0) - case.experience.usual_share(ref)
    if share > 0:
        found[EvidenceKind.CALLER] = case.trust * CALLER_SHARE * share
    if ref in case.changed:
        found[EvidenceKind.CHANGED] = CHANGE_SHARE * case.changed[ref][0]
    if case.measured.share:
        # Of what is equal by its metrics, that comes first for which alerts speak.
        rest = max(1.0 - case.measured.share, TIE)
        found = {kind: rest * weight for kind, weight in found.items()}
        part = case.measured.share * case.measured.part(ref)
        found[EvidenceKind.MEASURED] = MEASURED_SHARE * part
    if ref in case.taught:
        found[EvidenceKind.TAUGHT] = case.taught[ref][0]
    return found


def _structure(case: Case, ref: EntityRef, found: Terms) -> None:
    """The map: alerting entities that rest on it, nearer ones more, less those that are well."""
    explained = case.members.explains.get(ref)
    alerting = len(case.members.entities)
    if not alerting:
        return
    weight = case.structure / alerting
    speaks = ref in case.members.entities
    rest = (explained.weight if explained else 0.0) - (1.0 if speaks else 0.0)
    others = explained.others if explained else 0
    is_silent = not speaks and ref not in case.muted
    if speaks:
        found[EvidenceKind.ALERTS] = weight * (1.0 + ALERTING_BONUS)
    elif ref in case.muted:
        found[EvidenceKind.MUTED] = weight * (1.0 + ALERTING_BONUS)
    elif not case.is_watched(ref):
        found[EvidenceKind.UNWATCHED] = 0.0
    healthy, asked = case.dependants(ref)
    doubt = HEALTHY_PENALTY * len(healthy) / asked if asked else 0.0
    if healthy:
        found[EvidenceKind.HEALTHY] = -weight * rest * doubt
    if others:
        found[EvidenceKind.EXPLAINS] = weight * rest
        if is_silent and case.is_watched(ref):
            found[EvidenceKind.SILENT] = -weight * rest * (1.0 - doubt) * SILENT_PENALTY
    if others + speaks < alerting:
        found[EvidenceKind.UNEXPLAINED] = 0.0


def _surprise(case: Case, ref: EntityRef, found: Terms) -> None:
    """The past: how unusual it is for it, less what its peers and what is below it show too."""
    own = case.surprise.get(ref, 0.0)
    if own:
        found[EvidenceKind.UNUSUAL if own > 0 else EvidenceKind.USUAL] = own
    if case.parts(ref):
        found[EvidenceKind.PARTS] = case.value(ref) - own
    siblings = case.siblings(ref)
    if siblings:
        alike = sum(case.surprise.get(other, 0.0) for other in siblings) / len(siblings)
        if alike > 0:
            found[EvidenceKind.SIBLINGS] = -SIBLINGS_SHARE * alike
    entity = case.service_map.entities.get(ref)
    host = case.surprise.get(entity.runs_on or "", 0.0) if entity else 0.0
    if host > 0:
        found[EvidenceKind.HOST] = -HOST_SHARE * host
    below = max((case.value(callee) for callee in case.callees(ref)), default=0.0)
    if below > 0:
        found[EvidenceKind.CALLEES] = -CALLEES_SHARE * below
    if case.reading.own.get(ref):
        found[EvidenceKind.OWN_SIGNALS] = case.trust * OWN_SHARE * sqrt(case.reading.own[ref])
