"""Three hundred worlds in every run: whatever breaks, lies or dies there, every promise holds."""

import pytest

from agent.runtime.codec import decode_state, digest_of, encode_state
from agent.sim.plan import plan_of
from agent.sim.run import live_through, run_many
from agent.sim.watch import Codec

SEEDS = 120
PROCESSES = 2

BYTES = Codec(
    keep=encode_state,
    restore=lambda kept, config: decode_state(kept, config) if isinstance(kept, bytes) else None,  # type: ignore[arg-type, return-value]
    digest=digest_of,
)
"""Snapshots as the shipped process keeps them."""


def test_every_promise_holds_in_every_world() -> None:
    """No seed breaks an invariant; a failure names the line that repeats it."""
    reports = run_many(range(SEEDS), processes=PROCESSES)
    assert [] == [str(report) for report in reports if report.violations]
    assert sum(report.entries for report in reports) > 100 * SEEDS, "the worlds must be lively"


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_snapshots_as_bytes_hold_everything(seed: int) -> None:
    """After each crash the state read from a real snapshot and the tail is the one that died."""
    assert () == live_through(plan_of(seed), BYTES).violations


def test_a_seed_is_the_same_world_every_time() -> None:
    """What is reported can be repeated."""
    first, second = live_through(plan_of(7)), live_through(plan_of(7))
    assert first.journal == second.journal
