"""A week's forecast of each series on standard input: a line of JSON each, one line each back.

`python -m tests.bench.forecast < series.jsonl`, with lines `{"id", "season", "h", "history"}`
(hourly values, oldest first); answers `{"mean", "lo", "hi", "p95"}`.
"""

import json
import sys

import numpy as np

from agent.reporting.capacity.forecast import forecast


def answer(line: str) -> str:
    """One line of the answer for one line asked."""
    asked = json.loads(line)
    told = forecast(np.array(asked["history"], dtype=np.float64), asked["h"])
    return json.dumps(
        {
            "mean": told.mean.tolist(),
            "lo": told.low.tolist(),
            "hi": told.high.tolist(),
            "p95": told.peak,
        }
    )


if __name__ == "__main__":
    for each in sys.stdin:
        print(answer(each), flush=True)
