"""The one face of a connector: what it may say, what it is told, and what it must promise.

A connector translates. It opens no socket, reads no clock, sleeps, retries and logs nothing.
A conversation of several turns is a generator: it yields requests and is sent responses.
Not here: driving one (`runtime.client`), finding one (`runtime.registry`).
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.errors import PayloadError, PermanentError
from agent.model.alert import Alert
from agent.model.discovery import Discovery
from agent.model.interval import Interval
from agent.model.labels import Labels
from agent.model.reported import ChangeReport
from agent.model.ticket import RemoteTicket, Ticket, TicketRef

T = TypeVar("T")

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the connector's tool; host, credentials and patience are the client's."""

    method: str
    path: str
    """Below the endpoint's URL; starts with a slash."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = False
    """Whether sending it twice does no more than sending it once. A GET always is."""

    @property
    def is_repeatable(self) -> bool:
        """Whether the client may send it again when no answer came."""
        return self.repeatable or self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the tool answered. Statuses that ask for patience or credentials never get here."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """A status of 200 to 299."""
        return 200 <= self.status < 300


Exchange = Generator[Request, Response, T]
"""A conversation that ends in a `T`."""


def parse(shape: TypeAdapter[T], payload: bytes) -> T:
    """The payload as that shape; raises PayloadError naming the first place that does not fit."""
    try:
        return shape.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise PayloadError(json_path(first["loc"]), first["msg"]) from None


def json_path(steps: Sequence[str | int]) -> str:
    """`("alerts", 3, "labels", "foo")` as `$.alerts[3].labels.foo`; odd names in quotes."""
    parts = ["$"]
    for step in steps:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.isidentifier():
            parts.append(f".{step}")
        elif step != "[key]":
            parts.append(f"[{step[:80]!a}]")
    return "".join(parts)


def answer(shape: TypeAdapter[T], response: Response, doing: str) -> T:
    """A successful answer in that shape.

    Raises PermanentError with the tool's own words when it refused what we were `doing`, and
    PayloadError when it answered something else than its interface promises.
    """
    if not response.is_success:
        raise refusal(response, doing)
    return parse(shape, response.body)


def refusal(response: Response, doing: str) -> PermanentError:
    """The tool's refusal as an error, with the beginning of what it said."""
    words = " ".join(response.body[:300].decode(errors="replace").split())
    return PermanentError(f"{doing}: refused with status {response.status}: {words or 'no reason'}")


class PushSource(Protocol):
    """A tool that posts its alerts to us."""

    def parse(self, payload: bytes, received_at: datetime) -> list[Alert]:
        """The alerts of one payload, in its order; PayloadError where it is not one."""


class ChangeSource(Protocol):
    """A tool that posts to us what was changed, by whom, and where."""

    def parse_changes(self, payload: bytes, received_at: datetime) -> list[ChangeReport]:
        """What one payload says of changes; PayloadError where it is not one.

        None where it is about something else, such as a comment or a test of the address.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPoll:
    """What other people did to our tickets, and where to go on."""

    tickets: tuple[RemoteTicket, ...]
    cursor: str


class Ticketing(Protocol):
    """A tool that keeps tickets."""

    def upsert(self, ticket: Ticket, known_ref: str | None) -> Exchange[TicketRef]:
        """Make the tool agree, and read it back. Safe to repeat as a whole, wherever it broke off.

        Raises PermanentError when the tool refused, also when it did so without saying it.
        """

    def poll(self, cursor: str | None, keys: Collection[str]) -> Exchange[TicketPoll]:
        """What others did to the tickets of these keys; everything they did without a cursor."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value at one moment. Over a range a gap is an absent sample; a single one may be NaN."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Samples of one label set, oldest first."""

    labels: Labels
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What a query gave, and what the tool warned of (partial data is no whole answer)."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()


class MetricsSource(Protocol):
    """A tool that answers queries over metrics."""

    def query(self, text: str, at: datetime | None = None) -> Exchange[QueryResult]:
        """The query's value at a moment, or now by the tool's clock: one sample a series."""

    def query_range(self, text: str, interval: Interval, step: timedelta) -> Exchange[QueryResult]:
        """The query's values over an interval; a moment without a value has no sample."""


class Topology(Protocol):
    """Metrics that tell what rests on what: of traces, of a mesh, of an orchestrator."""

    def discover(self, metrics: MetricsSource) -> Exchange[Discovery]:
        """All that these metrics know of the map, asked of this source."""


class Catalogue(Protocol):
    """A tool that keeps entities."""

    def discover(self) -> Exchange[Discovery]:
        """All entities that it keeps."""

    def read(self, payload: bytes) -> Discovery:
        """The entities of such a tool's file, as a JSON list; PayloadError where it is none."""


class Options(BaseModel):
    """What an operator configures of a connector; an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Configured(Protocol):
    """Every connector is made from its options and nothing else."""

    options_model: ClassVar[type[Options]]

    def __init__(self, options: Options) -> None: ...
