"""Metrics as evidence: the signals that people declare, and what a look at them found.

Not here: how unusual a sample is (`reporting.signals`), and what findings say of a cause
(`core.causes.net_impact`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.labels import Matcher
from agent.model.service import EntityKind, EntityRef


class SignalKind(StrEnum):
    """What a series measures of an entity; a latency says whose it is."""

    LATENCY = "latency"
    """The entity's own mean answer time."""
    SEEN_BY_CALLERS = "latency_seen_by_callers"
    """How long its callers wait for it: its own answer time and the way between."""
    SEEN_OF_CALLEES = "latency_seen_of_callees"
    """How long it waits for what it calls, all of them together."""
    ERRORS = "errors"
    """The share of its requests that fail, or of those that do not (availability)."""
    REQUESTS = "requests"
    RESOURCE = "resource"
    """Something that runs out: processor, memory, disk, connections. Only more is bad."""
    TRAFFIC = "traffic"
    """Bytes or calls; less is as odd as more."""
    MISSING_CALLS = "missing_calls"
    """Requests that its callers usually send and did not: found, never declared."""


class Unit(StrEnum):
    """In what a query answers."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"
    RATIO = "ratio"
    PERCENT = "percent"
    PER_SECOND = "per_second"
    COUNT = "count"
    """Since the sample before."""
    BYTES = "bytes"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One query over each entity that a document is about."""

    name: str
    kind: SignalKind
    query: str
    """PromQL; `$name` stands for a value of the map, quoted for the inside of a string."""
    unit: Unit
    more_is_better: bool = False
    """Availability: the share that did not fail."""
    quantile: float | None = None
    """Of a latency; None: the mean, which is preferred, for it adds up along a call."""
    complaints: tuple[Matcher, ...] = ()
    """Alerts with these labels complain about what this signal measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSet:
    """The signals of every entity of some kind, type and names."""

    name: str
    kinds: tuple[EntityKind, ...] = ()
    """None given: every kind."""
    types: tuple[str, ...] = ()
    signals: tuple[Signal, ...]
    every: timedelta = timedelta(minutes=1)
    """From one sample to the next."""
    history: timedelta = timedelta(days=7)
    """How far back an entity is compared with itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Who complained first, and about what; None where nobody said."""

    entity: EntityRef | None
    kind: SignalKind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one kind of signal of one entity did during an incident. Unremarkable ones count, too.

    A kind without a finding is unknown: neither well nor guilty.
    """

    entity: EntityRef
    kind: SignalKind
    signal: str
    """Its declared name."""
    chance: float
    """How likely the oddest sample is no accident, 0 to 1, given how many were looked at."""
    surprise: float
    """How unusual that sample is, in nats."""
    impact: float
    """Seconds lost, requests failed or requests missing; 0 for resources and traffic."""
    usual: float
    """The median of its history: seconds, a share of requests, requests, or the query's unit."""
    now: float
    """The worst sample in the same unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the agent saw of an incident's surroundings when it looked for itself."""

    at: datetime
    start: datetime
    end: datetime
    complaints: tuple[Complaint, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[EntityRef, ...]
    """Entities that were asked about and of which there is no sample; bounded."""
