"""Votes of metrics in sentences: what an entity lost, what of it is its own, what speaks against.

Not here: the votes themselves (`net_impact`).
"""

from collections.abc import Sequence
from datetime import timedelta

from agent.core.causes.net_impact import BETWEEN, UNREACHED, Term, Vote
from agent.model.service import EntityRef, ServiceMap
from agent.model.signal import Finding, Look, SignalKind

NAMED_MAX = 3
CLEAR_RATIO = 1.5
"""A winner with less than this over the second is not clear."""
NEWS_CHANCE = 0.9
"""A sample that is odd with less chance is no finding worth a sentence."""


def spoken_for(vote: Vote, look: Look) -> tuple[str, ...]:
    """Why the metrics point at it, strongest first."""
    return tuple(_term(term, vote.entity, look) for term in vote.terms[:NAMED_MAX])


def spoken_against(
    vote: Vote, ranked: Sequence[Vote], look: Look, service_map: ServiceMap
) -> tuple[str, ...]:
    """Why they may be wrong about it."""
    said: list[str] = []
    if vote.terms and not any(each.chance >= NEWS_CHANCE for each in look.findings):
        said.append("no metric shows more than calm ones do by accident")
    own = {term.kind for term in vote.terms}
    for finding in look.findings:
        if finding.entity == vote.entity and finding.chance >= NEWS_CHANCE:
            said += _accounted(finding) if finding.kind not in own else []
    if not vote.is_reached and vote.terms:
        said.append(f"no call leads from a complaint to it: counts {UNREACHED:g} of its weight")
    if ranked and vote.entity == ranked[0].entity and (rival := close_rival(ranked)):
        said.append(f"{service_map.label(rival.entity)} is nearly as likely by metrics")
    if vote.entity in look.unknown:
        said.append("no data of it: neither well nor guilty by metrics")
    return tuple(said)


def close_rival(ranked: Sequence[Vote]) -> Vote | None:
    """The second, where the first does not have clearly more."""
    if len(ranked) < 2 or ranked[1].score <= 0.0:
        return None
    return ranked[1] if ranked[0].score < CLEAR_RATIO * ranked[1].score else None


def summary(look: Look, ranked: Sequence[Vote], service_map: ServiceMap) -> str:
    """One line for the timeline: the winner, why, the runner-up, and of whom there is no data."""
    entities = {finding.entity for finding in look.findings}
    parts = [f"looked at the metrics of {len(entities)} entities"]
    if ranked and ranked[0].terms and ranked[0].score > 0.0:
        first = ranked[0]
        why = spoken_for(first, look)[0]
        parts.append(f"{service_map.label(first.entity)}: {why}")
        if len(ranked) > 1 and ranked[1].score > 0.0:
            ratio = first.score / ranked[1].score
            parts.append(f"{_times(ratio)} as likely as {service_map.label(ranked[1].entity)}")
    else:
        parts.append("nothing unusual")
    if look.unknown:
        names = ", ".join(service_map.label(ref) for ref in look.unknown[:NAMED_MAX])
        more = len(look.unknown) - NAMED_MAX
        parts.append(f"no data of {names}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)


def _term(term: Term, entity: EntityRef, look: Look) -> str:
    span = _span(look.end - look.start)
    match term.kind:
        case SignalKind.LATENCY:
            return f"lost {_number(term.own + term.below)} s in {span}, {_below(term, 's')}"
        case SignalKind.ERRORS:
            whole = _number(term.own + term.below)
            return f"failed {whole} requests in {span}, {_below(term, 'of them')}"
        case SignalKind.MISSING_CALLS:
            return f"sent {_number(term.own)} requests fewer than usual in {span}"
        case SignalKind.RESOURCE | SignalKind.TRAFFIC:
            oddest = _oddest(look, entity, term.kind)
            name = oddest.signal if oddest else term.kind
            return f"{name} is beyond what its requests explain (surprise {_number(term.own)})"
        case _:
            assert term.kind == BETWEEN, "every kind has a sentence"
            return f"{_number(term.own)} s were lost on the way to it or from it in {span}"


def _below(term: Term, unit: str) -> str:
    if not term.callees:
        return "and calls nobody that is known"
    return f"its callees account for {_number(term.below)} {unit}"


def _accounted(finding: Finding) -> list[str]:
    lost = _number(finding.impact)
    if finding.kind is SignalKind.LATENCY:
        return [f"lost {lost} s, but its callees account for all of it"]
    if finding.kind is SignalKind.ERRORS:
        return [f"failed {lost} requests, but its callees account for all of them"]
    return []


def _oddest(look: Look, entity: EntityRef, kind: str) -> Finding | None:
    found = [each for each in look.findings if each.entity == entity and each.kind == kind]
    return max(found, key=lambda each: each.surprise, default=None)


def _span(length: timedelta) -> str:
    minutes = max(1, round(length.total_seconds() / 60))
    return f"{minutes} minutes" if minutes != 1 else "1 minute"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 100 else "over 100 times"


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
