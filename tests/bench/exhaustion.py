"""Days until each volume on standard input is full: a line of JSON each, one line each back.

`python -m tests.bench.exhaustion < volumes.jsonl`, with lines `{"id", "history", "capacity"}`
(daily readings, oldest first); answers `{"days", "lo", "hi", "p30"}`, null for not in sight.
"""

import json
import sys

import numpy as np

from agent.reporting.capacity.exhaustion import exhaustion


def answer(line: str) -> str:
    """One line of the answer for one line asked."""
    asked = json.loads(line)
    told = exhaustion(np.array(asked["history"], dtype=np.float64), asked["capacity"])
    return json.dumps(
        {"days": told.days, "lo": told.earliest, "hi": told.latest, "p30": told.chance_soon}
    )


if __name__ == "__main__":
    for each in sys.stdin:
        print(answer(each), flush=True)
