"""How long it takes to name the causes of one large incident: `python -m tests.bench.ranking`.

An incident of 500 alerts of different series over 15 services with seven parts each, after 60
earlier ones of the same size, played through the core; printed is the time of one whole ranking,
with its words and its pattern. The promise is 100 ms.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from agent.core.causes.ranking import rank
from agent.core.draft import Draft
from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry, TimeElapsed, What
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, ServiceMap

SERVICES = 15
PARTS = 7
ALERTS = 500
LESSONS = 60
ROUNDS = 20
KINDS = "abcdefghijklm"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def main() -> None:
    """Play the incidents and print the time of a ranking of the last."""
    state, now = State.empty(), START
    _feed(state, now, ConfigLoaded(config=Config(digest="bench", service_map=_map())))
    for number in range(LESSONS):
        _feed(state, now, AlertsReceived(source="bench", alerts=tuple(_alerts(number, now))))
        until = now + timedelta(hours=1)
        while (due := state.next_due()) is not None and due <= until:
            now = max(now, due)
            _feed(state, now, TimeElapsed())
        now = until
    _feed(state, now, AlertsReceived(source="bench", alerts=tuple(_alerts(LESSONS, now))))
    live = [incident for incident in state.incidents.values() if incident.is_live]
    largest = max(live, key=lambda incident: len(state.members[incident.id].signs))
    times: list[float] = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        rank(state, Draft(0, now), state.incidents[largest.id])
        times.append(time.perf_counter() - begin)
    signs = len(state.members[largest.id].signs)
    print(
        f"{signs} signs, {len(state.lessons)} lessons: "
        f"median {median(times) * 1000:.1f} ms, worst {max(times) * 1000:.1f} ms"
    )


def _map() -> ServiceMap:
    entities: list[Entity] = []
    for number in range(SERVICES):
        name = f"service-{number}"
        below = dict.fromkeys(n for n in (0, number // 2) if n < number)
        service = Entity(
            ref=f"component:default/{name}",
            kind=EntityKind.COMPONENT,
            name=name,
            depends_on=tuple(f"component:default/service-{lower}" for lower in below),
        )
        entities.append(service)
        for part in range(PARTS):
            ref = f"{service.ref}-{part}"
            entity = replace(service, ref=ref, name=f"{name}-{part}", depends_on=())
            match = Matcher(name="instance", operator=MatchOperator.EQUAL, value=entity.name)
            entities.append(replace(entity, part_of=service.ref, matches=((match,),)))
    return ServiceMap.of({entity.ref: entity for entity in entities})


def _alerts(number: int, now: datetime) -> Iterator[Alert]:
    """The alerts of one incident: another share of the services each time, in another order."""
    for place in range(ALERTS):
        service, part = place % SERVICES, (place // SERVICES + number) % PARTS
        name = f"{KINDS[place % len(KINDS)]} is slow"
        labels = {"alertname": name, "instance": f"service-{service}-{part}"}
        labels["caller"] = f"service-{service // 2}-{(place + number) % PARTS}"
        yield Alert(
            fingerprint=fingerprint(labels),
            labels=labels,
            annotations={},
            starts_at=now,
            expires_at=now + timedelta(minutes=2),
        )


def _feed(state: State, now: datetime, what: What) -> None:
    step(state, Entry(state.last_number + 1, now, what))


if __name__ == "__main__":
    main()
