"""A size for each series on standard input: a line of JSON each, one line each back.

`python -m tests.bench.rightsizing [KNOB] < series.jsonl`, with lines `{"id", "metric", "history"}`
(hourly use, oldest first; metric `cpu` or `memory`); answers `{"request"}` in the same unit.
"""

import json
import sys

import numpy as np

from agent.reporting.capacity.rightsizing import DEFAULT_KNOB, Metric, request


def answer(line: str, knob: float) -> str:
    """One line of the answer for one line asked."""
    asked = json.loads(line)
    history = np.array(asked["history"], dtype=np.float64)
    return json.dumps({"request": request(history, Metric(asked["metric"]), knob)})


if __name__ == "__main__":
    setting = float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_KNOB
    for each in sys.stdin:
        print(answer(each, setting), flush=True)
