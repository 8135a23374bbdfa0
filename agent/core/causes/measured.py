"""Where metrics were looked at, the candidates of an incident are ranked by them as well.

Not here: what alerts say (`ranking`), what metrics say (`net_impact`).
"""

from collections.abc import Sequence
from dataclasses import replace

from agent.core.causes.look import certainty, rank_all
from agent.core.causes.net_impact import Vote
from agent.core.causes.net_impact_words import spoken_against, spoken_for
from agent.core.state import State
from agent.model.incident import Cause
from agent.model.service import EntityRef, ServiceMap
from agent.model.signal import Look


def with_metrics(state: State, incident: str, causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """All candidates, those of the metrics among them, best first; unchanged where none was looked.

    Metrics count by the chance that they show more than an accident. Where a single entity
    alerts they count alone: its alerts say who suffers, not why.
    """
    looking, ranked = state.looking.get(incident), rank_all(state, incident)
    top = ranked[0].score if ranked else 0.0
    if looking is None or looking.look is None or top <= 0.0:
        return tuple(causes)
    alerting = state.members[incident].entities if incident in state.members else {}
    share = certainty(state, incident) if len(alerting) > 1 else 1.0
    most = max((cause.score for cause in causes), default=0.0)
    by_alerts = {cause.entity: cause for cause in causes}
    votes = {vote.entity: vote for vote in ranked}
    scores = {
        ref: share * _part(votes[ref].score if ref in votes else 0.0, top)
        + (1.0 - share) * _part(by_alerts[ref].score if ref in by_alerts else 0.0, most)
        for ref in (*votes, *(ref for ref in by_alerts if ref not in votes))
    }
    # of equals the one for which alerts speak comes first
    order = sorted(scores, key=lambda ref: (-scores[ref], -_score(by_alerts.get(ref)), ref))
    service_map = state.config.service_map
    return tuple(
        _joined(
            by_alerts.get(ref) or _silent(ref, bool(alerting.get(ref))),
            votes.get(ref),
            scores[ref],
            (ranked, looking.look, service_map),
        )
        for ref in order
    )


def full_ranking(state: State, incident: str) -> tuple[EntityRef, ...]:
    """Every candidate, best first: those that people are shown, then all others measured."""
    shown = [cause.entity for cause in state.incidents[incident].causes]
    measured = (vote.entity for vote in rank_all(state, incident))
    return tuple(dict.fromkeys((*shown, *measured)))


def _part(value: float, most: float) -> float:
    return value / most if most > 0.0 else 0.0


def _score(cause: Cause | None) -> float:
    return cause.score if cause else 0.0


def _silent(ref: EntityRef, alerting: bool) -> Cause:
    return Cause(entity=ref, score=0.0, evidence_for=(), evidence_against=(), alerting=alerting)


def _joined(
    cause: Cause,
    vote: Vote | None,
    score: float,
    seen: tuple[Sequence[Vote], Look, ServiceMap],
) -> Cause:
    ranked, look, service_map = seen
    if vote is None:
        return replace(cause, score=round(score, 3))
    return replace(
        cause,
        score=round(score, 3),
        evidence_for=(*spoken_for(vote, look), *cause.evidence_for),
        evidence_against=(
            *cause.evidence_against,
            *spoken_against(vote, ranked, look, service_map),
        ),
    )
