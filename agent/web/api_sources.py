"""Webhooks: alerts from tools that post in a format of their own, one path a source."""

from http import HTTPStatus

from aiohttp import web

from agent.web.alertmanager import SOURCE, take
from agent.web.auth import unauthorized
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Route

TAG = "Webhooks"


async def post_webhook(call: Call) -> web.StreamResponse:
    """Take what a source sends: `alertmanager` (payload version 4), or one of the configuration.

    The answer is given once all alerts of the payload are durable; of a bad payload none is kept.
    """
    source = call.named("source")
    if source == SOURCE or source not in call.site.parsers:
        raise not_found("source", source)
    if source in call.site.guarded_sources and call.identity.is_anonymous:
        raise unauthorized(f"The source {source!r} must send its token.")
    await take(call, source)
    return web.Response(status=HTTPStatus.NO_CONTENT)


ROUTES = (
    Route(
        method="POST",
        path="/api/v1/webhooks/{source}",
        permission=Permission.INTAKE,
        summary="Take what a source sends",
        tag=TAG,
        handler=post_webhook,
        takes_bytes=True,
        status=HTTPStatus.NO_CONTENT,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
