"""Polls of more tickets than one conversation may speak of, played against a Redmine in memory."""

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.connector import Exchange, Request, Response, TicketPoll
from agent.runtime.client import TURNS_MAX
from connectors.redmine import Redmine, RedmineOptions

START = datetime(2026, 3, 1, tzinfo=UTC)
FIELD = 7
ANN, WE = {"id": 2, "name": "ann"}, {"id": 1, "name": "us"}
CONNECTOR = Redmine(
    RedmineOptions.model_validate(
        {"project": "ops", "external_id_field": FIELD, "statuses": {"open": ["New"]}}
    )
)


def stamp(at: datetime) -> str:
    """A moment as Redmine writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


class Tracker:
    """Issues of which each has one comment of ann's, and the three questions about them."""

    def __init__(self, count: int) -> None:
        self.issues = [self.issue(n, START + timedelta(seconds=n * 10)) for n in range(count)]

    @staticmethod
    def issue(number: int, at: datetime) -> dict[str, Any]:
        """An issue that was changed then."""
        note = {"id": number, "user": ANN, "notes": f"n{number}", "created_on": stamp(at)}
        return {
            "id": number,
            "subject": "s",
            "status": {"id": 1, "name": "New"},
            "priority": {"id": 1, "name": "Low"},
            "custom_fields": [{"id": FIELD, "value": f"INC-{number}"}],
            "created_on": stamp(START),
            "updated_on": stamp(at),
            "journals": [note],
        }

    def comment(self, number: int, at: datetime) -> None:
        """One more comment of ann's."""
        told = self.issues[number]["journals"]
        identifier = len(self.issues) * 2 + number
        note = {"id": identifier, "user": ANN, "notes": "more", "created_on": stamp(at)}
        self.issues[number] |= {"updated_on": stamp(at), "journals": [*told, note]}

    def answer(self, request: Request) -> dict[str, Any]:
        """What Redmine says."""
        if request.path == "/users/current.json":
            return {"user": WE}
        if request.path == "/issue_statuses.json":
            return {"issue_statuses": [{"id": 1, "name": "New"}]}
        if one := re.fullmatch(r"/issues/(\d+)\.json", request.path):
            return {"issue": self.issues[int(one[1])]}
        return {"issues": self._list(request.query)}

    def _list(self, query: Any) -> list[dict[str, Any]]:
        keys = query[f"cf_{FIELD}"].split("|")
        since = query.get("updated_on", "").removeprefix(">=")
        found = [
            issue
            for issue in self.issues
            if issue["updated_on"] >= since
            and (keys == ["*"] or issue["custom_fields"][0]["value"] in keys)
        ]
        found.sort(key=lambda issue: issue["updated_on"], reverse=":desc" in query.get("sort", ""))
        begin = int(query.get("offset", 0))
        return found[begin : begin + int(query["limit"])]


def polled(tracker: Tracker, cursor: str | None, keys: Collection[str]) -> TicketPoll:
    """One conversation, of as many turns as the client allows."""
    exchange: Exchange[TicketPoll] = CONNECTOR.poll(cursor, keys)
    request = next(exchange)
    try:
        for _ in range(TURNS_MAX):
            body = json.dumps(tracker.answer(request)).encode()
            request = exchange.send(Response(status=200, body=body))
    except StopIteration as end:
        result: TicketPoll = end.value
        return result
    raise AssertionError("too many turns")


def heard(tracker: Tracker, cursor: str | None, polls: int) -> tuple[list[str], str]:
    """The comments of so many polls, and where to go on."""
    keys = {f"INC-{number}" for number in range(len(tracker.issues))}
    texts: list[str] = []
    for _ in range(polls):
        told = polled(tracker, cursor, keys)
        texts += [comment.text for ticket in told.tickets for comment in ticket.comments]
        cursor = told.cursor
    assert cursor
    return texts, cursor


def test_thousands_of_tickets_are_heard_once_each_over_several_polls() -> None:
    """The first hearing is cut into pieces; what is said meanwhile comes right after it."""
    tracker = Tracker(1_200)
    first, cursor = heard(tracker, None, 1)
    tracker.comment(0, START + timedelta(days=1))
    rest, cursor = heard(tracker, cursor, 2)
    assert sorted(f"n{number}" for number in range(1_200)) == sorted([*first, *rest])
    later, cursor = heard(tracker, cursor, 1)
    assert later == ["more"]
    assert heard(tracker, cursor, 1)[0] == []


def test_many_changes_at_once_are_heard_once_each() -> None:
    """A bulk edit is gone on with where the last conversation ended."""
    tracker = Tracker(1_200)
    _, cursor = heard(tracker, None, 3)
    for number in range(1_200):
        tracker.comment(number, START + timedelta(days=1, seconds=number // 10))
    texts, cursor = heard(tracker, cursor, 5)
    assert ["more"] * 1_200 == texts
    assert heard(tracker, cursor, 1)[0] == []
