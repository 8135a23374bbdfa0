"""How far rules may go by themselves, what they have shown, and where automation has stopped."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.core.autonomy import modes
from agent.core.autonomy.told import (
    AutonomyTold,
    BreakerTold,
    RuleTold,
    cases_of,
    tell,
    told,
)
from agent.model.autonomy import Case, Mode
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.entry import What
from agent.model.incident import TimelineItem
from agent.model.rule import RemediationRule
from agent.web.api_views import ChangeView, change_view
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish, answer
from agent.web.writes import write

TAG = "Autonomy"
Name = Annotated[str, Field(min_length=1, max_length=300)]
Note = Annotated[str, Field(max_length=4000)]


class PromotionWish(Wish):
    """A signature under a step up: of exactly this rule and playbook."""

    to: Mode
    binding: Name
    note: Note = ""


class DemotionWish(Wish):
    """How far it shall go at most."""

    to: Mode
    note: Note = ""


class StopWish(Wish):
    """Why; `cancel` ends what rules have under way too."""

    note: Annotated[str, Field(min_length=1, max_length=4000)]
    cancel: bool = False


class ResumeWish(Wish):
    """Why it may go on."""

    note: Annotated[str, Field(min_length=1, max_length=4000)]


class ResetWish(Wish):
    """Which breaker, as the list names it, and why it is understood."""

    breaker: Name
    note: Note = ""


class TakeWish(Wish):
    """Which proposal: the case behind it."""

    case: Name
    note: Note = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDetail:
    """One rule with its newest cases and its story."""

    rule: RuleTold
    cases: tuple[Case, ...]
    timeline: tuple[TimelineItem, ...]


async def get_autonomy(call: Call) -> web.StreamResponse:
    """How far every rule may go, and where automation has stopped."""
    return answer(told(call.site.loop.state), AutonomyTold)


async def get_rule(call: Call) -> web.StreamResponse:
    """One rule: its score, its cases with their incidents, and its story."""
    rule, state = _known(call), call.site.loop.state
    timeline = tuple(await call.site.store.timeline(f"rule:{rule.name}"))
    detail = RuleDetail(rule=tell(state, rule), cases=cases_of(state, rule.name), timeline=timeline)
    return answer(detail, RuleDetail)


async def promote(call: Call) -> web.StreamResponse:
    """Sign the next step up; refused with what is missing."""
    asked, rule, who = call.body_as(PromotionWish), _known(call), call.identity
    what = ModePromoted(
        rule=rule.name,
        to=asked.to,
        binding=asked.binding,
        by=who.name,
        roles=who.roles,
        note=asked.note,
    )
    return await _rule_written(call, what)


async def demote(call: Call) -> web.StreamResponse:
    """Let it go no further than this."""
    asked, rule = call.body_as(DemotionWish), _known(call)
    what = ModeDemoted(rule=rule.name, to=asked.to, by=call.identity.name, note=asked.note)
    return await _rule_written(call, what)


async def stop(call: Call) -> web.StreamResponse:
    """From now on no rule starts anything."""
    asked = call.body_as(StopWish)
    await write(call, AutonomyStopped(by=call.identity.name, note=asked.note, cancel=asked.cancel))
    return await get_autonomy(call)


async def resume(call: Call) -> web.StreamResponse:
    """Let rules go as far as they may again."""
    note, who = call.body_as(ResumeWish).note, call.identity
    await write(call, AutonomyResumed(by=who.name, roles=who.roles, note=note))
    return await get_autonomy(call)


async def reset(call: Call) -> web.StreamResponse:
    """Let automation try again where it has stopped."""
    asked, who = call.body_as(ResetWish), call.identity
    what = BreakerReset(breaker=asked.breaker, by=who.name, roles=who.roles, note=asked.note)
    await write(call, what)
    return answer(told(call.site.loop.state).breakers, tuple[BreakerTold, ...])


async def get_breakers(call: Call) -> web.StreamResponse:
    """Where automation has stopped until a person resets it."""
    return answer(told(call.site.loop.state).breakers, tuple[BreakerTold, ...])


async def take_up(call: Call) -> web.StreamResponse:
    """Take up what a rule suggests: it becomes the caller's request, under policy."""
    asked = call.body_as(TakeWish)
    what = ProposalTaken(
        incident=call.named("id"), case=asked.case, by=call.identity.name, note=asked.note
    )
    made = (await write(call, what)).created
    assert made is not None, "a proposal that was taken up makes a change"
    return answer(change_view(call.site.loop.state.changes[made]), ChangeView, HTTPStatus.CREATED)


def _known(call: Call) -> RemediationRule:
    name, state = call.named("name"), call.site.loop.state
    rule = modes.rule_named(state, name)
    if rule is None or name not in state.autonomy.rules:
        raise not_found("rule", name)
    return rule


async def _rule_written(call: Call, what: What) -> web.StreamResponse:
    await write(call, what)
    return answer(tell(call.site.loop.state, _known(call)), RuleTold)


def _post(  # noqa: PLR0917 - a line of the table below
    path: str,
    summary: str,
    permission: Permission,
    handler: Handler,
    body: type[Wish],
    response: object,
) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/{path}",
        permission=permission,
        summary=summary,
        tag=TAG,
        handler=handler,
        body=body,
        response=response,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


def _get(path: str, summary: str, handler: Handler, response: object) -> Route:
    return Route(
        method="GET",
        path=f"/api/v1/{path}",
        permission=Permission.READ,
        summary=summary,
        tag=TAG,
        handler=handler,
        response=response,
        errors=(HTTPStatus.NOT_FOUND,) if "{" in path else (),
    )


_RULE = "autonomy/rules/{name}"
_TAKE = Route(
    method="POST",
    path="/api/v1/incidents/{id}/take",
    permission=Permission.REQUEST,
    summary="Take up a proposal",
    tag=TAG,
    handler=take_up,
    body=TakeWish,
    response=ChangeView,
    status=HTTPStatus.CREATED,
    errors=(HTTPStatus.CONFLICT,),
)
ROUTES = (
    _get("autonomy", "How far rules may go", get_autonomy, AutonomyTold),
    _get(_RULE, "One rule with its cases", get_rule, RuleDetail),
    _post(f"{_RULE}/promote", "Promote", Permission.APPROVE, promote, PromotionWish, RuleTold),
    _post(f"{_RULE}/demote", "Demote", Permission.RESPOND, demote, DemotionWish, RuleTold),
    _post("autonomy/stop", "Stop all rules", Permission.CANCEL, stop, StopWish, AutonomyTold),
    _post("autonomy/resume", "Resume", Permission.APPROVE, resume, ResumeWish, AutonomyTold),
    _get("breakers", "Open breakers", get_breakers, tuple[BreakerTold, ...]),
    _post(
        "breakers/reset",
        "Reset a breaker",
        Permission.APPROVE,
        reset,
        ResetWish,
        tuple[BreakerTold, ...],
    ),
    _TAKE,
)
