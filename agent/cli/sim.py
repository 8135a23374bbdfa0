"""`watchkeeper sim`: seeded worlds full of faults, and what did not hold in them."""

import json
import os
import time

from agent.sim.run import Report, run_many, simulate

FOUND_SHOWN_MAX = 10


def sim(*, seed: int | None, seeds: int, first: int, as_json: bool) -> int:
    """Live through worlds; 1 where a promise did not hold."""
    began = time.perf_counter()
    if seed is not None:
        reports: list[Report] = [simulate(seed)]
    else:
        reports = list(run_many(range(first, first + seeds), processes=os.cpu_count() or 1))
    broken = [report for report in reports if report.violations]
    if as_json:
        print(
            json.dumps(
                {
                    "worlds": len(reports),
                    "entries": sum(report.entries for report in reports),
                    "elapsed_s": round(time.perf_counter() - began, 3),
                    "broken_seeds": [report.seed for report in broken],
                }
            )
        )
    else:
        _tell(reports, broken, time.perf_counter() - began)
    return 1 if broken else 0


def _tell(reports: list[Report], broken: list[Report], elapsed_s: float) -> None:
    entries = sum(report.entries for report in reports)
    for report in broken[:FOUND_SHOWN_MAX]:
        print(report)
    if len(reports) == 1 and not broken:
        print(reports[0])
        return
    rate = entries / elapsed_s if elapsed_s else 0.0
    print(
        f"{len(reports)} worlds, {entries} entries in {elapsed_s:.1f} s ({rate:,.0f} a second): "
        + (f"{len(broken)} broke a promise" if broken else "every promise held")
    )
