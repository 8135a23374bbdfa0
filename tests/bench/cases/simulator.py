"""How fast the simulator goes through entries: what bounds how many worlds a test run can visit."""

import json
import subprocess

from tests.bench.contenders import WATCHKEEPER, our_program
from tests.bench.figures import Figure, Side, value_at_least
from tests.bench.rounds import Session
from tests.bench.servers import Unavailable

SIMULATE_WITHIN_S = 300


def run(session: Session) -> list[Figure]:
    """Entries a second over many seeds, by the simulator's own account of both."""
    seeds = session.size(100, quick=20)
    try:
        rates = tuple(_entries_per_s(seeds) for _ in range(session.rounds))
        ours = Side(name=WATCHKEEPER, values=rates)
    except Unavailable as error:
        ours = Side(name=WATCHKEEPER, missing=str(error))
    name = f"simulator, {seeds} seeds"
    return [Figure(name=name, unit="entries/s", ours=ours, goal=value_at_least(5_000))]


def _entries_per_s(seeds: int) -> float:
    command = [our_program(), "sim", "--seeds", str(seeds), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SIMULATE_WITHIN_S, check=False
    )
    if done.returncode != 0:
        raise Unavailable(f"sim failed: {(done.stderr.strip().splitlines() or ['silently'])[-1]}")
    summary = json.loads(done.stdout.strip().splitlines()[-1])
    return float(summary["entries"]) / float(summary["elapsed_s"])
