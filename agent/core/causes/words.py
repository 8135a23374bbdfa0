"""Evidence in words that an operator can check: names of the map, no figure that flickers."""

from collections.abc import Sequence

from agent.core.causes.worth import Case, Terms
from agent.core.state import EXPLAINED_NAMED_MAX
from agent.model.evidence import Evidence, EvidenceKind
from agent.model.service import EntityRef, ServiceMap

SAID_MIN = 0.05
"""What moved less than this is not worth a line."""
FROM_THE_MAP = frozenset(
    {
        EvidenceKind.ALERTS,
        EvidenceKind.MUTED,
        EvidenceKind.EXPLAINS,
        EvidenceKind.HEALTHY,
        EvidenceKind.SILENT,
        EvidenceKind.UNWATCHED,
        EvidenceKind.UNEXPLAINED,
    }
)
OF_NOW = frozenset({EvidenceKind.TAUGHT, EvidenceKind.CHANGED})
TIMES = (10, 5, 3, 2, 1.5)


def evidence(case: Case, ref: EntityRef, found: Terms) -> tuple[Evidence, ...]:
    """The pieces that made the worth of a candidate, for before against, in one fixed order."""
    pieces = [
        Evidence(
            kind=kind,
            speaks_for=weight > 0,
            weight=round(abs(weight), 2),
            text=_text(case, ref, kind),
        )
        for kind, weight in found.items()
        if kind in FROM_THE_MAP or _is_worth_a_line(case, kind, weight)
    ]
    pieces += _measured(case, ref, found.get(EvidenceKind.MEASURED, 0.0))
    order = list(EvidenceKind)
    pieces.sort(key=lambda piece: (not piece.speaks_for, order.index(piece.kind)))
    return tuple(pieces)


def lead(service_map: ServiceMap, score: float, second: EntityRef, other: float) -> Evidence:
    """How far the top is ahead of the runner-up, in steps that do not flicker."""
    ratio = score / other
    times = next((step for step in TIMES if ratio >= step), None)
    name = service_map.label(second)
    if times is None:
        return Evidence(
            kind=EvidenceKind.UNCLEAR,
            speaks_for=False,
            weight=0.0,
            text=f"no clear evidence: {name} is nearly as likely",
        )
    return Evidence(
        kind=EvidenceKind.LEAD,
        speaks_for=True,
        weight=0.0,
        text=f"at least {times:g} times as likely as the next, {name}",
    )


def faint(signs: int) -> Evidence:
    """That the incident shows far less than incidents here usually do."""
    some = "one sign" if signs == 1 else f"{signs} signs"
    return Evidence(
        kind=EvidenceKind.UNCLEAR,
        speaks_for=False,
        weight=0.0,
        text=f"no clear evidence: {some}, far fewer than incidents here usually show",
    )


def held(service_map: ServiceMap, challenger: EntityRef) -> Evidence:
    """That the answer stays though another is a little ahead."""
    return Evidence(
        kind=EvidenceKind.HELD,
        speaks_for=False,
        weight=0.0,
        text=f"{service_map.label(challenger)} is ahead by too little to change the answer",
    )


def confirmed(by: str) -> Evidence:
    """That a person knows."""
    return Evidence(
        kind=EvidenceKind.CONFIRMED, speaks_for=True, weight=0.0, text=f"confirmed by {by}"
    )


def names(service_map: ServiceMap, refs: Sequence[EntityRef], count: int) -> str:
    """The first few by what people call them, and how many more there are."""
    some = refs[:EXPLAINED_NAMED_MAX]
    text = ", ".join(service_map.label(ref) for ref in some)
    return f"{text} and {count - len(some)} more" if count > len(some) else text


def _measured(case: Case, ref: EntityRef, weight: float) -> list[Evidence]:
    """What metrics say; the first reason for it carries all of their weight."""
    speaks_for, against = case.measured.words(ref, case.service_map)
    return [
        Evidence(
            kind=EvidenceKind.MEASURED,
            speaks_for=place < len(speaks_for),
            weight=0.0 if place else round(weight, 2),
            text=text,
        )
        for place, text in enumerate((*speaks_for, *against))
    ]


def _is_worth_a_line(case: Case, kind: EvidenceKind, weight: float) -> bool:
    """What compares with the past is not said where there is none."""
    if kind is EvidenceKind.MEASURED:
        return False
    return abs(weight) >= SAID_MIN and (case.experience.incidents > 0 or kind in OF_NOW)


def _text(case: Case, ref: EntityRef, kind: EvidenceKind) -> str:
    match kind:
        case EvidenceKind.ALERTS:
            return "alerts itself"
        case EvidenceKind.MUTED:
            return f"alerts itself, muted by {case.muted[ref]}"
        case EvidenceKind.EXPLAINS:
            explained = case.members.explains[ref]
            verb = "rests" if explained.others == 1 else "rest"
            return f"{names(case.service_map, explained.named, explained.others)} {verb} on it"
        case EvidenceKind.UNEXPLAINED:
            return f"does not explain {_unexplained(case, ref)} of the alerting entities"
        case EvidenceKind.HEALTHY:
            healthy, asked = case.dependants(ref)
            well = names(case.service_map, healthy, len(healthy))
            return f"{len(healthy)} of {asked} watched dependants are well: {well}"
        case EvidenceKind.SILENT:
            return "is watched and does not alert itself"
        case EvidenceKind.UNWATCHED:
            return "nothing watches it: a monitor is missing here"
        case _:
            return _learnt(case, ref, kind)


def _unexplained(case: Case, ref: EntityRef) -> int:
    explained = case.members.explains.get(ref)
    others = explained.others if explained else 0
    return len(case.members.entities) - others - (ref in case.members.entities)


def _learnt(case: Case, ref: EntityRef, kind: EvidenceKind) -> str:
    service_map, reading = case.service_map, case.reading
    match kind:
        case EvidenceKind.UNUSUAL:
            first = reading.first[ref]
            return f"more fires on it than in earlier incidents here, above all {first}"
        case EvidenceKind.USUAL:
            return "no more fires on it than in most incidents here"
        case EvidenceKind.PARTS:
            parts = case.parts(ref)
            loud = [part for part in parts if part in case.surprise]
            shown = names(service_map, loud, len(loud))
            return f"{len(loud)} of its {len(parts)} parts alert{': ' + shown if loud else ''}"
        case EvidenceKind.SIBLINGS:
            alike = [one for one in case.siblings(ref) if case.surprise.get(one, 0.0) > 0]
            return f"its peers show the like: {names(service_map, alike, len(alike))}"
        case EvidenceKind.HOST:
            host = service_map.entities[ref].runs_on or ""
            return f"its host {service_map.label(host)} is affected as well"
        case EvidenceKind.CALLEES:
            worst = max(sorted(case.callees(ref)), key=case.value)
            return f"{service_map.label(worst)}, which it calls, is affected as well"
        case EvidenceKind.OWN_SIGNALS:
            return "what it says is of itself, not only of calls"
        case EvidenceKind.CALLER:
            return "more of the calls complained of come from it than usual"
        case EvidenceKind.TAUGHT:
            return f"a person confirmed the cause of {case.taught[ref][1]}, which looked like this"
        case EvidenceKind.CHANGED:
            return case.changed[ref][1]
        case _:
            return kind.value
