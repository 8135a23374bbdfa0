"""Where alerts and map do not agree, as a page tells it: the claim first, its counts below."""

from dataclasses import dataclass

from agent.model.service import ServiceMap
from agent.model.suggestion import MissingEdge, Nowhere, SilentEdge, Suggestions
from agent.web.views.words import Link, counted, entity_label, listing

NEVER_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionRow:
    """One disagreement."""

    claim: str
    refs: str
    counts: str
    incidents: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionsView:
    """The whole page."""

    basis: str
    is_compared: bool
    """False before the first incident closed: then nothing is known, good or bad."""
    missing: tuple[SuggestionRow, ...]
    silent: tuple[SuggestionRow, ...]
    nowhere: tuple[SuggestionRow, ...]
    never: str


def suggestions_view(found: Suggestions, service_map: ServiceMap) -> SuggestionsView:
    """The page over these suggestions."""
    storms = f"; {counted(found.storms, 'storm')} left out" if found.storms else ""
    return SuggestionsView(
        basis=f"{counted(found.episodes, 'episode')} of alerts compared{storms}",
        is_compared=found.episodes > 0,
        missing=tuple(_missing(edge, service_map) for edge in found.missing),
        silent=tuple(_silent(edge, service_map) for edge in found.silent),
        nowhere=tuple(map(_nowhere, found.nowhere)),
        never=_never(found, service_map),
    )


def _missing(edge: MissingEdge, service_map: ServiceMap) -> SuggestionRow:
    upper, lower = entity_label(edge.upper, service_map), entity_label(edge.lower, service_map)
    claim = f"{upper} may rest on {lower}"
    if not edge.is_direction_sure:
        claim = f"{upper} and {lower} may rest on each other or on the same"
    return SuggestionRow(
        claim=claim,
        refs=f"{edge.upper} and {edge.lower}",
        counts=f"{edge.both} times together, {edge.upper_alone} and {edge.lower_alone} times "
        f"alone, of {edge.episodes}; {edge.lift:.1f} times more often than by chance "
        f"({edge.expected:.1e} such pairs expected); {lower} began first in {edge.first}",
        incidents=_links(edge.examples),
    )


def _silent(edge: SilentEdge, service_map: ServiceMap) -> SuggestionRow:
    upper, lower = entity_label(edge.upper, service_map), entity_label(edge.lower, service_map)
    return SuggestionRow(
        claim=f"{upper} did not suffer from {lower}",
        refs=f"{edge.upper} rests on {edge.lower}",
        counts=f"{counted(edge.failures, 'failure')} below, none above: at most "
        f"{edge.carries_at_most:.0%} of them are carried (95 %)",
        incidents=_links(edge.examples),
    )


def _nowhere(row: Nowhere) -> SuggestionRow:
    missed = f", at most {row.missed} of them of others" if row.missed else ""
    return SuggestionRow(
        claim=", ".join(row.labels),
        refs=listing(row.names),
        counts=counted(row.alerts, "alert") + missed,
    )


def _never(found: Suggestions, service_map: ServiceMap) -> str:
    shown = [entity_label(ref, service_map) for ref in found.never_heard[:NEVER_SHOWN_MAX]]
    more = found.never_heard_count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _links(incidents: tuple[str, ...]) -> tuple[Link, ...]:
    return tuple(Link(text=name, href=f"/incidents/{name}") for name in incidents)
