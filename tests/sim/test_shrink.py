"""A failing world becomes one that can be read."""

from pathlib import Path

import pytest

from agent.core.policy import attempts
from agent.sim.plan import plan_of
from agent.sim.run import simulate
from agent.sim.scenario_schema import read_scenarios
from agent.sim.shrink import scenario_of, shrink
from tests.sim.plants import PLANTS


def test_what_is_left_breaks_the_same_promise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Fewer happenings, the same checker, and a scenario that the reader takes."""
    plant = next(plant for plant in PLANTS if plant.function == "_tried_enough")
    monkeypatch.setattr(attempts, plant.function, plant.wrong)
    seed = next(seed for seed in range(50) if simulate(seed).violations)
    lived = shrink(seed)
    file = tmp_path / "shrunk.yaml"
    file.write_text(scenario_of(lived), encoding="utf-8")

    assert lived.violations[0].checker in plant.noticed_by
    assert len(lived.plan.happenings) < len(plan_of(seed).happenings) / 2
    assert [f"seed-{seed}"] == [scenario.name for scenario in read_scenarios(file)]
