"""How well incidents fit the faults that were injected.

Pairs of alerts are judged (Rand's index, as precision, recall and F1); an alert in no incident
stands alone. A fault is met by the incident that overlaps most with it (Jaccard).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from statistics import median

from tests.bench.correlation.replay import Told
from tests.bench.correlation.truth import Drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The figures of one stream."""

    f1: float
    per_fault: float
    """Incidents made for each fault."""
    top1: float
    top3: float
    delay_s: float
    """Median of the time from a fault's first alert to its incident."""
    problem_f1: float


def score(drawn: Drawn, told: list[Told]) -> Score:
    """The figures of what the agent told of a stream."""
    guess: dict[str, str] = {}
    for incident in told:
        for alert in incident.alerts:
            guess.setdefault(alert, incident.id)
    owner = drawn.owner
    for alert in owner:
        guess.setdefault(alert, f"alone {alert}")
    met = _met(owner, guess)
    by_id = {incident.id: incident for incident in told}
    first: dict[str, float] = {}
    for line in drawn.stream.lines:
        first.setdefault(owner[line.id], line.time)
    ranks: list[int | None] = []
    delays: list[float] = []
    labels: dict[str, Hashable] = {}
    problems: dict[str, Hashable] = {}
    for name, fault in drawn.faults.items():
        one = by_id.get(met.get(name, ""))
        causes = one.causes if one else []
        ranks.append(causes.index(fault.entity) + 1 if fault.entity in causes else None)
        if one:
            delays.append(max(0.0, one.opened_at - first[name]))
        labels[name] = (fault.entity, fault.type)
        problems[name] = (one and one.problem) or ("none", name)
    return Score(
        f1=pairwise_f1(owner, guess),
        per_fault=len({guess[alert] for alert in owner}) / len(drawn.faults),
        top1=_within(ranks, 1),
        top3=_within(ranks, 3),
        delay_s=median(delays) if delays else 0.0,
        problem_f1=pairwise_f1(labels, problems),
    )


def pairwise_f1(truth: Mapping[str, Hashable], guess: Mapping[str, Hashable]) -> float:
    """Harmonic mean of precision and recall over all pairs of items that are put together."""
    together = _pairs(Counter((label, guess[item]) for item, label in truth.items()))
    true = _pairs(Counter(truth.values()))
    told = _pairs(Counter(guess[item] for item in truth))
    precision = together / told if told else 1.0
    recall = together / true if true else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _pairs(counts: Mapping[object, int]) -> float:
    return sum(count * (count - 1) / 2 for count in counts.values())


def _met(owner: Mapping[str, str], guess: Mapping[str, str]) -> dict[str, str]:
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    for alert, fault in owner.items():
        inside[fault][guess[alert]] += 1
    size, true = Counter(guess[alert] for alert in owner), Counter(owner.values())
    return {
        fault: max(
            counts,
            key=lambda one: (counts[one] / (size[one] + true[fault] - counts[one]), one),
        )
        for fault, counts in inside.items()
    }


def _within(ranks: list[int | None], limit: int) -> float:
    return sum(1 for rank in ranks if rank and rank <= limit) / len(ranks)
