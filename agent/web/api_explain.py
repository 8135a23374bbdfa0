"""Why, and why not: what an alert led to and what mutes it; whom a silence would silence."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.config.matchers import parse_matchers
from agent.core.matching import compile_matcher
from agent.core.state import ActiveAlert, State
from agent.model.alert import Alert
from agent.model.incident import Cause, Incident, TimelineItem
from agent.model.labels import Labels, Matcher
from agent.model.reason import Reason
from agent.model.service import EntityRef
from agent.model.silence import Silence
from agent.web.api_incidents import known_incident
from agent.web.permission import Permission
from agent.web.preview import preview_of
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.views.silences import SilencePreview

TAG = "Explain"
SILENCES_EXPLAINED_MAX = 100


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
    timeline: tuple[TimelineItem, ...]
    """What the incident's story says about this very alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentExplanation:
    """What speaks for each probable cause and against it, and every decision with its reason."""

    incident: str
    causes: tuple[Cause, ...]
    cause_confirmed_by: str | None
    decisions: tuple[TimelineItem, ...]


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
        timeline=await _about(call, active),
    )
    return answer(explained, AlertExplanation)


async def explain_incident(call: Call) -> web.StreamResponse:
    """Why this cause, why this priority, why this remediation or none."""
    incident: Incident = await known_incident(call, call.named("id"))
    explained = IncidentExplanation(
        incident=incident.id,
        causes=incident.causes,
        cause_confirmed_by=incident.cause_confirmed_by,
        decisions=tuple(await call.site.store.timeline(incident.id)),
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
        response=AlertExplanation,
        errors=(HTTPStatus.NOT_FOUND,),
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
