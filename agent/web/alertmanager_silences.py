"""The Alertmanager API v2: silences."""

from datetime import datetime
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web

from agent.core.matching import compile_all
from agent.model.entry import SilenceAdded, SilenceExpired
from agent.model.labels import Labels, Matcher
from agent.model.silence import Silence
from agent.web.alertmanager import TAG
from agent.web.alertmanager_wire import (
    GettableSilence,
    PostableSilence,
    SilenceIdShape,
    SilencesQuery,
    silence_shape,
    silence_state,
)
from agent.web.filters import compile_filters
from agent.web.permission import Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, answer_json
from agent.web.slices import answer_list
from agent.web.writes import write

_ORDER = {"active": 0, "pending": 1, "expired": 2}


async def get_silences(call: Call) -> web.StreamResponse:
    """Silences, those in force first."""
    at = call.site.clock.now()
    try:
        holds = compile_filters(call.query_as(SilencesQuery).filter)
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"bad filter: {error}") from None
    chosen = [s for s in call.site.loop.state.silences.values() if holds(_as_labels(s))]
    chosen.sort(key=lambda s: (_ORDER[silence_state(s, at)], s.ends_at, s.id))
    return await answer_list(call.request, (silence_shape(silence, at) for silence in chosen))


async def get_silence(call: Call) -> web.StreamResponse:
    """One silence."""
    return answer_json(silence_shape(_silence(call), call.site.clock.now()))


async def post_silence(call: Call) -> web.StreamResponse:
    """Make a silence, or change the one that `id` names; an expired one is made anew."""
    at, asked = call.site.clock.now(), call.body_as(PostableSilence)
    known = call.site.loop.state.silences.get(asked.id)
    if asked.id and known is None:
        raise not_found("silence", asked.id)
    is_change = known is not None and silence_state(known, at) != "expired"
    silence = Silence(
        id=asked.id if is_change else str(uuid4()),
        matchers=matchers_of(asked, at),
        starts_at=asked.startsAt if is_change else max(asked.startsAt, at),
        ends_at=asked.endsAt,
        created_by=call.identity.name,
        comment=asked.comment,
        updated_at=at,
    )
    await write(call, SilenceAdded(silence=silence))
    return answer_json({"silenceID": silence.id})


async def delete_silence(call: Call) -> web.StreamResponse:
    """End a silence now."""
    silence = _silence(call)
    if silence_state(silence, call.site.clock.now()) == "expired":
        raise refuse(HTTPStatus.CONFLICT, f"The silence {silence.id} has expired already.")
    await write(call, SilenceExpired(id=silence.id, by=call.identity.name))
    return web.Response()


def matchers_of(asked: PostableSilence, at: datetime) -> tuple[Matcher, ...]:
    """The matchers of a silence that makes sense. Refuses 400 what would mute everything."""
    matchers = tuple(shape.matcher() for shape in asked.matchers)
    try:
        mutes_everything = all(compile_all((matcher,))({}) for matcher in matchers)
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"bad matcher: {error}") from None
    if mutes_everything:
        raise refuse(
            HTTPStatus.BAD_REQUEST, "At least one matcher must not match the empty string."
        )
    if asked.endsAt <= asked.startsAt:
        raise refuse(HTTPStatus.BAD_REQUEST, "The silence ends before it starts.")
    if asked.endsAt <= at:
        raise refuse(HTTPStatus.BAD_REQUEST, "The end of the silence is in the past.")
    return matchers


def _silence(call: Call) -> Silence:
    identifier = call.named("id")
    silence = call.site.loop.state.silences.get(identifier)
    if silence is None:
        raise not_found("silence", identifier)
    return silence


def _as_labels(silence: Silence) -> Labels:
    return {matcher.name: matcher.value for matcher in silence.matchers}


ROUTES = (
    Route(
        method="GET",
        path="/api/v2/silences",
        permission=Permission.READ,
        summary="Silences",
        tag=TAG,
        handler=get_silences,
        query=SilencesQuery,
        response=list[GettableSilence],
    ),
    Route(
        method="POST",
        path="/api/v2/silences",
        permission=Permission.SILENCE,
        summary="Make or change a silence",
        tag=TAG,
        handler=post_silence,
        body=PostableSilence,
        response=SilenceIdShape,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="GET",
        path="/api/v2/silence/{id}",
        permission=Permission.READ,
        summary="One silence",
        tag=TAG,
        handler=get_silence,
        response=GettableSilence,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="DELETE",
        path="/api/v2/silence/{id}",
        permission=Permission.SILENCE,
        summary="End a silence",
        tag=TAG,
        handler=delete_silence,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
