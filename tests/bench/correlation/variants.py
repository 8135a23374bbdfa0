"""The same faults in other circumstances: flapping, loss, joined systems, denser storms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from tests.bench.correlation import truth
from tests.bench.correlation.replay import replay
from tests.bench.correlation.score import Score, score
from tests.bench.correlation.truth import Drawn

ORDERS = 6


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to draw a stream anew."""

    name: str
    draw: Callable[[Drawn, int], Drawn]
    is_random: bool = True
    orders: int = 0
    """How often it is drawn; 0: as often as asked for."""


VARIANTS = (
    Variant("as recorded", lambda drawn, seed: drawn, is_random=False),
    Variant("10 % fire again", lambda drawn, seed: truth.firing_again(drawn, 0.1, seed)),
    Variant("50 % fire again", lambda drawn, seed: truth.firing_again(drawn, 0.5, seed)),
    Variant("half lost", lambda drawn, seed: truth.losing(drawn, 0.5, seed)),
    Variant(
        "repeats held back 300 s",
        lambda drawn, seed: truth.holding_back(drawn, 300.0),
        is_random=False,
    ),
    Variant(
        "repeats held back 600 s",
        lambda drawn, seed: truth.holding_back(drawn, 600.0),
        is_random=False,
    ),
    Variant("joined by a call", truth.joined),
    Variant("next after 1 to 2 lengths", lambda drawn, seed: truth.spaced(drawn, 1.0, 2.0, seed)),
    Variant(
        "next after .4 to 1.5 lengths", lambda drawn, seed: truth.spaced(drawn, 0.4, 1.5, seed)
    ),
    Variant("next after .2 to 1 lengths", lambda drawn, seed: truth.spaced(drawn, 0.2, 1.0, seed)),
    Variant("faults in another order", truth.shuffled, orders=ORDERS),
)


def table(folder: Path, seeds: int, only: str = "") -> str:
    """The mean scores of all variants of a stream, one a line."""
    drawn = read(folder)
    head = f"{'variant':30} {'F1':>6} {'worst':>6} {'inc/fault':>9} {'top-1':>6} {'top-3':>6}"
    return "\n".join([f"{head} {'delay s':>8} {'problem':>8}", *_rows(drawn, seeds, only)])


def read(folder: Path) -> Drawn:
    """The stream of a folder with its truth."""
    return truth.read_truth(folder)


def _rows(drawn: Drawn, seeds: int, only: str) -> Iterator[str]:
    for variant in VARIANTS:
        if only not in variant.name:
            continue
        draws = (variant.orders or seeds) if variant.is_random else 1
        scores = [_score(variant.draw(drawn, seed)) for seed in range(draws)]
        yield (
            f"{variant.name:30} {mean(s.f1 for s in scores):6.3f} {min(s.f1 for s in scores):6.3f} "
            f"{mean(s.per_fault for s in scores):9.3f} {mean(s.top1 for s in scores):6.3f} "
            f"{mean(s.top3 for s in scores):6.3f} {mean(s.delay_s for s in scores):8.1f} "
            f"{mean(s.problem_f1 for s in scores):8.3f}"
        )


def _score(drawn: Drawn) -> Score:
    return score(drawn, replay(drawn.stream))
