"""How a remediation did before on targets of this kind: counted, with a bound for what it is worth.

The bound is the lower end of Wilson's score interval at 95 % (Wilson 1927): with few runs it is
low, however well they went. Not here: which rule may act alone (`autonomy`).
"""

import math
from dataclasses import dataclass

from agent.core.policy.memory import RESULT_KINDS_MAX, RESULTS_KEPT_MAX
from agent.core.state import State
from agent.model.change import Change, Closure

Z_95 = 1.959964
"""Two-sided 95 % of the normal distribution."""
RUNS_MIN = 5
"""Fewer results than this say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The latest results, at most `RESULTS_KEPT_MAX`."""

    successes: int
    failures: int
    has_last_failed: bool

    @property
    def runs(self) -> int:
        """How many there are."""
        return self.successes + self.failures

    @property
    def success_rate_low(self) -> float:
        """What share helps, at least, at 95 % confidence; 0 where nothing is known."""
        return wilson_low(self.successes, self.runs)


def wilson_low(successes: int, runs: int) -> float:
    """The lower end of Wilson's score interval for a share, from 0 to 1; 0 without runs."""
    if runs == 0:
        return 0.0
    share, z2 = successes / runs, Z_95 * Z_95
    centre = share + z2 / (2 * runs)
    spread = Z_95 * math.sqrt((share * (1 - share) + z2 / (4 * runs)) / runs)
    return max(0.0, (centre - spread) / (1 + z2 / runs))


def history_of(state: State, change: Change) -> History:
    """How this remediation did before on this kind of target."""
    results = state.gate.results.get(_key(state, change), [])
    return History(
        successes=sum(results),
        failures=len(results) - sum(results),
        has_last_failed=bool(results) and not results[-1],
    )


def note_result(state: State, change: Change, closure: Closure) -> None:
    """A change that had begun is over: remember whether it helped, where anybody can tell."""
    helped = {Closure.SUCCESS: True, Closure.FAILED: False, Closure.ROLLED_BACK: False}
    if change.started_at is None or closure not in helped:
        return
    key = _key(state, change)
    results = state.gate.results.pop(key, [])
    state.gate.results[key] = [*results, helped[closure]][-RESULTS_KEPT_MAX:]
    while len(state.gate.results) > RESULT_KINDS_MAX:
        del state.gate.results[next(iter(state.gate.results))]


def _key(state: State, change: Change) -> str:
    entity = state.config.service_map.entities.get(change.entity)
    kind = f"{entity.kind}/{entity.type}" if entity else "unknown"
    return f"{change.remediation}|{kind}"
