"""Why, and why not: what an alert led to and what mutes it; whom a silence would silence."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.config.matchers import parse_matchers
from agent.core import explain
from agent.core.explain import Coverage, Joined, NotWith
from agent.core.matching import compile_matcher
from agent.core.state import ActiveAlert, State
from agent.model.alert import Alert
from agent.model.incident import Cause, Incident, TimelineItem, UntilClear
from agent.model.labels import Labels, Matcher
from agent.model.problem import Workaround
from agent.model.reason import Reason
from agent.model.reported import Suspect
from agent.model.service import EntityRef
from agent.model.silence import Silence
from agent.web.api_incidents import known_incident
from agent.web.occurrences import flapping_of
from agent.web.permission import Permission
from agent.web.preview import preview_of
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.views.flapping import Flapping
from agent.web.views.silences import SilencePreview

TAG = "Explain"
SILENCES_EXPLAINED_MAX = 100
CORRECTIONS = frozenset(
    {Reason.MERGED, Reason.SPLIT, Reason.MOVED, Reason.UNRELATED, Reason.CAUSE_CONFIRMED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceVerdict:
    """Whether one silence mutes the alert, and if not, why not."""

    silence: str
    comment: str
    mutes: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertExplanation:
    """Where an alert was placed, which incident it joined and why, and what mutes it."""

    alert: Alert
    source: str
    entity: EntityRef | None
    placed_by: tuple[str, ...]
    """The matchers of the entity that hold; empty where the alert has no place on the map."""
    incident: str | None
    joined_by: Reason | None
    expires_at: datetime | None
    suppressed_by: tuple[str, ...]
    silences: tuple[SilenceVerdict, ...]
    flapping: Flapping | None
    not_with: NotWith | None
    """Why it is not with what `not_with` of the query names; null where nothing was asked."""
    timeline: tuple[TimelineItem, ...]
    """What the incident's story says about this very alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentExplanation:
    """What speaks for each probable cause and against it, and every decision with its reason."""

    incident: str
    causes: tuple[Cause, ...]
    coverage: tuple[Coverage, ...]
    """What each of the causes explains of the places that alert, and what it fails to explain."""
    cause_confirmed_by: str | None
    suspects: tuple[Suspect, ...]
    pattern: str | None
    workaround: Workaround | None
    joined: tuple[Joined, ...]
    """Why each alert that fires is in it; the first of them."""
    corrections: tuple[TimelineItem, ...]
    """What people corrected: merged, split, moved, declared unrelated, named the cause."""
    flapping: tuple[Flapping, ...]
    until_clear: UntilClear | None
    decisions: tuple[TimelineItem, ...]


class AlertQuery(Wish):
    """What the alert is compared with."""

    not_with: str | None = Field(
        None, max_length=64, description="An incident, or the fingerprint of another alert."
    )


class PreviewQuery(Wish):
    """The matchers of a silence before it is made."""

    filter: Annotated[tuple[str, ...], Field(min_length=1, max_length=32)]


async def explain_alert(call: Call) -> web.StreamResponse:
    """Why an alert is where it is, and why it is muted or is not."""
    site, fingerprint = call.site, call.named("fingerprint")
    state, at = site.loop.state, site.clock.now()
    active = state.alerts.get(fingerprint)
    if active is None:
        raise not_found("alert that fires with the fingerprint", fingerprint)
    explained = AlertExplanation(
        alert=active.alert,
        source=active.source,
        entity=active.entity,
        placed_by=_placed_by(state, active),
        incident=active.incident,
        joined_by=active.joined_by,
        expires_at=active.expires_at,
        suppressed_by=active.suppressed_by,
        silences=tuple(_verdicts(state, active.alert.labels, at)),
        flapping=_flapping(state, active),
        not_with=_not_with(state, active, call.query_as(AlertQuery).not_with),
        timeline=await _about(call, active),
    )
    return answer(explained, AlertExplanation)


async def explain_incident(call: Call) -> web.StreamResponse:
    """Why this cause, why this priority, why this remediation or none."""
    incident: Incident = await known_incident(call, call.named("id"))
    state, story = call.site.loop.state, tuple(await call.site.store.timeline(incident.id))
    explained = IncidentExplanation(
        incident=incident.id,
        causes=incident.causes,
        coverage=explain.coverage(state, incident),
        cause_confirmed_by=incident.cause_confirmed_by,
        suspects=incident.suspects,
        pattern=incident.pattern,
        workaround=incident.workaround,
        joined=explain.joined(state, incident),
        corrections=tuple(item for item in story if item.reason in CORRECTIONS),
        flapping=flapping_of(state, incident.id),
        until_clear=incident.until_clear,
        decisions=story,
    )
    return answer(explained, IncidentExplanation)


async def preview_silence(call: Call) -> web.StreamResponse:
    """Count what a silence would hide before it is made."""
    texts = call.query_as(PreviewQuery).filter
    try:
        matchers = tuple(matcher for text in texts for matcher in parse_matchers(text))
        preview = await preview_of(call.site.loop.state, matchers)
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"bad filter: {error}") from None
    return answer(preview, SilencePreview)


def _flapping(state: State, active: ActiveAlert) -> Flapping | None:
    name = active.alert.fingerprint
    found = flapping_of(state, active.incident or "")
    return next((flap for flap in found if flap.alert == name), None)


def _not_with(state: State, active: ActiveAlert, other: str | None) -> NotWith | None:
    if other is None:
        return None
    beside = state.alerts.get(other)
    if beside is not None and beside.incident is None:
        muted = ", ".join(beside.suppressed_by)
        raise refuse(HTTPStatus.CONFLICT, f"{other} is in no incident: muted by {muted}.")
    identifier = beside.incident if beside is not None else other
    incident = state.incidents.get(identifier or "")
    if incident is None:
        raise not_found("incident in the watch, or alert that fires,", other)
    if not incident.is_live:
        text = f"{incident.id} is {incident.state}: nothing can join it any more."
        raise refuse(HTTPStatus.CONFLICT, text)
    return explain.not_with(state, active, incident)


def _placed_by(state: State, active: ActiveAlert) -> tuple[str, ...]:
    entity = state.config.service_map.entities.get(active.entity or "")
    labels = active.alert.labels
    fitting = [
        matchers
        for matchers in (entity.matches if entity else ())
        if all(compile_matcher(matcher)(labels) for matcher in matchers)
    ]
    fitting.sort(key=lambda matchers: -len(matchers))
    return tuple(map(str, fitting[0])) if fitting else ()


def _verdicts(state: State, labels: Labels, at: datetime) -> list[SilenceVerdict]:
    current = [silence for silence in state.silences.values() if at < silence.ends_at]
    return [_verdict(silence, labels, at) for silence in current[:SILENCES_EXPLAINED_MAX]]


def _verdict(silence: Silence, labels: Labels, at: datetime) -> SilenceVerdict:
    failing = next((m for m in silence.matchers if not compile_matcher(m)(labels)), None)
    if failing is not None:
        because = f"{failing} does not hold: {_found(failing, labels)}"
    elif at < silence.starts_at:
        because = f"it begins at {silence.starts_at.isoformat()}"
    else:
        because = "all its matchers hold"
    return SilenceVerdict(
        silence=silence.id,
        comment=silence.comment,
        mutes=failing is None and silence.starts_at <= at,
        because=because,
    )


def _found(matcher: Matcher, labels: Labels) -> str:
    value = labels.get(matcher.name)
    return "the alert has no such label" if value is None else f"the alert says {value!r}"


async def _about(call: Call, active: ActiveAlert) -> tuple[TimelineItem, ...]:
    if active.incident is None:
        return ()
    timeline = await call.site.store.timeline(active.incident)
    return tuple(item for item in timeline if active.alert.fingerprint in item.alerts)


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/explain/alerts/{fingerprint}",
        permission=Permission.READ,
        summary="Why an alert is where it is",
        tag=TAG,
        handler=explain_alert,
        query=AlertQuery,
        response=AlertExplanation,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="GET",
        path="/api/v1/explain/incidents/{id}",
        permission=Permission.READ,
        summary="Why an incident is what it is",
        tag=TAG,
        handler=explain_incident,
        response=IncidentExplanation,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/silences/preview",
        permission=Permission.READ,
        summary="What a silence would mute",
        tag=TAG,
        handler=preview_silence,
        query=PreviewQuery,
        response=SilencePreview,
    ),
)
