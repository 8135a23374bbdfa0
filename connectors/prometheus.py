"""Prometheus' HTTP API, as Prometheus, VictoriaMetrics, Thanos and Mimir speak it.

Not here: what the samples mean, and whether a query is worth asking again.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field, TypeAdapter

from agent.connector import (
    Exchange,
    Options,
    QueryResult,
    Request,
    Response,
    Sample,
    Series,
    answer,
    parse,
)
from agent.errors import PayloadError, PermanentError, TransientError
from agent.model.interval import Interval
from agent.model.labels import Labels, fingerprint

POINTS_PER_REQUEST_MAX = 10_000
"""Prometheus itself refuses more than 11,000 a series."""
REQUESTS_PER_RANGE_MAX = 50
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# "+Inf" and "NaN" arrive as texts; pydantic reads both
_Value = tuple[float, Annotated[float, Field(strict=False, allow_inf_nan=True)]]


class _Instant(BaseModel):
    metric: dict[str, str]
    value: _Value


class _Range(BaseModel):
    metric: dict[str, str]
    values: list[_Value]


class _Vector(BaseModel):
    resultType: Literal["vector"]  # noqa: N815
    result: list[_Instant]


class _Matrix(BaseModel):
    resultType: Literal["matrix"]  # noqa: N815
    result: list[_Range]


class _Scalar(BaseModel):
    resultType: Literal["scalar"]  # noqa: N815
    result: _Value


class _Success(BaseModel):
    status: Literal["success"]
    data: _Vector | _Matrix | _Scalar = Field(discriminator="resultType")
    warnings: list[str] = []


class _Failure(BaseModel):
    status: Literal["error"]
    errorType: str  # noqa: N815
    error: str


_SUCCESS = TypeAdapter(_Success)
_FAILURE = TypeAdapter(_Failure)
_PASSING = ("timeout", "canceled", "unavailable", "internal")


class PrometheusOptions(Options):
    """Nothing yet: the endpoint says where it is and who we are."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Asks queries."""

    options: PrometheusOptions
    options_model: ClassVar[type[Options]] = PrometheusOptions

    def query(self, text: str, at: datetime | None = None) -> Exchange[QueryResult]:
        """The query's value at a moment, or now by the tool's clock; a value may be NaN.

        Raises PermanentError where the query is at fault, with the tool's own words.
        """
        when = {} if at is None else {"time": _epoch(at)}
        found = _read((yield _ask("query", {"query": text, **when})))
        match found.data:
            case _Vector(result=result):
                series = tuple(_series(each.metric, (each.value,)) for each in result)
            case _Scalar(result=value):
                series = (_series({}, (value,)),)
            case _Matrix():
                raise PermanentError(f"query {text[:200]!r}: gives a range, not a value")
        return QueryResult(series=series, warnings=tuple(found.warnings))

    def query_range(self, text: str, interval: Interval, step: timedelta) -> Exchange[QueryResult]:
        """The query's values over an interval; NaN is a gap. Asked in parts where it is long."""
        longest = step * POINTS_PER_REQUEST_MAX
        if interval.length > longest * REQUESTS_PER_RANGE_MAX:
            raise PermanentError(f"{interval.length} in steps of {step} is too much to ask for")
        labels: dict[str, Labels] = {}
        samples: dict[str, list[Sample]] = {}
        warnings: dict[str, None] = {}
        start = interval.start
        while start < interval.end:
            # both ends belong to Prometheus' range; the end of ours does not
            points = min(POINTS_PER_REQUEST_MAX, math.ceil((interval.end - start) / step))
            last = start + step * (points - 1)
            span = {"start": _epoch(start), "end": _epoch(last), "step": str(step.total_seconds())}
            found = _read((yield _ask("query_range", {"query": text, **span})))
            if not isinstance(found.data, _Matrix):
                raise PayloadError("$.data.resultType", "a range query gives a matrix")
            for each in found.data.result:
                key = fingerprint(each.metric)
                labels[key] = each.metric
                samples.setdefault(key, []).extend(_samples(each.values, keep_nan=False))
            warnings |= dict.fromkeys(found.warnings)
            start = last + step
        series = tuple(
            Series(labels=labels[key], samples=tuple(samples[key])) for key in sorted(labels)
        )
        return QueryResult(series=series, warnings=tuple(warnings))


def _ask(what: str, form: dict[str, str]) -> Request:
    # a query may be longer than a URL; asking it twice changes nothing
    body = urlencode(form).encode()
    return Request(method="POST", path=f"/api/v1/{what}", headers=FORM, body=body, repeatable=True)


def _read(response: Response) -> _Success:
    if response.is_success:
        return parse(_SUCCESS, response.body)
    try:
        failure = parse(_FAILURE, response.body)
    except PayloadError:
        return answer(_SUCCESS, response, "query")
    problem = f"query: {failure.errorType}: {failure.error[:500]}"
    if failure.errorType in _PASSING:
        raise TransientError(problem)
    raise PermanentError(problem)


def _series(labels: Labels, values: Iterable[tuple[float, float]]) -> Series:
    return Series(labels=labels, samples=tuple(_samples(values, keep_nan=True)))


def _samples(values: Iterable[tuple[float, float]], *, keep_nan: bool) -> Iterable[Sample]:
    for at, value in values:
        if keep_nan or not math.isnan(value):
            yield Sample(_moment(at), value)


def _moment(epoch: float) -> datetime:
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        raise PayloadError("$.data.result", f"{epoch} is no moment") from None


def _epoch(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
