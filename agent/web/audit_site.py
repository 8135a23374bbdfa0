"""Where routes about evidence find the audit log, and the refusal where there is none."""

from http import HTTPStatus

from agent.runtime.audit.desk import AuditDesk
from agent.web.problem import refuse
from agent.web.routes import Call


def desk_of(call: Call) -> AuditDesk:
    """The audit log. Refuses where no database is behind the history."""
    desk = call.site.audit
    if desk is None:
        raise refuse(HTTPStatus.NOT_FOUND, "There is no audit log here.")
    return desk
