"""Digests of simulated worlds, for processes that are to be compared."""

import hashlib
import sys
from collections.abc import Iterable

from agent.core.state import State
from agent.core.step import step
from agent.runtime.codec import digest_of
from agent.sim.plan import plan_of
from agent.sim.run import live_through

LOOKED_AT_EVERY = 25


def digests(seeds: Iterable[int]) -> list[str]:
    """For each world, a digest of the state at the end and of all that followed on the way."""
    found: list[str] = []
    for seed in seeds:
        state = State.empty()
        followed = hashlib.sha256()
        for entry in live_through(plan_of(seed)).journal:
            followed.update(repr(step(state, entry)).encode())
            if entry.number % LOOKED_AT_EVERY == 0:
                followed.update(digest_of(state).encode())
        found.append(f"{digest_of(state)} {followed.hexdigest()}")
    return found


if __name__ == "__main__":
    for line in digests(int(seed) for seed in sys.argv[1:]):
        sys.stdout.write(f"{line}\n")
