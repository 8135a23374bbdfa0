"""Availability of objects on standard input: a line of JSON each, one line each back.

`python -m tests.bench.intervals < cases.jsonl`, with lines `{"start", "end", "crit_above",
"events": [{"t", "state", "prev"}], "downtimes": [[from, to]], "current"}` in seconds; answers the
share of time in percent in which the object was as promised, or the word `error`. A state above
`crit_above` is down; 99 is pending, of which nothing is known.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from agent.model.incident import StateInterval
from agent.model.interval import Interval
from agent.model.service import Health
from agent.reporting.availability import Convention, availability

PENDING = 99
OBJECT = "object"


def answer(line: str) -> str:
    """One line of the answer for one line asked."""
    asked = json.loads(line)
    try:
        window = Interval(_moment(asked["start"]), _moment(asked["end"]))
    except ValueError:
        return "error"
    told = availability(
        OBJECT,
        list(_intervals(asked, window)),
        window=window,
        known_until=window.end,
        watched_since=window.start,
        convention=Convention.COUNTS_AS_UP,
    )
    return "error" if told.share is None else repr(told.share * 100)


def _intervals(asked: Mapping[str, Any], window: Interval) -> Iterator[StateInterval]:
    events = sorted(asked["events"], key=lambda event: event["t"])
    state = events[0]["prev"] if events else asked["current"] or 0
    start = min([window.start, *(_moment(event["t"]) for event in events)])
    excuses = [Interval(_moment(a), _moment(b)) for a, b in asked["downtimes"] if b > a]
    for event in [*events, {"t": asked["end"], "state": state, "prev": None}]:
        # Whoever was not watching meanwhile says so only when it sees the object again.
        was = PENDING if event["prev"] == PENDING else state
        at = _moment(event["t"])
        if start < at:
            yield from _excused(Interval(start, at), _health(was, asked["crit_above"]), excuses)
        start, state = at, event["state"]


def _excused(
    interval: Interval, health: Health, excuses: list[Interval]
) -> Iterator[StateInterval]:
    yield StateInterval(entity=OBJECT, start=interval.start, end=interval.end, health=health)
    for excuse in excuses:
        part = excuse.clip(interval)
        if part is not None and health is Health.DOWN:
            yield StateInterval(
                entity=OBJECT, start=part.start, end=part.end, health=health, excused_by="downtime"
            )


def _health(state: int, crit_above: int) -> Health:
    if state == PENDING:
        return Health.UNKNOWN
    return Health.DOWN if state > crit_above else Health.UP


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


if __name__ == "__main__":
    for each in sys.stdin:
        print(answer(each), flush=True)
