"""Silences: what makes no noise, until when, by whose word; and what a new one would mute."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.model.labels import Labels
from agent.model.service import EntityRef
from agent.model.silence import Silence
from agent.web.views.words import Badge, Moment, Tone, moment, person


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRow:
    """One silence."""

    id: str
    matchers: tuple[str, ...]
    state: Badge
    ends: Moment
    by: str
    comment: str
    can_expire: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SilencePreview:
    """What these matchers would mute of what fires now."""

    alerts: int
    muted_already: int
    names: tuple[str, ...]
    """What the alerts are called; bounded."""
    incidents: tuple[str, ...]
    owners: dict[EntityRef, int]
    """Alerts by the team that owns the entity; `unowned` and `unplaced` are counted, too."""
    sample: tuple[Labels, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceForm:
    """What was typed, given back with what it would do or what is wrong with it."""

    matchers: str = ""
    hours: str = "2"
    comment: str = ""
    problem: str = ""
    preview: SilencePreview | None = None


def silence_rows(silences: Iterable[Silence], now: datetime) -> tuple[SilenceRow, ...]:
    """Active and pending ones first, the one that ends soonest first; then the expired ones."""
    ranked = sorted(silences, key=lambda one: (one.ends_at <= now, abs(one.ends_at - now), one.id))
    return tuple(_row(silence, now) for silence in ranked)


def _row(silence: Silence, now: datetime) -> SilenceRow:
    if silence.ends_at <= now:
        state = Badge(text="expired", tone=Tone.MUTED)
    elif silence.starts_at > now:
        state = Badge(text="pending", tone=Tone.BUSY)
    else:
        state = Badge(text="active", tone=Tone.WARN)
    return SilenceRow(
        id=silence.id,
        matchers=tuple(str(matcher) for matcher in silence.matchers),
        state=state,
        ends=moment(silence.ends_at, now),
        by=person(silence.created_by),
        comment=silence.comment,
        can_expire=silence.ends_at > now,
    )
