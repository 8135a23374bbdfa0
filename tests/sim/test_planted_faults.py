"""The checkers are worth something: whatever is broken in the core on purpose, they find."""

import os
import subprocess
import sys

import pytest

from agent.core import step as step_module
from agent.sim.run import simulate
from tests.sim.plants import PLANTS, Plant

SEEDS = 200
"""A planted fault must be found within this many worlds."""


def found_by(seeds: range) -> str | None:
    """The first checker that finds something wrong in these worlds."""
    for seed in seeds:
        report = simulate(seed)
        if report.violations:
            return report.violations[0].checker
    return None


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise that the fault breaks is the one that is reported."""
    for module in plant.modules:
        monkeypatch.setattr(module, plant.function, plant.wrong)
    assert found_by(range(SEEDS)) in plant.noticed_by


def test_stages_in_another_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket written before the incident lives on tells the tool what was so before."""
    others = tuple(stage for stage in step_module.STAGES if stage is not step_module.sync.sync)
    monkeypatch.setattr(step_module, "STAGES", (step_module.sync.sync, *others))
    assert found_by(range(SEEDS)) == "OneTicketAnIncident"


SET_ORDER = """
from agent.model.service import ServiceMap
from tests.core.digest_of_seeds import digests
sorted_below = ServiceMap.below
def below(self, ref, hops):
    return list(set(sorted_below(self, ref, hops)))
ServiceMap.below = below
print(digests([3, 4, 5]))
"""


def test_iteration_over_a_set_is_found() -> None:
    """Two processes with different hash seeds disagree as soon as one set is walked unsorted."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", SET_ORDER],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert len(digests) > 1
