"""Harder versions of recorded cases: plain accuracy is saturated and would catch no regression."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tests.bench.rootcause import Case, Table

SHORT = 60
SHARE = 0.3

Harden = Callable[[Case, np.random.Generator], Case]
Rank = Callable[[Case], Sequence[str]]


def plain(case: Case, chance: np.random.Generator) -> Case:
    """As it was recorded."""
    return case


def withheld(case: Case, chance: np.random.Generator) -> Case:
    """Nobody says who complains, and about what."""
    return replace(case, target=None, metric=None)


def shrunk(share: float) -> Harden:
    """The incident shrunk to a share, the rest drawn from normal values."""

    def harden(case: Case, chance: np.random.Generator) -> Case:
        samples, normal = case.samples, case.normal
        drawn = normal.values[chance.integers(len(normal.times), size=len(samples.times))]
        places = {column: number for number, column in enumerate(normal.columns)}
        unknown = np.full(len(samples.times), np.nan)
        rest = np.stack(
            [drawn[:, places[c]] if c in places else unknown for c in samples.columns], axis=1
        )
        mixed = share * samples.values + (1 - share) * rest
        values = np.where(np.isfinite(mixed), mixed, samples.values)
        return replace(case, samples=replace(samples, values=values))

    return harden


def fewer_edges(case: Case, chance: np.random.Generator) -> Case:
    """30 % of the calls are not on the map."""
    kept = chance.random(len(case.edges)) >= SHARE
    edges = tuple(edge for edge, keep in zip(case.edges, kept, strict=True) if keep)
    return replace(case, edges=edges)


def silent(innocent: Mapping[str, frozenset[str]]) -> Harden:
    """No data of 30 % of the services, the guilty and the complaining ones left out."""

    def harden(case: Case, chance: np.random.Generator) -> Case:
        entities = sorted({column.rsplit("|", 2)[0] for column in case.samples.columns})
        spared = {*innocent[case.name], case.target}
        gone = {each for each in entities if chance.random() < SHARE and each not in spared}
        return _without(case, lambda column: column.rsplit("|", 2)[0] in gone)

    return harden


def uncounted(case: Case, chance: np.random.Generator) -> Case:
    """30 % of the request counts of the incident are missing."""
    values = case.samples.values.copy()
    for number, column in enumerate(case.samples.columns):
        if column.rsplit("|", 2)[1] == "requests":
            values[chance.random(len(values)) < SHARE, number] = np.nan
    return replace(case, samples=replace(case.samples, values=values))


def never_counted(case: Case, chance: np.random.Generator) -> Case:
    """Of 30 % of the services nobody ever counted requests."""
    counts = [c for c in case.samples.columns if c.rsplit("|", 2)[1] == "requests"]
    gone = {column for column in counts if chance.random() < SHARE}
    return _without(case, lambda column: column in gone)


def short(case: Case, chance: np.random.Generator) -> Case:
    """Sixty samples of history."""
    normal = case.normal
    first = int(chance.integers(max(1, len(normal.times) - SHORT)))
    rows = slice(first, first + SHORT)
    return replace(
        case, normal=replace(normal, times=normal.times[rows], values=normal.values[rows])
    )


def _without(case: Case, is_gone: Callable[[str], bool]) -> Case:
    kept = [n for n, column in enumerate(case.samples.columns) if not is_gone(column)]
    columns = tuple(case.samples.columns[number] for number in kept)
    return replace(case, samples=Table(columns, case.samples.times, case.samples.values[:, kept]))


def report(
    cases: Sequence[Case], causes: Mapping[str, frozenset[str]], rank: Rank, seeds: int
) -> str:
    """The share of cases with a true cause on top, and among the first three, by variant."""
    variants: tuple[tuple[str, Harden, int, tuple[float, float] | None], ...] = (
        ("as recorded", plain, 1, (0.95, 1.00)),
        ("complaint withheld", withheld, 1, (0.95, 1.00)),
        ("shrunk to a half", shrunk(0.5), seeds, None),
        ("shrunk to a quarter", shrunk(0.25), seeds, (0.88, 0.98)),
        ("shrunk to an eighth", shrunk(0.12), seeds, None),
        ("30 % of edges missing", fewer_edges, seeds, (0.80, 0.96)),
        ("30 % of services silent", silent(causes), seeds, None),
        ("30 % of counts missing", uncounted, seeds, None),
        ("30 % never counted", never_counted, seeds, None),
        ("60 samples of history", short, seeds, (0.96, 1.00)),
    )
    lines = ["| variant | top-1 | top-3 | target |", "|---|---|---|---|"]
    for name, harden, draws, target in variants:
        ranks = [
            _rank_of(rank(harden(case, np.random.default_rng((seed, number)))), causes[case.name])
            for seed in range(draws)
            for number, case in enumerate(cases)
        ]
        top = [sum(1 for each in ranks if each is not None and each <= k) for k in (1, 3)]
        wanted = f"{target[0]:.2f} / {target[1]:.2f}" if target else ""
        shares = " | ".join(f"{count / len(ranks):.3f}" for count in top)
        lines.append(f"| {name} | {shares} | {wanted} |")
    return "\n".join(lines)


def _rank_of(ranking: Sequence[str], causes: frozenset[str]) -> int | None:
    return next((place for place, each in enumerate(ranking, 1) if each in causes), None)
