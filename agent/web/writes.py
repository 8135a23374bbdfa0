"""What people ask for becomes an entry; what the core will not do becomes a 409 with its reason."""

from http import HTTPStatus

from agent.model.entry import What
from agent.model.transition import Transition
from agent.web.problem import refuse
from agent.web.routes import Call


async def write(call: Call, what: What) -> Transition:
    """Write it down and return what followed; durable then. Refuses 409 what the core refuses."""
    appended = await call.site.loop.append(what)
    refusal = appended.transition.refusal
    if refusal is not None:
        raise refuse(HTTPStatus.CONFLICT, refusal.text, reason=refusal.reason)
    return appended.transition
