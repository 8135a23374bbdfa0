"""Alertmanager's two faces: what Prometheus posts to one, and what one posts to a webhook.

Both give one identity, since ours follows from the labels alone: a fingerprint that was sent along
is not read. Not here: which of the alerts are repeats and how many may come (intake), HTTP.

This is the hot path of the whole agent, and the one place where the wire is read by msgspec: it
takes a third of the time that pydantic does, and gives moments that are cheap to compare.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, TypeVar

from msgspec import DecodeError, Meta, Struct, ValidationError, field
from msgspec.json import Decoder
from pydantic import Field

from agent.connector import Options, json_path
from agent.errors import PayloadError
from agent.model.alert import Alert
from agent.model.labels import Labels, fingerprint

NAME_CHARS_MAX = 256
LABEL_CHARS_MAX = 4_096
ANNOTATION_CHARS_MAX = 32_768
URL_CHARS_MAX = 16_384
NAMES_REMEMBERED_MAX = 512

TRUNCATION_SHOWN_FOR = timedelta(hours=1)
"""How long it is shown that a webhook left alerts out, where its firings have no lease."""

_LabelValue = Annotated[str, Meta(max_length=LABEL_CHARS_MAX)]
_AnnotationValue = Annotated[str, Meta(max_length=ANNOTATION_CHARS_MAX)]
# Of plain names msgspec keeps one copy for all alerts; their length is looked at with the rest.
_Labels = dict[str, _LabelValue]
_Annotations = dict[str, _AnnotationValue]
_Moment = Annotated[datetime, Meta(tz=True)] | None

Wire = TypeVar("Wire")


class _PostedAlert(Struct, rename="camel"):
    labels: _Labels
    annotations: _Annotations | None = None
    starts_at: _Moment = None
    ends_at: _Moment = None
    generator_url: Annotated[str, Meta(max_length=URL_CHARS_MAX)] = field(
        default="", name="generatorURL"
    )


class _SentAlert(_PostedAlert, kw_only=True, rename="camel"):
    status: Literal["firing", "resolved"]


class _Webhook(Struct, rename="camel"):
    alerts: list[_SentAlert]
    receiver: _LabelValue = ""
    truncated_alerts: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


_POSTED = Decoder(list[_PostedAlert])
_WEBHOOK = Decoder(_Webhook)


def parse_v2(payload: bytes, received_at: datetime, resolve_timeout: timedelta) -> list[Alert]:
    """The alerts of a `POST /api/v2/alerts`. An end that is not past is a lease.

    `resolve_timeout` is the lease of an alert that names no end. One without a start is given
    `received_at`. Raises PayloadError with the index of the alert that cannot be taken.
    """
    alerts: list[Alert] = []
    sent = _decode(_POSTED, payload)
    for index, posted in enumerate(sent):
        starts = _moment(posted.starts_at, received_at)
        ends = _moment(posted.ends_at, received_at + resolve_timeout)
        if ends < starts and starts is not received_at:
            raise PayloadError(f"$[{index}].endsAt", "the end is before the start")
        over = ends <= received_at
        alerts.append(
            _alert(
                posted,
                (index,),
                starts_at=starts,
                ends_at=ends if over else None,
                expires_at=None if over else ends,
            )
        )
    return alerts


def parse_webhook(payload: bytes, received_at: datetime, lease: timedelta | None) -> list[Alert]:
    """The alerts of a webhook payload, version 4. Each alert's own status counts.

    Without a lease a firing holds until it resolves. Where the sender left alerts out
    (`max_alerts`), one more alert says how many. Raises PayloadError with the place.
    """
    webhook = _decode(_WEBHOOK, payload)
    expires_at = None if lease is None else received_at + lease
    alerts: list[Alert] = []
    for index, sent in enumerate(webhook.alerts):
        over = sent.status == "resolved"
        alerts.append(
            _alert(
                sent,
                ("alerts", index),
                starts_at=_moment(sent.starts_at, received_at),
                ends_at=_moment(sent.ends_at, received_at) if over else None,
                expires_at=None if over else expires_at,
            )
        )
    if webhook.truncated_alerts:
        alerts.append(_truncation(webhook, received_at, expires_at))
    return alerts


def _decode(decoder: Decoder[Wire], payload: bytes) -> Wire:
    try:
        return decoder.decode(payload)
    except ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        raise PayloadError(_place(where, payload), problem) from None
    except DecodeError as error:
        raise PayloadError("$", str(error)) from None
    except UnicodeDecodeError:
        raise PayloadError("$", "not UTF-8") from None
    except RecursionError:
        raise PayloadError("$", "nested too deeply") from None


def _place(where: str, payload: bytes) -> str:
    """The JSON path of the library's message; it leaves the key of a mapping out, so look."""
    path = where.strip("`") or "$"
    if not path.endswith("[...]"):
        return path
    try:
        value = Decoder().decode(payload)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        # what comes after the first mistake may be broken, too
        return path.removesuffix("[...]")
    for index, name in re.findall(r"\[(\d+)\]|\.(\w+)", path):
        value = value[int(index)] if index else value[name]
    limit = ANNOTATION_CHARS_MAX if ".annotations" in path else LABEL_CHARS_MAX
    wrong = [key for key in value if not isinstance(value[key], str) or len(value[key]) > limit]
    return path.removesuffix("[...]") + json_path(wrong[:1])[1:]


_NOT_SET_YEAR = 1
"""Of Go's zero time: how these tools write "not set"."""


def _moment(at: datetime | None, otherwise: datetime) -> datetime:
    if at is None or at.year == _NOT_SET_YEAR:
        return otherwise
    # all that compares moments later is faster when they share one zone
    return at if at.tzinfo is UTC else _utc(at)


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise PayloadError("$", f"{at.isoformat()} is beyond the calendar") from None


def _alert(
    posted: _PostedAlert,
    place: tuple[str | int, ...],
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    expires_at: datetime | None,
) -> Alert:
    labels, annotations = posted.labels, posted.annotations or {}
    _check_names(labels, (*place, "labels"))
    _check_names(annotations, (*place, "annotations"))
    if "" in labels.values():
        # an empty label and an absent one are the same thing, so they share an identity
        labels = {name: value for name, value in labels.items() if value}
    if not labels:
        raise PayloadError(json_path((*place, "labels")), "at least one label is needed")
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations=annotations,
        starts_at=starts_at,
        ends_at=ends_at,
        expires_at=expires_at,
        generator_url=posted.generator_url,
    )


_NAME = re.compile(rf"[a-zA-Z_][a-zA-Z0-9_]{{0,{NAME_CHARS_MAX - 1}}}")


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def _misnamed(names: tuple[str, ...]) -> str | None:
    """The first that is none; alerts of one rule have the same names."""
    return next((name for name in names if not _NAME.fullmatch(name)), None)


def _check_names(names: Labels, place: tuple[str | int, ...]) -> None:
    bad = _misnamed(tuple(names))
    if bad is not None:
        problem = (
            f"not a name: a letter or _, then letters, digits and _, {NAME_CHARS_MAX} at the most"
        )
        raise PayloadError(json_path((*place, bad)), problem)


def _truncation(webhook: _Webhook, received_at: datetime, expires_at: datetime | None) -> Alert:
    named = {"receiver": webhook.receiver} if webhook.receiver else {}
    labels = {"alertname": "AlertsTruncated", "severity": "warning", **named}
    left_out = f"{webhook.truncated_alerts} alerts were left out: see max_alerts of the receiver"
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations={"summary": left_out},
        starts_at=received_at,
        expires_at=expires_at or received_at + TRUNCATION_SHOWN_FOR,
    )


class ApiOptions(Options):
    """How a Prometheus-like client that posts to us is understood."""

    resolve_timeout: timedelta = Field(
        default=timedelta(minutes=5), description="How long an alert that names no end holds."
    )


class WebhookOptions(Options):
    """How an Alertmanager that posts to our webhook is understood."""

    lease: timedelta | None = Field(
        default=None, description="How long a firing holds unrepeated; longer than repeat_interval."
    )


@dataclass(frozen=True, slots=True)
class Api:
    """`POST /api/v2/alerts`, as Prometheus and vmalert send it."""

    options: ApiOptions
    options_model: ClassVar[type[Options]] = ApiOptions

    def parse(self, payload: bytes, received_at: datetime) -> list[Alert]:
        """The alerts of one payload; PayloadError where it is not one."""
        return parse_v2(payload, received_at, self.options.resolve_timeout)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Webhook payload version 4, as Alertmanager sends it."""

    options: WebhookOptions
    options_model: ClassVar[type[Options]] = WebhookOptions

    def parse(self, payload: bytes, received_at: datetime) -> list[Alert]:
        """The alerts of one payload; PayloadError where it is not one."""
        return parse_webhook(payload, received_at, self.options.lease)
