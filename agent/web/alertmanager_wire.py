"""The shapes of the Alertmanager API v2, named and written as its OpenAPI document has them."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.core.state import ActiveAlert
from agent.model.labels import Matcher, MatchOperator
from agent.model.silence import Silence
from agent.web.routes import Wish

SILENCE_MATCHERS_MAX = 32
VALUE_CHARACTERS_MAX = 4096

_OPERATORS = {
    (True, False): MatchOperator.EQUAL,
    (False, False): MatchOperator.NOT_EQUAL,
    (True, True): MatchOperator.REGEX,
    (False, True): MatchOperator.NOT_REGEX,
}


class ReceiverShape(BaseModel):
    """Who is told."""

    name: str


class AlertStatusShape(BaseModel):
    """Whether the alert makes noise, and what keeps it from it."""

    state: Literal["unprocessed", "active", "suppressed"]
    silencedBy: list[str]  # noqa: N815
    inhibitedBy: list[str]  # noqa: N815
    mutedBy: list[str]  # noqa: N815


class GettableAlert(BaseModel):
    """An alert that fires."""

    annotations: dict[str, str]
    endsAt: AwareDatetime  # noqa: N815
    fingerprint: str
    receivers: list[ReceiverShape]
    startsAt: AwareDatetime  # noqa: N815
    status: AlertStatusShape
    updatedAt: AwareDatetime  # noqa: N815
    generatorURL: str  # noqa: N815
    labels: dict[str, str]


class AlertGroupShape(BaseModel):
    """Alerts that belong together: those of one incident, or of one name."""

    labels: dict[str, str]
    receiver: ReceiverShape
    alerts: list[GettableAlert]


class MatcherShape(Wish):
    """One condition of a silence."""

    name: Annotated[str, Field(min_length=1, max_length=VALUE_CHARACTERS_MAX)]
    value: Annotated[str, Field(max_length=VALUE_CHARACTERS_MAX)]
    isRegex: bool  # noqa: N815
    isEqual: bool = True  # noqa: N815

    def matcher(self) -> Matcher:
        """The condition as we say it."""
        operator = _OPERATORS[self.isEqual, self.isRegex]
        return Matcher(name=self.name, operator=operator, value=self.value)


class PostableSilence(Wish):
    """A silence to make, or to change where `id` names one."""

    id: str = ""
    matchers: Annotated[
        tuple[MatcherShape, ...], Field(min_length=1, max_length=SILENCE_MATCHERS_MAX)
    ]
    startsAt: AwareDatetime  # noqa: N815
    endsAt: AwareDatetime  # noqa: N815
    createdBy: str = Field(  # noqa: N815
        "", description="Taken for the sake of tools, but never believed: the token says who asks."
    )
    comment: str


class SilenceIdShape(BaseModel):
    """Which silence was made or changed."""

    silenceID: str  # noqa: N815


class SilenceStatusShape(BaseModel):
    """Whether it mutes now."""

    state: Literal["expired", "active", "pending"]


class GettableSilence(BaseModel):
    """A silence."""

    id: str
    status: SilenceStatusShape
    updatedAt: AwareDatetime  # noqa: N815
    comment: str
    createdBy: str  # noqa: N815
    endsAt: AwareDatetime  # noqa: N815
    matchers: list[MatcherShape]
    startsAt: AwareDatetime  # noqa: N815


class AlertsQuery(BaseModel):
    """Which alerts are asked for."""

    model_config = ConfigDict(extra="ignore")

    filter: Annotated[tuple[str, ...], Field(max_length=32)] = ()
    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    muted: bool = True
    unprocessed: bool = True
    receiver: str | None = Field(None, max_length=1000, description="Anchored RE2 pattern.")


class SilencesQuery(BaseModel):
    """Which silences are asked for."""

    model_config = ConfigDict(extra="ignore")

    filter: Annotated[tuple[str, ...], Field(max_length=32)] = ()


def alert_shape(
    active: ActiveAlert, receivers: list[dict[str, str]], at: datetime, lease_end: datetime
) -> dict[str, object]:
    """A `GettableAlert` as plain values: made by the hundred thousand, so by hand."""
    alert = active.alert
    return {
        "annotations": alert.annotations,
        "endsAt": moment(active.expires_at or lease_end),
        "fingerprint": alert.fingerprint,
        "receivers": receivers,
        "startsAt": moment(alert.starts_at),
        "status": status_shape(active.suppressed_by),
        "updatedAt": moment(at),
        "generatorURL": alert.generator_url,
        "labels": alert.labels,
    }


def status_shape(suppressed_by: tuple[str, ...]) -> dict[str, object]:
    """An `AlertStatusShape`. Windows and expected heartbeats are what Alertmanager calls muted."""
    by: dict[str, list[str]] = {"silence": [], "inhibit": [], "muted": []}
    for suppressor in suppressed_by:
        kind, _, name = suppressor.partition(":")
        by[kind if kind in by else "muted"].append(name)
    return {
        "state": "suppressed" if suppressed_by else "active",
        "silencedBy": by["silence"],
        "inhibitedBy": by["inhibit"],
        "mutedBy": by["muted"],
    }


def silence_shape(silence: Silence, at: datetime) -> dict[str, object]:
    """A `GettableSilence` as plain values."""
    return {
        "id": silence.id,
        "status": {"state": silence_state(silence, at)},
        "updatedAt": moment(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": moment(silence.ends_at),
        "matchers": [_matcher_shape(matcher) for matcher in silence.matchers],
        "startsAt": moment(silence.starts_at),
    }


def silence_state(silence: Silence, at: datetime) -> str:
    """`pending`, `active` or `expired`."""
    if at >= silence.ends_at:
        return "expired"
    return "pending" if at < silence.starts_at else "active"


def moment(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as Alertmanager writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _matcher_shape(matcher: Matcher) -> dict[str, object]:
    operator = matcher.operator
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX),
        "isEqual": operator in (MatchOperator.EQUAL, MatchOperator.REGEX),
    }
