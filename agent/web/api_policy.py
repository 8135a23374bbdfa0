"""Change policy for people: why it said what it said, what it would say, and standard changes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.core.policy import standard
from agent.core.policy.explain import Explanation, explain, imagined
from agent.core.policy.memory import TemplateUse
from agent.core.state import State
from agent.model.change import ChangeType
from agent.model.policy_entries import StandardReinstated
from agent.model.standard import StandardChange
from agent.web.permission import Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.writes import write

TAG = "Change policy"

Name = Annotated[str, Field(min_length=1, max_length=300)]


class WhatIfQuery(Wish):
    """Which change, if somebody asked for it."""

    remediation: Name
    entity: Name
    type: ChangeType | None = None
    parameter: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*=", max_length=400)], ...],
        Field(max_length=64, description="`NAME=VALUE`; those left out are taken as given."),
    ] = ()
    incident: Name | None = None
    at: datetime | None = Field(None, description="A moment to come; default: now.")


class Remark(Wish):
    """Why."""

    note: Annotated[str, Field(max_length=10_000)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardView:
    """A template of standard changes and how it stands."""

    name: str
    version: str
    remediation: str
    owner: str
    expires: date
    problem: str | None
    """Why it covers nothing now; null: it is in force."""
    is_withdrawn: bool
    uses_left: int | None
    """Null: nothing limits it."""
    successes: int
    failures: int
    """Among the latest runs, as far as they count for its withdrawal."""


async def explain_change(call: Call) -> web.StreamResponse:
    """Every check with its answer, were the change judged now; it is not."""
    site, identifier = call.site, call.named("id")
    change = site.loop.state.changes.get(identifier) or await site.store.change(identifier)
    if change is None:
        raise not_found("change", identifier)
    return answer(explain(site.loop.state, change, site.clock.now()), Explanation)


async def what_if(call: Call) -> web.StreamResponse:
    """What policy would say to a request; nothing is asked for."""
    asked, state, now = call.query_as(WhatIfQuery), call.site.loop.state, call.site.clock.now()
    at = asked.at if asked.at is None or asked.at.tzinfo else asked.at.replace(tzinfo=UTC)
    parts = (text.partition("=") for text in asked.parameter)
    change = imagined(
        state,
        remediation=asked.remediation,
        entity=asked.entity,
        parameters={name: value for name, _, value in parts},
        by=call.identity.name,
        type=asked.type,
        incident=asked.incident,
        at=max(at or now, now),
    )
    if isinstance(change, str):
        raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, change)
    return answer(explain(state, change, change.requested_at), Explanation)


async def get_standard(call: Call) -> web.StreamResponse:
    """All templates of standard changes, by name."""
    state, now = call.site.loop.state, call.site.clock.now()
    policy = state.config.policy
    templates = policy.standard if policy else ()
    return answer(tuple(_view(state, each, now) for each in templates), tuple[StandardView, ...])


async def reinstate(call: Call) -> web.StreamResponse:
    """Put a withdrawn template into force again; its failures are forgotten."""
    name, state = call.named("name"), call.site.loop.state
    policy = state.config.policy
    template = next(
        (each for each in (policy.standard if policy else ()) if each.name == name), None
    )
    if template is None:
        raise not_found("standard change", name)
    note = call.body_as(Remark).note
    await write(call, StandardReinstated(name=name, by=call.identity.name, note=note))
    return answer(_view(call.site.loop.state, template, call.site.clock.now()), StandardView)


def _view(state: State, template: StandardChange, at: datetime) -> StandardView:
    use = state.gate.templates.get(template.name) or TemplateUse()
    return StandardView(
        name=template.name,
        version=standard.version_of(template),
        remediation=template.remediation,
        owner=template.owner,
        expires=template.expires,
        problem=standard.standing_of(state, template, at),
        is_withdrawn=use.withdrawn_at is not None,
        uses_left=standard.uses_left(state, template, at),
        successes=use.results.count(True),
        failures=use.results.count(False),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/changes/{id}/policy",
        permission=Permission.READ,
        summary="Why policy says what it says of a change",
        tag=TAG,
        handler=explain_change,
        response=Explanation,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/policy/what-if",
        permission=Permission.READ,
        summary="What policy would say to a request",
        tag=TAG,
        handler=what_if,
        query=WhatIfQuery,
        response=Explanation,
        errors=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
    Route(
        method="GET",
        path="/api/v1/standard-changes",
        permission=Permission.READ,
        summary="Templates of standard changes",
        tag=TAG,
        handler=get_standard,
        response=tuple[StandardView, ...],
    ),
    Route(
        method="POST",
        path="/api/v1/standard-changes/{name}/reinstate",
        permission=Permission.APPROVE,
        summary="Put a withdrawn standard change into force again",
        tag=TAG,
        handler=reinstate,
        body=Remark,
        response=StandardView,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
