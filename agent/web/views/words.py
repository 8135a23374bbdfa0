"""How moments, spans, states and addresses read on a page. Wording only, nothing decides here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from agent.model.service import EntityRef, ServiceMap

NAMES_SHOWN_MAX = 3


class Tone(StrEnum):
    """How loudly a state is drawn; the page never says anything by colour alone."""

    BAD = "bad"
    WARN = "warn"
    GOOD = "good"
    BUSY = "busy"
    MUTED = "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A short word with a tone."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time: for machines, exactly, and as people say it."""

    iso: str
    exact: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something to follow; an empty `href` leaves the text alone."""

    text: str
    href: str = ""


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `42 s`, `3 min`, `2 h 5 min`, `4 d 2 h`."""
    seconds = int(abs(length).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def money(amount: float) -> str:
    """An amount in the map's one currency, without a fraction that nobody knows."""
    return f"{amount:,.0f}"


def moment(at: datetime, now: datetime) -> Moment:
    """A moment told from now: `3 min ago`, `in 2 h`."""
    text = f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"
    return Moment(iso=at.isoformat(), exact=_exact(at), text=text)


def clock_time(at: datetime, now: datetime) -> Moment:
    """A moment as a clock shows it, with the day where that is another one. UTC."""
    text = at.strftime("%H:%M:%S" if at.date() == now.date() else "%d %b %H:%M")
    return Moment(iso=at.isoformat(), exact=_exact(at), text=text)


def lasting(since: datetime, until: datetime | None, now: datetime) -> Moment:
    """How long something has lasted, or lasted until it ended."""
    return Moment(iso=since.isoformat(), exact=_exact(since), text=span((until or now) - since))


def word(value: StrEnum) -> str:
    """An enum's value as a word in a sentence: `awaiting_approval` is `awaiting approval`."""
    return value.value.replace("_", " ")


def capital(text: str) -> str:
    """The text with its first letter in upper case, the rest untouched."""
    return text[:1].upper() + text[1:]


def short_name(ref: EntityRef) -> str:
    """The name in an entity reference: `group:default/web` is `web`."""
    return ref.rpartition("/")[2] or ref


def entity_label(ref: EntityRef, service_map: ServiceMap) -> str:
    """What people call an entity; its bare name where the map does not know it."""
    entity = service_map.entities.get(ref)
    return entity.label if entity else short_name(ref)


def listing(names: Sequence[str], shown: int = NAMES_SHOWN_MAX) -> str:
    """Names as in a sentence: `a`, `a and b`, `a, b, c and 4 more`."""
    if len(names) > shown:
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return "".join(names)


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number with its noun: `1 alert`, `3 alerts`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def safe_href(url: str) -> str:
    """The address when a click on it is harmless (http or https with a host), else nothing."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def external(text: str, url: str) -> Link:
    """A link to another tool; text alone where its address is not one to follow."""
    return Link(text=text, href=safe_href(url))


def person(identity: str | None) -> str:
    """Who, as people say it: `person:ada` is `ada`, `rule:x` is `rule x`."""
    if not identity:
        return ""
    kind, colon, name = identity.partition(":")
    if not colon:
        return identity
    return name if kind == "person" else f"{kind} {name}"


def digest_start(digest: str) -> str:
    """Enough of a digest to compare by eye."""
    return digest.removeprefix("sha256:")[:12]


def _exact(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
