"""The review of an incident, as data and as Markdown."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from agent.reporting.review import Review
from agent.web.api_incidents import known_incident
from agent.web.permission import Permission
from agent.web.review import as_markdown, review_of
from agent.web.routes import Call, Route, answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """The review twice: for machines and for people. Lengths of time are ISO 8601."""

    review: Review
    markdown: str


async def get_review(call: Call) -> web.StreamResponse:
    """What happened, how long, why, what was tried, what helped, what policy refused, what is open.

    Of an incident that is not over it is a draft.
    """
    incident = await known_incident(call, call.named("id"))
    told = await review_of(call.site, incident)
    return answer(ReviewAnswer(review=told, markdown=as_markdown(told)), ReviewAnswer)


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/incidents/{id}/review",
        permission=Permission.READ,
        summary="The review of an incident",
        tag="Incidents",
        handler=get_review,
        response=ReviewAnswer,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
