"""The same journal gives the same state and the same effects, in any process."""

import os
import subprocess
import sys

SEEDS = ("2", "11", "23")


def digests(hash_seed: str) -> str:
    """What a process of its own makes of the worlds."""
    return subprocess.run(
        [sys.executable, "-m", "tests.core.digest_of_seeds", *SEEDS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def test_processes_with_different_hash_seeds_agree() -> None:
    """No decision, record or effect depends on the order in which a process hashes (I4)."""
    first = digests("1")
    assert len(first.splitlines()) == len(SEEDS)
    assert first == digests("4242")
