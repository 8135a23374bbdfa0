"""Changes and their runs: what may run, who said so, what it printed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field, StrictBool, StrictInt, StrictStr

from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
    Run,
    RunState,
)
from agent.model.duty import ReviewOutcome
from agent.model.entry import ChangeCancelled, ChangeRequested, What
from agent.web.api_views import (
    ChangeDetail,
    ChangeView,
    ListQuery,
    Page,
    RunOutput,
    change_view,
    next_of,
)
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish, answer
from agent.web.words_of_people import (
    answer_for,
    approval,
    reconciliation,
    rejection,
    review_of,
    withdrawal,
)
from agent.web.writes import write

TAG = "Changes"

Name = Annotated[str, Field(min_length=1, max_length=300)]
Note = Annotated[str, Field(max_length=10_000)]
Value = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=4096)]


class ChangesQuery(ListQuery):
    """Which changes."""

    state: tuple[ChangeState, ...] = ()


class ChangeRequest(Wish):
    """A remediation that somebody wants; it passes the same gate as a rule's."""

    remediation: Name
    entity: Name
    parameters: Annotated[Mapping[Name, Value], Field(max_length=64)] = {}
    type: ChangeType | None = None
    incident: Name | None = None
    note: Note = ""
    not_before: AwareDatetime | None = Field(None, description="It starts then at the earliest...")
    not_after: AwareDatetime | None = Field(
        None, description="...and is over by then, with verification and rollback; else expired."
    )


class ApprovalWish(Wish):
    """A yes to exactly what `binding` covers, as the change showed it."""

    binding: Name
    note: Note = ""


class Remark(Wish):
    """Why."""

    note: Note = ""


class RetroWish(Wish):
    """The answer for an emergency that ran; a no needs its reason."""

    decision: Literal["approve", "reject"]
    note: Note = ""


class ReviewWish(Wish):
    """What a look back found."""

    outcome: ReviewOutcome
    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    lessons: Note = ""
    problem: Name | None = None


class ReconcileWish(Wish):
    """How it ended, and how somebody knows."""

    closure: Literal["success", "failed", "rolled_back"]
    note: Annotated[str, Field(min_length=1, max_length=10_000)]


class OutputQuery(Wish):
    """From where on."""

    after: int = Field(0, ge=0, le=2**53, description="Number of the last line seen.")


async def get_changes(call: Call) -> web.StreamResponse:
    """Changes, newest first."""
    query = call.query_as(ChangesQuery)
    found = await call.site.store.changes(
        states=query.state, limit=query.limit, before=query.before
    )
    items = tuple(change_view(change) for change in found)
    return answer(Page(items=items, next=next_of(found, query.limit)), Page[ChangeView])


async def get_change(call: Call) -> web.StreamResponse:
    """One change: decision with its reason, approvals, runs, story."""
    store, change = call.site.store, await _known_change(call)
    detail = ChangeDetail(
        change=change_view(change),
        preview=change.preview,
        runs=tuple(await store.runs_of(change.id)),
        timeline=tuple(await store.timeline(change.id)),
    )
    return answer(detail, ChangeDetail)


async def request_change(call: Call) -> web.StreamResponse:
    """Ask for a remediation of an entity; policy answers in the change's `decision`."""
    asked = call.body_as(ChangeRequest)
    config = call.site.loop.state.config
    if asked.remediation not in config.remediations:
        raise not_found("remediation", asked.remediation)
    if asked.entity not in config.service_map.entities:
        raise not_found("entity", asked.entity)
    transition = await write(
        call,
        ChangeRequested(
            remediation=asked.remediation,
            entity=asked.entity,
            parameters=dict(asked.parameters),
            by=call.identity.name,
            type=asked.type,
            incident=asked.incident,
            note=asked.note,
            not_before=asked.not_before,
            not_after=asked.not_after,
        ),
    )
    made = transition.created
    assert made is not None, "a request that was not refused makes a change"
    return answer(change_view(call.site.loop.state.changes[made]), ChangeView, HTTPStatus.CREATED)


async def approve(call: Call) -> web.StreamResponse:
    """Approve what was seen: another binding than the change's own is refused."""
    asked = call.body_as(ApprovalWish)
    return await _write(call, approval(call, call.named("id"), asked.binding, asked.note))


async def reject(call: Call) -> web.StreamResponse:
    """Refuse a change, and say why."""
    return await _write(call, rejection(call, call.named("id"), call.body_as(Remark).note))


async def withdraw(call: Call) -> web.StreamResponse:
    """Take one's own approval back, before it starts."""
    return await _write(call, withdrawal(call, call.named("id"), call.body_as(Remark).note))


async def answer_retro(call: Call) -> web.StreamResponse:
    """Answer for an emergency that ran, or say that it should not have been done so."""
    asked = call.body_as(RetroWish)
    said = answer_for(call, call.named("id"), asked.note, approves=asked.decision == "approve")
    return await _write(call, said)


async def review(call: Call) -> web.StreamResponse:
    """Look back at a change that is over."""
    asked = call.body_as(ReviewWish)
    said = review_of(
        call, call.named("id"), asked.outcome, asked.text, asked.lessons, asked.problem
    )
    return await _write(call, said)


async def reconcile(call: Call) -> web.StreamResponse:
    """Say how a change ended of which nobody knew."""
    asked = call.body_as(ReconcileWish)
    said = reconciliation(call, call.named("id"), Closure(asked.closure), asked.note)
    return await _write(call, said)


async def cancel(call: Call) -> web.StreamResponse:
    """Stop a change; a run under way is ended."""
    note = call.body_as(Remark).note
    what = ChangeCancelled(change=call.named("id"), by=call.identity.name, note=note)
    return await _write(call, what)


async def get_run(call: Call) -> web.StreamResponse:
    """One run with its outcome."""
    return answer(await _known_run(call), Run)


async def get_output(call: Call) -> web.StreamResponse:
    """What a run printed after the line numbered `after`; ask again to follow it."""
    run, after = await _known_run(call), call.query_as(OutputQuery).after
    lines = tuple(await call.site.store.run_output(run.id, after))
    output = RunOutput(
        run=run,
        lines=lines,
        after=lines[-1].number if lines else after,
        is_over=run.state in (RunState.FINISHED, RunState.UNKNOWN),
    )
    return answer(output, RunOutput)


async def _known_change(call: Call) -> Change:
    identifier = call.named("id")
    changes = call.site.loop.state.changes
    found = changes.get(identifier) or await call.site.store.change(identifier)
    if found is None:
        raise not_found("change", identifier)
    return found


async def _known_run(call: Call) -> Run:
    identifier = call.named("id")
    found = call.site.loop.state.runs.get(identifier) or await call.site.store.run(identifier)
    if found is None:
        raise not_found("run", identifier)
    return found


async def _write(call: Call, what: What) -> web.StreamResponse:
    await _known_change(call)
    await write(call, what)
    return answer(change_view(await _known_change(call)), ChangeView)


def _action(
    word: str, summary: str, permission: Permission, handler: Handler, body: type[Wish]
) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/changes/{{id}}/{word}",
        permission=permission,
        summary=summary,
        tag=TAG,
        handler=handler,
        body=body,
        response=ChangeView,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/changes",
        permission=Permission.READ,
        summary="Changes",
        tag=TAG,
        handler=get_changes,
        query=ChangesQuery,
        response=Page[ChangeView],
    ),
    Route(
        method="POST",
        path="/api/v1/changes",
        permission=Permission.REQUEST,
        summary="Request a change",
        tag=TAG,
        handler=request_change,
        body=ChangeRequest,
        response=ChangeView,
        status=HTTPStatus.CREATED,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="GET",
        path="/api/v1/changes/{id}",
        permission=Permission.READ,
        summary="One change with its story",
        tag=TAG,
        handler=get_change,
        response=ChangeDetail,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    _action("approve", "Approve", Permission.DECIDE, approve, ApprovalWish),
    _action("reject", "Reject", Permission.DECIDE, reject, Remark),
    _action("withdraw", "Take an approval back", Permission.DECIDE, withdraw, Remark),
    _action("retro", "Answer for an emergency", Permission.DECIDE, answer_retro, RetroWish),
    _action("review", "Review", Permission.RESPOND, review, ReviewWish),
    _action("reconcile", "Reconcile", Permission.CANCEL, reconcile, ReconcileWish),
    _action("cancel", "Cancel", Permission.CANCEL, cancel, Remark),
    Route(
        method="GET",
        path="/api/v1/runs/{id}",
        permission=Permission.READ,
        summary="One run",
        tag=TAG,
        handler=get_run,
        response=Run,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/runs/{id}/output",
        permission=Permission.READ,
        summary="Output of a run",
        tag=TAG,
        handler=get_output,
        query=OutputQuery,
        response=RunOutput,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
