"""`make bench-correlation`: what a new alert costs when much fires, beside when little does.

A ratio in one run: machines differ, the ratio should not. Journal and history are not in it.
"""

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry, TimeElapsed, What
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, ServiceMap

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = 60
"""An edge leads no further than this in the row of entities: maps are local."""
LAYERS = 5
"""What rests on what has layers, as services, databases and hosts do: no chain goes on and on."""
EDGES_TRIED = 6.25
"""For each entity; two fifths of them lead down, 2.5 an entity."""
EACH = 20
"""Alerts at one place: in all a tenth of the places alert."""
BATCH = 500
MEASURED = 200
RATIO_MAX = 3.0
BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured on one size of world."""

    new_s: float
    """Median of a new alert with nothing else around."""
    more_s: float
    """Median of one more alert at a place that alerts already."""
    bytes_each: float
    """Resident memory for each alert that fires."""


def main() -> int:
    """Print the costs and their ratio; 1 where a limit is missed."""
    small, large = measure(500, 1_000), measure(50_000, 100_000)
    new, more = large.new_s / small.new_s, large.more_s / small.more_s
    print(f"new place: {small.new_s * 1e6:.0f} us, {large.new_s * 1e6:.0f} us: {new:.2f} times")
    print(f"same place: {small.more_s * 1e6:.0f} us, {large.more_s * 1e6:.0f} us: {more:.2f} times")
    print(f"memory for each active alert: {large.bytes_each:.0f} bytes")
    return int(max(new, more) > RATIO_MAX or large.bytes_each > BYTES_MAX)


def measure(entities: int, alerts: int) -> Cost:
    """Load a map, let alerts fire everywhere, and time those that come after."""
    chance = random.Random(entities)
    feed = _Feed(Config(digest="speed", service_map=_map(entities, chance)))
    feed.fire(0, ())
    gc.collect()
    before = _resident()
    places = chance.sample(range(entities), alerts // EACH)
    numbers = [place for place in places for _ in range(EACH)]
    for begin in range(0, alerts, BATCH):
        feed.wait(timedelta(seconds=90))
        feed.fire(begin, numbers[begin : begin + BATCH])
    gc.collect()
    grown = _resident() - before
    new, more = [], []
    for number in range(MEASURED):
        feed.wait(timedelta(seconds=60))
        place = chance.randrange(entities)
        new.append(feed.fire(alerts + 2 * number, (place,)))
        more.append(feed.fire(alerts + 2 * number + 1, (place,)))
    return Cost(median(new), median(more), grown / alerts)


class _Feed:
    """Plays alerts into the core and times them."""

    def __init__(self, config: Config) -> None:
        self._state = State.empty()
        self._at = START
        self._enter(ConfigLoaded(config=config))

    def fire(self, first: int, places: tuple[int, ...] | list[int]) -> float:
        alerts = tuple(_alert(first + n, place, self._at) for n, place in enumerate(places))
        started = perf_counter()
        self._enter(AlertsReceived(source="bench", alerts=alerts))
        return perf_counter() - started

    def wait(self, pause: timedelta) -> None:
        until = self._at + pause
        while (due := self._state.next_due()) is not None and due <= until:
            self._at = max(self._at, due)
            self._enter(TimeElapsed())
        self._at = until

    def _enter(self, what: What) -> None:
        step(self._state, Entry(number=self._state.last_number + 1, at=self._at, what=what))


def _map(count: int, chance: random.Random) -> ServiceMap:
    refs = [f"component:default/c{number}" for number in range(count)]
    below: list[dict[str, None]] = [{} for _ in refs]
    for _ in range(int(count * EDGES_TRIED)):
        upper = chance.randrange(count)
        lower = (upper + chance.randint(1, SPAN)) % count
        if lower % LAYERS > upper % LAYERS:
            below[upper][refs[lower]] = None
    return ServiceMap.of({entity.ref: entity for entity in _entities(refs, below)})


def _entities(refs: list[str], below: list[dict[str, None]]) -> Iterator[Entity]:
    for number, ref in enumerate(refs):
        matcher = Matcher(name="service", operator=MatchOperator.EQUAL, value=f"c{number}")
        yield Entity(
            ref=ref,
            kind=EntityKind.COMPONENT,
            name=f"c{number}",
            depends_on=tuple(below[number]),
            matches=((matcher,),),
        )


def _alert(number: int, place: int, at: datetime) -> Alert:
    labels = {
        "alertname": f"Kind{number % 40}",
        "service": f"c{place}",
        "severity": "warning",
        "instance": f"10.0.{number % 250}.{number // 250}:9100",
    }
    return Alert(fingerprint=fingerprint(labels), labels=labels, annotations={}, starts_at=at)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main())
