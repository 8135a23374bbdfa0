"""What SREs write about calendars: a file or a subscription, and what its entries may do."""

from datetime import timedelta
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from agent.config.durations import Duration
from agent.config.schema import Spec

PurposeWord = Literal["permit", "freeze", "mute", "exclude", "hours", "holiday"]
EVERY_MIN = timedelta(minutes=1)
STALE_MAX = timedelta(days=60)


class CalendarSpec(Spec):
    """A calendar (iCalendar, RFC 5545) of a file or a subscription, and what its entries mean."""

    file: str | None = Field(
        default=None, description="Path of the .ics file, from the folder of this document."
    )
    url: str | None = Field(
        default=None,
        max_length=2000,
        description="Subscribed: fetched from here. Its host must stand in "
        "`calendars.allowed_hosts` of config.yaml.",
    )
    url_file: str | None = Field(
        default=None, description="File that holds the URL, where it is a secret itself."
    )
    token_file: str | None = Field(
        default=None, description="File with a token that is sent along (`Bearer`)."
    )
    every: Duration = Field(
        default=timedelta(minutes=15), description="How often a subscribed calendar is fetched."
    )
    stale_after: Duration = Field(
        default=timedelta(days=1),
        description="A copy that was fetched longer ago cannot be read any more: nothing runs.",
    )
    zone: str | None = Field(
        default=None,
        description="Zone (IANA) of times without one and of whole days; default: the calendar's "
        "own X-WR-TIMEZONE.",
    )
    purposes: list[PurposeWord] = Field(
        min_length=1,
        description="What its entries may do: `permit` changes, `freeze` them, `mute` new "
        "incidents, `exclude` from availability, give business `hours`, be a `holiday`. An entry "
        "says which of them by its CATEGORIES.",
    )
    unmarked: list[PurposeWord] | None = Field(
        default=None,
        description="What an entry does that names no purpose; default: all of `purposes`.",
    )
    entities: list[str] = Field(
        default_factory=list,
        description="Whom it concerns, with everything they rest on; none: everybody. An entry "
        "may name fewer by X-WATCHKEEPER-ENTITIES.",
    )

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f'there is no time zone "{value}"; write one like Europe/Berlin'
            ) from None

    @field_validator("url")
    @classmethod
    def _is_plain_url(cls, value: str | None) -> str | None:
        return value if value is None else checked_url(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if sum(each is not None for each in (self.file, self.url, self.url_file)) != 1:
            raise ValueError("exactly one of `file`, `url` and `urlFile` must be set")
        if self.file is not None and self.token_file is not None:
            raise ValueError("`tokenFile` is sent to a `url`; a `file` needs none")
        if unknown := [word for word in self.unmarked or () if word not in self.purposes]:
            raise ValueError(f"`unmarked` has {unknown[0]}, which `purposes` does not grant")
        if self.every < EVERY_MIN:
            raise ValueError("`every` must not be less than 1m")
        if not self.every < self.stale_after <= STALE_MAX:
            raise ValueError("`staleAfter` must be more than `every`, and not more than 60d")
        return self


def checked_url(text: str) -> str:
    """The URL where it is one to fetch a calendar from; ValueError says why it is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that starts with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("must not hold a password; put the whole URL into `urlFile`")
    if parts.fragment:
        raise ValueError("must not have a part after #")
    return text.strip()
