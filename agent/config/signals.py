"""Declared signals checked where they stand, and as the values that the core works with.

The placeholders of a template are read by the very code that fills them.
Not here: the shape of the documents (`schema_signals`).
"""

from collections.abc import Iterator
from datetime import timedelta

import promql_parser

from agent.config.documents import Written
from agent.config.schema_signals import SignalSpec, SignalsSpec
from agent.core.causes.queries import loose_placeholders
from agent.errors import Finding
from agent.model.service import EntityKind
from agent.model.signal import Signal, SignalKind, SignalSet, Unit

HISTORY_MIN = timedelta(hours=1)
HISTORY_MAX = timedelta(days=60)
EVERY_MIN = timedelta(seconds=10)


def signal_findings(written: Written[SignalsSpec]) -> Iterator[Finding]:
    """Queries that are no PromQL, placeholders where they cannot stand, names said twice."""
    spec = written.spec
    if spec.every < EVERY_MIN:
        yield written.finding(("every",), "every must be 10s or more.")
    if not HISTORY_MIN <= spec.history <= HISTORY_MAX:
        yield written.finding(("history",), "history must be between 1h and 60d.")
    seen: set[str] = set()
    for number, signal in enumerate(spec.signals):
        loc = ("signals", number)
        if signal.name in seen:
            said = f'a second signal "{signal.name}": reasons name their signal.'
            yield written.finding((*loc, "name"), said, "Rename one of both.")
        seen.add(signal.name)
        if problem := _problem(signal.query):
            yield written.finding((*loc, "query"), problem)


def _problem(query: str) -> str | None:
    for name in loose_placeholders(query):
        return f'${name} must stand inside a string in double quotes, such as job="${name}".'
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return f"query is no PromQL: {error}."
    return None


def signal_set(written: Written[SignalsSpec]) -> SignalSet:
    """The signals that this document declares."""
    spec = written.spec
    return SignalSet(
        name=written.name,
        kinds=tuple(EntityKind(word) for word in spec.about.kinds),
        types=tuple(spec.about.types),
        signals=tuple(_signal(each) for each in spec.signals),
        every=spec.every,
        history=spec.history,
    )


def _signal(spec: SignalSpec) -> Signal:
    return Signal(
        name=spec.name,
        kind=SignalKind(spec.kind),
        query=spec.query,
        unit=Unit(spec.unit),
        more_is_better=spec.more_is == "better",
        quantile=spec.quantile,
        complaints=spec.complaints or (),
    )
