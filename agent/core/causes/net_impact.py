"""Who lost the time and who failed the requests: findings of metrics become votes for a cause.

Seconds lost and requests failed are the same currency all along a call, so an entity's own share
is its total less its callees'. Deviations are not: an endpoint with thirty requests may deviate
more than the guilty one with eight hundred. No prior over names, no weight is learnt.
Not here: how the findings come about (`reporting.signals`), how alerts vote (`ranking`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum, log1p

from agent.model.knots import knots
from agent.model.service import EntityRef
from agent.model.signal import Complaint, Finding, SignalKind

OTHER_KINDS = 0.25
"""What a kind counts that nobody complained about."""
MISSING_CALLS = 0.5
"""A caller may ask less for many a reason."""
HOP = 0.7
"""Of its anomaly each caller further away passes on."""
UNREACHED = 0.5
"""What a candidate counts that a complaint does not reach by calls: maps are incomplete."""
HOPS_MAX = 12
STRANGER = 0.75
"""How much of such a loss is taken off: it is a guess."""
ALIKE = 0.75
"""Two losses of this ratio may be one."""
SILENT_MAX = 4
"""Through so many entities in a row of which nothing is known a loss is followed."""
BETWEEN = "between"
"""Time lost on the way between two entities, by those it is blamed on."""

Calls = Mapping[EntityRef, Sequence[EntityRef]]
Kind = str

LATENCIES = (SignalKind.LATENCY, SignalKind.SEEN_BY_CALLERS, SignalKind.SEEN_OF_CALLEES)
FAMILY: Mapping[Kind, tuple[SignalKind, ...]] = {
    SignalKind.LATENCY: LATENCIES,
    BETWEEN: LATENCIES,
    SignalKind.ERRORS: (SignalKind.ERRORS,),
    SignalKind.RESOURCE: (SignalKind.RESOURCE,),
    SignalKind.TRAFFIC: (SignalKind.TRAFFIC,),
    SignalKind.MISSING_CALLS: (SignalKind.REQUESTS, SignalKind.MISSING_CALLS),
}
"""What is voted on, and which signals it is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One reason for a vote: what the entity has on its own of one kind."""

    kind: Kind
    own: float
    """Seconds, requests, or for resources and traffic the weight of the evidence."""
    below: float = 0.0
    """What its callees account for."""
    callees: int = 0
    """How many of them are known."""
    vote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What metrics say for an entity as the cause; only scores of one incident compare."""

    entity: EntityRef
    score: float
    terms: tuple[Term, ...]
    coverage: float
    """The share of all anomalies that is in it and its callers, .7 a hop."""
    is_reached: bool
    """Whether a complaint reaches it by calls."""


@dataclass(slots=True)
class Books:
    """The findings by kind and entity, with the calls between the entities."""

    calls: Calls
    found: dict[SignalKind, dict[EntityRef, Finding]] = field(default_factory=dict)
    callers: dict[EntityRef, list[EntityRef]] = field(default_factory=dict)
    knot: dict[EntityRef, int] = field(default_factory=dict)
    """Entities with one number call each other in a circle."""
    nearest: dict[tuple[SignalKind, EntityRef], list[EntityRef]] = field(default_factory=dict)
    """The answers of `callees`."""

    @classmethod
    def of(cls, findings: Iterable[Finding], calls: Calls) -> "Books":
        """Sort the findings; of several resources of an entity the oddest counts."""
        books = cls(calls)
        for finding in findings:
            known = books.found.setdefault(finding.kind, {})
            before = known.get(finding.entity)
            if before is None or before.surprise < finding.surprise:
                known[finding.entity] = finding
        for caller in sorted(calls):
            for callee in calls[caller]:
                books.callers.setdefault(callee, []).append(caller)
        for number, knot in enumerate(knots(sorted(calls), lambda ref: calls.get(ref, ()))):
            books.knot.update(dict.fromkeys(knot, number))
        return books

    def of_kind(self, kind: SignalKind) -> Mapping[EntityRef, Finding]:
        """What is known of one kind."""
        return self.found.get(kind, {})

    def impact(self, kind: SignalKind, entity: EntityRef) -> float | None:
        """What the entity lost in all; None where nobody knows."""
        finding = self.of_kind(kind).get(entity)
        if finding is None and kind is SignalKind.LATENCY:
            # what only its callers time, such as a database outside, is judged by them
            finding = self.of_kind(SignalKind.SEEN_BY_CALLERS).get(entity)
        return None if finding is None else finding.impact

    def entities(self) -> list[EntityRef]:
        """Everything that is a candidate, by name."""
        known = {each: None for found in self.found.values() for each in found}
        return sorted(known)

    def callees(self, kind: SignalKind, entity: EntityRef) -> list[EntityRef]:
        """The nearest callees whose impact is known; one that is not is replaced by its own.

        Those on a circle through `entity` are left out: each would take from the other.
        """
        known = self.nearest.get((kind, entity))
        if known is None:
            known = self.nearest[kind, entity] = self._nearest(kind, entity)
        return known

    def _nearest(self, kind: SignalKind, entity: EntityRef) -> list[EntityRef]:
        nearest: dict[EntityRef, None] = {}
        seen = {entity}
        level = [entity]
        for _ in range(SILENT_MAX + 1):
            following: list[EntityRef] = []
            for caller in level:
                for callee in self.calls.get(caller, ()):
                    if callee in seen:
                        continue
                    seen.add(callee)
                    if self.knot.get(callee) == self.knot.get(entity):
                        continue
                    if self.impact(kind, callee) is None:
                        following.append(callee)
                    else:
                        nearest[callee] = None
            level = following
        return sorted(nearest)


WALK_MAX = 2_000


def rank(
    findings: Iterable[Finding], calls: Calls, complaints: Sequence[Complaint]
) -> tuple[Vote, ...]:
    """Every entity with a finding, the likeliest cause first; ties by name.

    `calls`: callees by caller. Without a finding of any weight all scores are 0.
    """
    books = Books.of(findings, calls)
    starts = {each.entity for each in complaints if each.entity is not None}
    entities = books.entities()
    terms: dict[EntityRef, list[Term]] = {entity: [] for entity in entities}
    for kind, owned in _owned(books, starts).items():
        total = sum(owned.values())
        if total <= 0.0:
            continue
        weight = _weight(books, kind, complaints)
        for entity, own in owned.items():
            if own > 0.0 and weight > 0.0:
                below, callees = _below(books, kind, entity)
                term = Term(
                    kind=kind, own=own, below=below, callees=callees, vote=own / total * weight
                )
                terms.setdefault(entity, []).append(term)
    coverage = _coverage(books)
    reached = _reached(calls, complaints)
    votes = []
    for entity in sorted(terms):
        covered = coverage.get(entity, 0.0)
        is_reached = reached is None or entity in reached
        score = sum(term.vote for term in terms[entity]) * (0.5 + 0.5 * covered)
        votes.append(
            Vote(
                entity=entity,
                score=score if is_reached else UNREACHED * score,
                terms=tuple(sorted(terms[entity], key=lambda term: -term.vote)),
                coverage=covered,
                is_reached=is_reached,
            )
        )
    return tuple(sorted(votes, key=lambda vote: (-vote.score, vote.entity)))


def _owned(books: Books, starts: Collection[EntityRef]) -> dict[Kind, dict[EntityRef, float]]:
    """What each entity has on its own, by kind."""
    owned: dict[Kind, dict[EntityRef, float]] = {BETWEEN: _between(books)}
    for kind in (SignalKind.LATENCY, SignalKind.ERRORS):
        known = [each for each in books.entities() if books.impact(kind, each) is not None]
        owned[kind] = _with_strangers(
            books, kind, {each: _net(books, kind, each) for each in known}, starts
        )
    for kind in (SignalKind.RESOURCE, SignalKind.TRAFFIC):
        owned[kind] = {
            each: found.chance * log1p(found.surprise)
            for each, found in books.of_kind(kind).items()
        }
    blamed: dict[EntityRef, float] = {}
    for callee, found in books.of_kind(SignalKind.MISSING_CALLS).items():
        callers = books.callers.get(callee, [])
        for caller in callers:
            blamed[caller] = blamed.get(caller, 0.0) + found.impact / len(callers)
    owned[SignalKind.MISSING_CALLS] = blamed
    return owned


def _with_strangers(
    books: Books, kind: SignalKind, own: dict[EntityRef, float], starts: Collection[EntityRef]
) -> dict[EntityRef, float]:
    """Less what those lost that somebody must call, though the map knows nobody who does.

    Whoever lost about as much on its own is taken for the caller: maps are incomplete.
    """
    left = dict(own)
    for stranger in sorted(own):
        lost = books.impact(kind, stranger) or 0.0
        if lost <= 0.0 or books.callers.get(stranger) or stranger in starts:
            continue
        below = _distances([stranger], books.calls)
        for entity, mine in own.items():
            if entity not in below and ALIKE <= lost / max(mine, 1e-12) <= 1.0 / ALIKE:
                left[entity] = max(0.0, left[entity] - STRANGER * lost)
    return left


def _net(books: Books, kind: SignalKind, entity: EntityRef) -> float:
    return max(0.0, (books.impact(kind, entity) or 0.0) - _below(books, kind, entity)[0])


def _below(books: Books, kind: Kind, entity: EntityRef) -> tuple[float, int]:
    """What the callees lost, and how many of them are known."""
    if kind not in (SignalKind.LATENCY, SignalKind.ERRORS):
        return 0.0, 0
    callees = books.callees(SignalKind(kind), entity)
    return sum(books.impact(SignalKind(kind), callee) or 0.0 for callee in callees), len(callees)


def _between(books: Books) -> dict[EntityRef, float]:
    """Time lost on the way: with the callers' view the called one's; else half and half."""
    lost: dict[EntityRef, float] = {}
    own = books.of_kind(SignalKind.LATENCY)
    for entity, seen in books.of_kind(SignalKind.SEEN_BY_CALLERS).items():
        if entity in own:
            lost[entity] = max(0.0, seen.impact - own[entity].impact)
    rests = {
        caller: max(
            0.0,
            seen.impact
            - sum(
                books.impact(SignalKind.LATENCY, callee) or 0.0
                for callee in books.callees(SignalKind.LATENCY, caller)
            ),
        )
        for caller, seen in books.of_kind(SignalKind.SEEN_OF_CALLEES).items()
    }
    for caller, rest in rests.items():
        callees = books.calls.get(caller, ())
        losing = {callee: _losing(books, rests, callee) ** 2 for callee in callees}
        total = sum(losing.values())
        lost[caller] = lost.get(caller, 0.0) + (0.5 * rest if total else rest)
        for callee, weight in losing.items():
            if total:
                lost[callee] = lost.get(callee, 0.0) + 0.5 * rest * weight / total
    return lost


def _losing(books: Books, rests: Mapping[EntityRef, float], callee: EntityRef) -> float:
    """The share of a callee's callers that lose time; those nobody knows of do not count."""
    known = [rests[caller] for caller in books.callers.get(callee, ()) if caller in rests]
    return sum(rest > 0.0 for rest in known) / len(known) if known else 0.0


def _weight(books: Books, kind: Kind, complaints: Sequence[Complaint]) -> float:
    """How much the kind counts: by how certain its oddest sample is, and what is complained of."""
    found = [each for part in FAMILY[kind] for each in books.of_kind(part).values()]
    half = MISSING_CALLS if kind is SignalKind.MISSING_CALLS else 1.0
    kinds = {complaint.kind for complaint in complaints if complaint.kind is not None}
    if not kinds:
        return half * log1p(max((each.chance * each.surprise for each in found), default=0.0))
    chance = max((each.chance for each in found), default=0.0)
    return half * chance * (1.0 if kinds & set(FAMILY[kind]) else OTHER_KINDS)


def _coverage(books: Books) -> dict[EntityRef, float]:
    """The share of all anomalies that lies in an entity and, less with each hop, its callers."""
    mass: dict[EntityRef, float] = {}
    for found in books.found.values():
        for entity, each in found.items():
            mass[entity] = max(mass.get(entity, 0.0), each.chance)
    total = fsum(mass.values())
    if not total:
        return {}
    covered: dict[EntityRef, float] = {}
    for entity in books.entities():
        distances = _distances([entity], books.callers)
        covered[entity] = fsum(mass.get(ref, 0.0) * HOP**far for ref, far in distances.items())
    return {entity: share / total for entity, share in covered.items()}


def _reached(calls: Calls, complaints: Sequence[Complaint]) -> Mapping[EntityRef, int] | None:
    """What a complaint reaches by calls; None where nobody says who complains."""
    starts = sorted({each.entity for each in complaints if each.entity is not None})
    return _distances(starts, calls) if starts else None


def _distances(starts: Iterable[EntityRef], edges: Calls) -> dict[EntityRef, int]:
    found = dict.fromkeys(starts, 0)
    level = list(found)
    for distance in range(1, HOPS_MAX + 1):
        following = []
        for ref in level:
            for other in edges.get(ref, ()):
                if other not in found and len(found) < WALK_MAX:
                    found[other] = distance
                    following.append(other)
        level = following
    return found
