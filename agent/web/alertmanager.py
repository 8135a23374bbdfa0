"""The Alertmanager API v2: alerts. Prometheus, vmalert, amtool and karma speak it unchanged.

Where we know more than Alertmanager does, its words are kept: a group is an incident.
Silences are in `alertmanager_silences`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

import orjson
from aiohttp import web

from agent.core.matching import compile_all
from agent.core.state import ActiveAlert, State
from agent.errors import PayloadError
from agent.model.labels import Matcher, MatchOperator
from agent.web.alertmanager_wire import (
    AlertGroupShape,
    AlertsQuery,
    GettableAlert,
    ReceiverShape,
    alert_shape,
    moment,
)
from agent.web.filters import compile_filters
from agent.web.headers import empty
from agent.web.permission import Permission
from agent.web.problem import refuse
from agent.web.routes import Call, Route, answer_json
from agent.web.slices import answer_list, answer_pieces, choose, in_order, json_list

TAG = "Alertmanager API v2"
ALERTMANAGER_VERSION = "0.25.0"
"""The release whose API this is; tools read it to learn what they may ask."""
DEFAULT_RECEIVER = "watchkeeper"
UNLEASED = timedelta(minutes=5)
"""The end that is shown for a firing alert that holds until it resolves."""
SOURCE = "alertmanager_v2"


async def post_alerts(call: Call) -> web.StreamResponse:
    """Take alerts as Prometheus sends them: all of the request, or none.

    The answer is given once they are durable. An `endsAt` to come is the moment when the alert
    lapses unless it is repeated.
    """
    at = await take(call, SOURCE)
    return empty(call.request, at)


async def take(call: Call, source: str) -> datetime:
    """Parse a body as this source writes it and take its alerts in, at the moment it returns.

    Refuses 403 a token that speaks for another source.
    """
    if call.identity.source not in (None, source):
        raise refuse(HTTPStatus.FORBIDDEN, f"This token speaks for {call.identity.source} only.")
    site, at = call.site, call.site.clock.now()
    try:
        await site.intake.take(source, site.parsers[source](call.content, at), at)
    except PayloadError:
        site.intake.refused(source, "payload")
        raise
    return at


async def get_alerts(call: Call) -> web.StreamResponse:
    """All alerts that fire and satisfy the query, by fingerprint."""
    state, at = call.site.loop.state, call.site.clock.now()
    chosen = await in_order(await _chosen(call, state), lambda active: active.alert.fingerprint)
    return await answer_list(call.request, _shapes(chosen, _receivers(state), at))


async def get_groups(call: Call) -> web.StreamResponse:
    """The same alerts by incident; those in none by name."""
    state, at = call.site.loop.state, call.site.clock.now()
    receivers = _receivers(state)
    groups: dict[tuple[str, str], list[ActiveAlert]] = {}
    for active in await _chosen(call, state):
        key = ("incident", active.incident) if active.incident else ("alertname", active.alert.name)
        groups.setdefault(key, []).append(active)
    return await answer_pieces(call.request, _groups_json(groups, receivers, at))


def _groups_json(
    groups: Mapping[tuple[str, str], Sequence[ActiveAlert]],
    receivers: list[dict[str, str]],
    at: datetime,
) -> Iterator[bytes]:
    opening = b"["
    for name, value in sorted(groups):
        head = orjson.dumps({"labels": {name: value}, "receiver": receivers[0]})
        yield opening + head.removesuffix(b"}") + b',"alerts":'
        yield from json_list(_shapes(groups[name, value], receivers, at))
        yield b"}"
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


async def get_receivers(call: Call) -> web.StreamResponse:
    """Whom routes tell."""
    return answer_json(_receivers(call.site.loop.state))


async def get_status(call: Call) -> web.StreamResponse:
    """What tools ask before they begin. `config.original` says who is told, and nothing secret."""
    site = call.site
    names = [receiver["name"] for receiver in _receivers(site.loop.state)]
    lines = ["route:", f"  receiver: {names[0]!r}", "receivers:"]
    return answer_json(
        {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": "\n".join([*lines, *(f"- name: {n!r}" for n in names), ""])},
            "uptime": moment(site.about.started_at),
            "versionInfo": {
                "branch": "",
                "buildDate": "",
                "buildUser": f"watchkeeper {site.about.version}",
                "goVersion": "",
                "revision": "",
                "version": ALERTMANAGER_VERSION,
            },
        }
    )


async def _chosen(call: Call, state: State) -> list[ActiveAlert]:
    query = call.query_as(AlertsQuery)
    try:
        holds = compile_filters(query.filter)
        is_told = compile_all(_named(query.receiver))
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"bad filter or receiver: {error}") from None
    if not any(is_told(receiver) for receiver in _receivers(state)):
        return []
    # The state may change between two slices; what was active when asked is what is answered.
    return await choose(
        list(state.alerts.values()),
        lambda active: _is_wanted(active, query) and holds(active.alert.labels),
    )


def _named(pattern: str | None) -> tuple[Matcher, ...]:
    if pattern is None:
        return ()
    return (Matcher(name="name", operator=MatchOperator.REGEX, value=pattern),)


def _is_wanted(active: ActiveAlert, query: AlertsQuery) -> bool:
    if not active.suppressed_by:
        return query.active
    kinds = {suppressor.partition(":")[0] for suppressor in active.suppressed_by}
    if "silence" in kinds and not query.silenced:
        return False
    if "inhibit" in kinds and not query.inhibited:
        return False
    return query.muted or kinds <= {"silence", "inhibit"}


def _shapes(
    chosen: Iterable[ActiveAlert], receivers: list[dict[str, str]], at: datetime
) -> Iterator[dict[str, object]]:
    return (alert_shape(active, receivers, at, at + UNLEASED) for active in chosen)


def _receivers(state: State) -> list[dict[str, str]]:
    # Which of them an alert reaches is decided by incident; an alert alone has no answer.
    names = dict.fromkeys(route.receiver for route in state.config.routes)
    return [{"name": name} for name in names] or [{"name": DEFAULT_RECEIVER}]


ROUTES = (
    Route(
        method="POST",
        path="/api/v2/alerts",
        permission=Permission.INTAKE,
        summary="Take alerts",
        tag=TAG,
        handler=post_alerts,
        takes_bytes=True,
    ),
    Route(
        method="GET",
        path="/api/v2/alerts",
        permission=Permission.READ,
        summary="Alerts that fire",
        tag=TAG,
        handler=get_alerts,
        query=AlertsQuery,
        response=list[GettableAlert],
    ),
    Route(
        method="GET",
        path="/api/v2/alerts/groups",
        permission=Permission.READ,
        summary="Alerts that fire, by incident",
        tag=TAG,
        handler=get_groups,
        query=AlertsQuery,
        response=list[AlertGroupShape],
    ),
    Route(
        method="GET",
        path="/api/v2/receivers",
        permission=Permission.READ,
        summary="Receivers",
        tag=TAG,
        handler=get_receivers,
        response=list[ReceiverShape],
    ),
    Route(
        method="GET",
        path="/api/v2/status",
        permission=Permission.READ,
        summary="Status, as Alertmanager says it",
        tag=TAG,
        handler=get_status,
        response=dict[str, object],
    ),
)
