"""Somebody closes an issue while we write it, played against a Redmine in memory."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.connector import Request, Response
from agent.model.incident import Priority
from agent.model.ticket import Ticket, TicketState
from connectors.redmine import Redmine, RedmineOptions

START = datetime(2026, 3, 1, tzinfo=UTC)
FIELD = 7
ANN, WE = {"id": 2, "name": "ann"}, {"id": 1, "name": "us"}
NEW, CLOSED = 1, 5
CONNECTOR = Redmine(
    RedmineOptions.model_validate(
        {
            "project": "ops",
            "external_id_field": FIELD,
            "statuses": {"open": ["New"], "resolved": ["Closed"]},
        }
    )
)
TICKET = Ticket(key="INC-1@x", title="db", body="", priority=Priority.P2, state=TicketState.OPEN)


class OneIssue:
    """A Redmine with at most one issue; `closes_after` is the request after which ann closes it."""

    def __init__(self, closes_after: str = "") -> None:
        self.issue: dict[str, Any] | None = None
        self.now = START
        self._closes_after = closes_after

    def answer(self, request: Request) -> Response:
        """What Redmine says, and what happens there right after."""
        body = self._body(request)
        if f"{request.method} {request.path}" == self._closes_after:
            self.move(CLOSED, ANN)
            self._closes_after = ""
        return Response(status=200, body=json.dumps(body).encode())

    def move(self, status: int, who: dict[str, Any]) -> None:
        """Somebody moves the issue."""
        assert self.issue is not None
        self.now += timedelta(seconds=1)
        number = len(self.issue["journals"]) + 1
        detail = {"property": "attr", "name": "status_id", "new_value": str(status)}
        self.issue["status"] = {"id": status}
        self.issue["journals"].append(
            {
                "id": number,
                "user": who,
                "created_on": self.now.isoformat(),
                "details": [detail],
            }
        )

    def _body(self, request: Request) -> Any:
        if request.path == "/users/current.json":
            return {"user": WE}
        if request.path == "/issue_statuses.json":
            closed = {"id": CLOSED, "name": "Closed", "is_closed": True}
            return {"issue_statuses": [{"id": NEW, "name": "New"}, closed]}
        if request.path == "/issues.json" and request.method == "GET":
            return {"issues": [self.issue] if self.issue else []}
        if request.method == "POST":
            told = json.loads(request.body or b"{}")["issue"]
            self.issue = {
                "id": 1,
                "status": {"id": NEW},
                "priority": {"id": 1},
                "subject": told["subject"],
                "description": told["description"],
                "updated_on": self.now.isoformat(),
                "custom_fields": [{"id": FIELD, "value": TICKET.key}],
                "journals": [],
            }
        if request.method == "PUT":
            told = json.loads(request.body or b"{}")["issue"]
            if "status_id" in told:
                self.move(told["status_id"], WE)
            assert self.issue is not None
            self.issue["subject"] = told.get("subject", self.issue["subject"])
            return None
        return {"issue": self.issue}


def written(desk: OneIssue, ticket: Ticket) -> int:
    """The status of the issue once our write is over."""
    exchange = CONNECTOR.upsert(ticket, "1" if desk.issue else None)
    request = next(exchange)
    try:
        while True:
            request = exchange.send(desk.answer(request))
    except StopIteration:
        assert desk.issue is not None
        return int(desk.issue["status"]["id"])


@pytest.mark.parametrize("moment", ["POST /issues.json", "GET /issue_statuses.json"])
def test_a_close_that_falls_into_our_first_write_stands(moment: str) -> None:
    """Between the create and what we read after it, nobody heard of the close yet."""
    assert written(OneIssue(closes_after=moment), TICKET) == CLOSED


def test_a_close_that_nobody_heard_of_is_not_written_over_later_either() -> None:
    """Whatever else there is to write; the next poll tells of it."""
    desk = OneIssue()
    written(desk, TICKET)
    desk.move(CLOSED, ANN)
    assert written(desk, replace(TICKET, title="db, again")) == CLOSED


def test_what_was_closed_and_is_open_again_here_is_opened_there() -> None:
    """A close that we heard of is undone by the incident that came back; so is our own."""
    desk = OneIssue()
    written(desk, TICKET)
    desk.move(CLOSED, ANN)
    assert written(desk, replace(TICKET, close_heard=desk.now)) == NEW
    desk.move(CLOSED, WE)
    assert written(desk, TICKET) == NEW
