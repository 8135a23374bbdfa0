"""All candidates of a case with what they are worth, and how the belief is shared among them."""

from dataclasses import dataclass, field
from math import exp

from agent.core.causes.worth import Case, Terms, terms
from agent.model.service import EntityRef

BELIEF_MIN = 0.02
BELIEFS_MAX = 40
BYSTANDERS_MAX = 60
"""So many entities that alerted before and are silent now might be it as well: worth 0."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidates of one case."""

    terms: dict[EntityRef, Terms] = field(default_factory=dict)
    worth: dict[EntityRef, float] = field(default_factory=dict)
    belief: dict[EntityRef, float] = field(default_factory=dict)
    """The share of each in e to the worth of all, bystanders among them."""

    def best(self, count: int) -> list[EntityRef]:
        """The first so many; of equals that with the smaller reference."""
        return sorted(self.worth, key=lambda ref: (-round(self.worth[ref], 9), ref))[:count]

    def beliefs(self) -> dict[EntityRef, float]:
        """What is believed enough to be remembered, the likeliest first."""
        likely = [ref for ref, share in self.belief.items() if share >= BELIEF_MIN]
        likely.sort(key=lambda ref: (-round(self.belief[ref], 9), ref))
        return {ref: round(self.belief[ref], 3) for ref in likely[:BELIEFS_MAX]}


def judge(case: Case) -> Judged:
    """Judge every candidate."""
    found = {ref: terms(case, ref) for ref in case.candidates()}
    worth = {ref: sum(pieces.values()) for ref, pieces in found.items()}
    silent = [ref for ref in case.experience.values if ref not in worth][:BYSTANDERS_MAX]
    peak = max((*worth.values(), *(0.0 for _ in silent)), default=0.0)
    weight = {ref: exp(value - peak) for ref, value in worth.items()}
    weight.update(dict.fromkeys(silent, exp(-peak)))
    total = sum(weight[ref] for ref in sorted(weight))
    return Judged(found, worth, {ref: share / total for ref, share in weight.items()})
