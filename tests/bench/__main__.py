"""`python -m tests.bench`: run the cases, print ratios. See docs/benchmarks.md."""

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import baselines, report
from tests.bench.figures import Figure
from tests.bench.rounds import Session

CASES = ("ingest", "single", "latency", "growth", "rules", "recovery", "simulator")
LOAD_QUIET = 1.0
"""Above this load average the machine is not quiet: ratios still hold, values do not."""


def main() -> int:
    """Run the cases asked for; 0 even where a goal is missed, since the table says so."""
    options = _options()
    load_before = os.getloadavg()[0]
    if load_before > LOAD_QUIET:
        print(f"bench: load average is {load_before:.1f}: trust ratios only", file=sys.stderr)
    baselines.CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=baselines.CACHE))
    session = Session(folder=folder, rounds=options.rounds, quick=options.quick)
    figures: dict[str, list[Figure]] = {}
    try:
        for case in options.only:
            session.say(case)
            module = importlib.import_module(f"tests.bench.cases.{case}")
            figures[case] = module.run(session)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if figures:
            print(report.table(figures))
            if options.json:
                report.write_json(
                    options.json, figures, rounds=options.rounds, load_before=load_before
                )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", default=",".join(CASES), help=f"cases, by comma: {', '.join(CASES)}"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything, one round")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (3; quick: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all values there")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := [case for case in options.only if case not in CASES]:
        parser.error(f"unknown case {unknown[0]!r}; there are {', '.join(CASES)}")
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    sys.exit(main())
