"""Recorded cases take the product's way: alert, looks, findings, ranking."""

import csv
import json
from pathlib import Path

import numpy as np

from tests.bench.declared import declared
from tests.bench.rootcause import main

NODES = ("front", "cart", "Cart", "db", "mail")
EDGES = (("front", "cart"), ("front", "mail"), ("cart", "db"), ("front", "Cart"))
OWN_S = {"front": 0.02, "cart": 0.03, "Cart": 0.01, "db": 0.05, "mail": 0.04}
STEP_S, PAST, SEEN = 300, 200, 5


def write(folder: Path, *, guilty: str, target: str | None) -> None:
    """A small shop whose guilty service takes a tenth of a second longer in the last samples."""
    chance = np.random.default_rng(7)
    rows = []
    for number in range(PAST + SEEN):
        own = {node: value * chance.lognormal(0, 0.05) for node, value in OWN_S.items()}
        own[guilty] += 0.1 if number >= PAST + 2 else 0.0
        for caller, callee in reversed(EDGES):
            own[caller] += own[callee]
        row = {"time": f"{number * STEP_S}"}
        for node in NODES:
            row[f"{node}|latency|Average"] = f"{own[node]:.6f}"
            row[f"{node}|latency|p99"] = f"{own[node] * 4:.6f}"
            row[f"{node}|requests|Sum"] = f"{chance.poisson(300)}"
            row[f"{node}|colour|Average"] = "1"
        row["mail|latency|Average"] = "" if number % 3 else row["mail|latency|Average"]
        rows.append(row)
    (folder / "cases").mkdir()
    for path, part in (("normal.csv", rows[:PAST]), ("cases/one.csv", rows[PAST:])):
        with (folder / path).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
    told = {"target": target, "metric": "latency" if target else None}
    told_at = {**told, "statistic": "Average", "time": (PAST + 2) * STEP_S - 20}
    (folder / "cases.json").write_text(json.dumps({"one": told_at}))
    (folder / "topology.json").write_text(json.dumps({"nodes": NODES, "edges": EDGES}))


def test_the_guilty_one_is_first_and_all_others_follow(tmp_path: Path) -> None:
    """With a complaint of the front and without any; names that differ by case stay apart."""
    for number, target in enumerate(("front", None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, guilty="db", target=target)
        out = folder / "ranking.json"

        assert 0 == main([str(folder), "--out", str(out)])
        (ranking,) = json.loads(out.read_text()).values()
        assert ("db", sorted(NODES)) == (ranking[0], sorted(ranking))


def test_a_metric_that_nobody_declared_is_left_out() -> None:
    """What it measures is not guessed."""
    assert declared("colour", "Average", np.ones(3)) is None


def test_a_share_is_told_from_percent_by_its_largest_value() -> None:
    """Availability up to 1 is a ratio, up to 100 percent."""
    units = [
        signal.unit
        for top in (1.0, 100.0)
        if (signal := declared("availability", "Average", np.array([0.2, top])))
    ]

    assert ["ratio", "percent"] == units
