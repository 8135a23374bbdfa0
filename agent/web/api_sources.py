"""Webhooks: alerts, and what was changed, from tools that post in a format of their own."""

from http import HTTPStatus

from aiohttp import web

from agent.errors import PayloadError
from agent.web.alertmanager import SOURCE, take
from agent.web.auth import unauthorized
from agent.web.permission import Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, answer_json

TAG = "Webhooks"
PAGERDUTY = "pagerduty_changes"
"""The source whose path is PagerDuty's own; without configuration it is there on loopback."""


async def post_webhook(call: Call) -> web.StreamResponse:
    """Take what a source sends: `alertmanager` (payload version 4), or one of the configuration.

    The answer is given once all of the payload is durable; of a bad payload none is kept. A
    source with a secret signs its body, or sends the secret, as its tool does it.
    """
    source, site = call.named("source"), call.site
    is_of_changes = source in site.change_parsers
    if source == SOURCE or not (is_of_changes or source in site.parsers):
        raise not_found("source", source)
    signed = site.signatures.get(source)
    if signed is not None:
        if not signed.vouches_for(call.request.headers, call.content):
            raise unauthorized(f"The source {source!r} must sign what it sends.")
    elif source in site.guarded_sources and call.identity.is_anonymous:
        raise unauthorized(f"The source {source!r} must send its token.")
    if is_of_changes:
        await take_changes(call, source)
    else:
        await take(call, source)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def post_change_event(call: Call) -> web.StreamResponse:
    """Take a change event as PagerDuty's Events API v2 does, and answer in its words."""
    if PAGERDUTY not in call.site.change_parsers:
        raise not_found("source", PAGERDUTY)
    if PAGERDUTY in call.site.guarded_sources and call.identity.is_anonymous:
        raise unauthorized(f"The source {PAGERDUTY!r} must send its token.")
    await take_changes(call, PAGERDUTY)
    answer = {"status": "success", "message": "Change event processed"}
    return answer_json(answer, HTTPStatus.ACCEPTED)


async def take_changes(call: Call, source: str) -> None:
    """Take in what a source says of changes. Refuses 403 another's token."""
    if call.identity.source not in (None, source):
        raise refuse(HTTPStatus.FORBIDDEN, f"This token speaks for {call.identity.source} only.")
    site, at = call.site, call.site.clock.now()
    try:
        await site.intake.report(source, site.change_parsers[source](call.content, at))
    except PayloadError:
        site.intake.refused(source, "payload")
        raise


ROUTES = (
    Route(
        method="POST",
        path="/api/v1/webhooks/{source}",
        permission=Permission.INTAKE,
        summary="Take what a source sends",
        tag=TAG,
        handler=post_webhook,
        takes_bytes=True,
        takes_signature=True,
        status=HTTPStatus.NO_CONTENT,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v2/change/enqueue",
        permission=Permission.INTAKE,
        summary="Take a change event of PagerDuty's Events API v2",
        tag=TAG,
        handler=post_change_event,
        takes_bytes=True,
        status=HTTPStatus.ACCEPTED,
        response=dict[str, str],
    ),
)
