"""Holds the gate against the oracle in each minute of two years in twelve zones.

Each minute is a question to that part of the gate which knows calendars, every seventh one to the
whole gate: most of its time goes into the conditions of policy, which no clock changes.
`make prove-calendars`; with names of zones, only these. Prints what it counted; ends with 1 at
the first minute in which both do not agree.
"""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta

from agent.model.calendar import CalendarPurpose
from agent.model.policy import Decision, Verdict
from tests.calendars.cases import TWO_YEARS, YEARS, Gate, calendar_file, everyday_life, span
from tests.calendars.oracle import MINUTE, Clock, fits, next_true

EVERY = 7
AGAIN = timedelta(days=14)
"""How often the calendar is worked out anew on the way."""


SEEN = timedelta(days=9)
"""How far beyond its span the oracle looks for what comes next: every week has a window."""


def disagreement(decision: Decision | None, at: datetime, wanted: datetime) -> str | None:
    """What is wrong about an answer, where the first moment to begin is `wanted`."""
    verdict = decision.verdict if decision is not None else Verdict.ALLOWED
    until = decision.until if decision is not None else None
    expected = (Verdict.ALLOWED, None) if wanted == at else (Verdict.DEFERRED, wanted)
    if expected == (verdict, until):
        return None
    return f"at {at}: expected {expected[0]} until {expected[1]}, not {verdict} until {until}"


def prove(zone: str, begin: datetime, length: timedelta, every: int = EVERY) -> tuple[int, int]:
    """Compare in each minute of a span; answers with how often it asked, and was allowed.

    Raises AssertionError at the first minute in which the answers differ.
    """
    told = list(everyday_life(zone, YEARS[zone]))
    clock = Clock(zone, begin, length + SEEN)
    permits = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.PERMIT)
    freezes = clock.minutes(t.entry for p, t in told if p is CalendarPurpose.FREEZE)
    gate = Gate()
    file = calendar_file(zone, [each for _, each in told])
    following = next_true(fits(permits & ~freezes, gate.length))
    allowed = 0
    for n in range(length // MINUTE):
        at, wanted = begin + n * MINUTE, begin + following[n] * MINUTE
        if n % (AGAIN // MINUTE) == 0:
            gate.expand(file, at)
        wrong = disagreement(gate.ask_calendar(at), at, wanted)
        if wrong is None and n % every == 0:
            wrong = disagreement(gate.ask(at), at, wanted)
        assert wrong is None, f"{zone} {wrong}"
        allowed += wanted == at
    return length // MINUTE, allowed


def prove_zone(zone: str) -> tuple[int, int]:
    """All of its two years."""
    return prove(zone, span(YEARS[zone]), TWO_YEARS)


def main(zones: Sequence[str]) -> int:
    """Prove it for these zones, or for all."""
    began, total = time.monotonic(), 0
    with ProcessPoolExecutor(max_workers=2) as pool:
        for zone, (asked, allowed) in zip(
            zones or YEARS, pool.map(prove_zone, zones or YEARS), strict=True
        ):
            total += asked
            print(f"{zone:<22} {asked:>9,} minutes, {allowed:>7,} allowed: all agree", flush=True)
    print(f"{total:,} minutes in {time.monotonic() - began:.0f} s: the gate agrees with the clock.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
