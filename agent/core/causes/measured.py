"""Where metrics were looked at: what they say of each candidate, and how far they are believed.

Not here: what alerts say (`worth`), what metrics say (`net_impact`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.causes.look import certainty, rank_all
from agent.core.causes.net_impact import Vote
from agent.core.causes.net_impact_words import spoken_against, spoken_for
from agent.core.state import State
from agent.model.service import EntityRef, ServiceMap
from agent.model.signal import Look


@dataclass(frozen=True, slots=True)
class Measured:
    """What metrics say of the candidates of one incident."""

    share: float = 0.0
    """How much they count against what alerts say, 0 to 1."""
    ranked: tuple[Vote, ...] = ()
    look: Look | None = None
    votes: Mapping[EntityRef, Vote] = field(default_factory=dict)

    def part(self, ref: EntityRef) -> float:
        """What they say against a candidate in parts of the most that they say, 0 to 1."""
        top = self.ranked[0].score if self.ranked else 0.0
        return self.votes[ref].score / top if top > 0.0 and ref in self.votes else 0.0

    def words(
        self, ref: EntityRef, service_map: ServiceMap
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What they say for a candidate and against it."""
        vote = self.votes.get(ref)
        if vote is None or self.look is None:
            return (), ()
        against = spoken_against(vote, self.ranked, self.look, service_map)
        return spoken_for(vote, self.look), tuple(against)


NOTHING_MEASURED = Measured()


def measured(state: State, incident: str) -> Measured:
    """What was measured around an incident.

    Metrics count by how surely they show more than accidents. Where one entity alerts, of what a
    signal measures, they count alone: such an alert says who suffers, not why.
    """
    looking, ranked = state.looking.get(incident), rank_all(state, incident)
    if looking is None or looking.look is None or not ranked or ranked[0].score <= 0.0:
        return NOTHING_MEASURED
    alerting = state.members[incident].entities if incident in state.members else {}
    is_told = _only_symptoms(alerting, looking.look)
    return Measured(
        share=1.0 if is_told else certainty(state, incident),
        ranked=ranked,
        look=looking.look,
        votes={vote.entity: vote for vote in ranked},
    )


def _only_symptoms(alerting: Mapping[EntityRef, int], look: Look) -> bool:
    """Whether the alerts tell of no more than one sufferer."""
    said = (complaint for complaint in look.complaints if complaint.entity is not None)
    return len(alerting) <= 1 and all(complaint.kind is not None for complaint in said)


def full_ranking(state: State, incident: str) -> tuple[EntityRef, ...]:
    """Every candidate, best first: those that people are shown, then all others measured."""
    shown = [cause.entity for cause in state.incidents[incident].causes]
    others = (vote.entity for vote in rank_all(state, incident))
    return tuple(dict.fromkeys((*shown, *others)))
