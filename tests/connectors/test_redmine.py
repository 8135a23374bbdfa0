"""The contract with a real Redmine: what we promise of it, and what it does to us."""

import json
import os
import re
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from agent.errors import PermanentError, TransientError
from agent.model.incident import Priority
from agent.model.ticket import Ticket, TicketComment, TicketState
from agent.runtime.client import Client, ClientMetrics, Endpoint, open_session
from agent.runtime.clock import SystemClock
from connectors.redmine import Redmine as Connector
from connectors.redmine import RedmineOptions
from tests.connectors.tape import plain_result, recorded, write
from tests.servers.faulty import faulty_proxy
from tests.servers.ticketing import Redmine

NUMBERS = count(1)
TAPES = Path(__file__).parent / "redmine"


@pytest.fixture
def key() -> str:
    """The id of an incident that no other test speaks of."""
    return f"INC-{next(NUMBERS)}"


@pytest.fixture
def ticket(key: str) -> Ticket:
    """A new ticket."""
    return Ticket(
        key=key,
        title="nginx on app1 does not answer",
        body="Affected: shop\nProbable cause: app1",
        priority=Priority.P1,
        state=TicketState.OPEN,
    )


def options(redmine: Redmine, **changes: Any) -> RedmineOptions:
    """As an operator would write them."""
    content: dict[str, Any] = {
        "project": redmine.project,
        "external_id_field": redmine.external_id_field,
        "statuses": {
            "open": ["New"],
            "in_progress": ["In Progress"],
            "resolved": ["Resolved", "Closed"],
        },
        "priorities": {"P1": "Urgent", "P2": "High", "P3": "Normal", "P4": "Low", "P5": "Low"},
    }
    return RedmineOptions.model_validate(content | changes)


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


def client(session: aiohttp.ClientSession, redmine: Redmine, url: str | None = None) -> Client:
    endpoint = Endpoint(
        name="redmine",
        url=url or redmine.url,
        credentials=lambda: {"X-Redmine-API-Key": redmine.api_key},
    )
    metrics = ClientMetrics(CollectorRegistry())
    return Client(session, endpoint, clock=SystemClock(), metrics=metrics)


class Person:
    """Somebody who works with Redmine, not with us."""

    def __init__(self, redmine: Redmine) -> None:
        self._redmine = redmine

    def call(self, method: str, path: str, content: object = None) -> Any:
        """One request under the person's own name."""
        request = urllib.request.Request(
            f"{self._redmine.url}{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "X-Redmine-API-Key": self._redmine.human_api_key,
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.loads(response.read() or b"null")

    def edit(self, ref: str, **changes: object) -> None:
        """Change an issue."""
        self.call("PUT", f"/issues/{ref}.json", {"issue": changes})

    def issue(self, ref: str) -> Any:
        """Look at an issue."""
        return self.call("GET", f"/issues/{ref}.json?include=journals")["issue"]

    def all_of(self, key: str) -> list[Any]:
        """All issues with our key."""
        field = self._redmine.external_id_field
        return list(self.call("GET", f"/issues.json?status_id=*&cf_{field}={key}")["issues"])


@pytest.fixture
def person(redmine: Redmine) -> Person:
    return Person(redmine)


async def test_an_answer_lost_after_the_create_leaves_one_ticket(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """The create is never sent again blindly: the whole upsert is repeated, and finds the issue."""
    connector = Connector(options(redmine))
    port = urlsplit(redmine.url).port
    assert port is not None
    async with faulty_proxy(port, lose=b"POST /issues.json") as proxy:
        talk = client(session, redmine, f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(TransientError):
            await talk.drive(connector.upsert(ticket, None))
        assert proxy.lost == 1
        again = await talk.drive(connector.upsert(ticket, None))
    assert [again.ref] == [str(issue["id"]) for issue in person.all_of(ticket.key)]


async def test_an_answer_lost_after_a_comment_leaves_one_comment(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """A comment carries its key, which is looked for before it is written."""
    connector = Connector(options(redmine))
    ref = (await client(session, redmine).drive(connector.upsert(ticket, None))).ref
    said = replace(
        ticket,
        comments=tuple(
            TicketComment(key=f"{ticket.key}/{n}", text=text)
            for n, text in ((7, "restarting nginx"), (9, "restarted"))
        ),
    )
    port = urlsplit(redmine.url).port
    assert port is not None
    async with faulty_proxy(port, lose=b"PUT /issues/") as proxy:
        talk = client(session, redmine, f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(TransientError):
            await talk.drive(connector.upsert(said, ref))
        await talk.drive(connector.upsert(said, ref))
        assert proxy.lost == 1
    notes = [journal["notes"] for journal in person.issue(ref)["journals"] if journal["notes"]]
    assert [f"[{ticket.key}/7]", f"[{ticket.key}/9]"] == [note.split()[-1] for note in notes]


async def test_a_repeat_writes_nothing(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """What agrees already is left alone: no journal, no mail to anybody."""
    connector, talk = Connector(options(redmine)), client(session, redmine)
    said = replace(ticket, comments=(TicketComment(key=f"{ticket.key}/1", text="hello"),))
    ref = (await talk.drive(connector.upsert(said, None))).ref
    before = person.issue(ref)
    await talk.drive(connector.upsert(said, ref))
    assert before == person.issue(ref)
    assert before["priority"]["name"] == "Urgent"


async def test_comments_and_a_close_there_are_heard_once_and_our_own_words_never(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """Both ways without an echo, and no journal twice in spite of the overlap."""
    connector, talk = Connector(options(redmine)), client(session, redmine)
    said = replace(ticket, comments=(TicketComment(key=f"{ticket.key}/1", text="ours"),))
    ref = (await talk.drive(connector.upsert(said, None))).ref
    first = await talk.drive(connector.poll(None, {ticket.key}))
    assert first.tickets == ()

    person.edit(ref, notes="I look into it")
    second = await talk.drive(connector.poll(first.cursor, {ticket.key}))
    assert [(t.key, t.state, [c.text for c in t.comments]) for t in second.tickets] == [
        (ticket.key, TicketState.UNKNOWN, ["I look into it"])
    ]
    third = await talk.drive(connector.poll(second.cursor, {ticket.key}))
    assert third.tickets == ()

    person.edit(ref, status_id=redmine.statuses["Closed"], notes="done")
    fourth = await talk.drive(connector.poll(third.cursor, {ticket.key}))
    assert [(t.state, t.changed_by, t.comments[0].text) for t in fourth.tickets] == [
        (TicketState.RESOLVED, "alex Test", "done")
    ]
    assert (await talk.drive(connector.poll(fourth.cursor, {ticket.key}))).tickets == ()


async def test_without_a_cursor_an_old_close_does_not_overrule_our_reopening(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """After a restart everything is heard anew; a move counts only while it still stands."""
    connector, talk = Connector(options(redmine)), client(session, redmine)
    ref = (await talk.drive(connector.upsert(ticket, None))).ref
    person.edit(ref, status_id=redmine.statuses["Closed"], notes="done")
    heard = await talk.drive(connector.poll(None, {ticket.key}))
    assert [each.state for each in heard.tickets] == [TicketState.RESOLVED]
    again = replace(ticket, close_heard=heard.tickets[0].changed_at)
    await talk.drive(connector.upsert(again, ref))
    assert person.issue(ref)["status"]["name"] == "New"
    anew = await talk.drive(connector.poll(None, {ticket.key}))
    assert [(t.state, len(t.comments)) for t in anew.tickets] == [(TicketState.UNKNOWN, 1)]


async def test_we_close_and_reopen_and_leave_what_people_do_between(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """Resolved here is resolved there; progress that a person noted is not pushed back."""
    connector, talk = Connector(options(redmine)), client(session, redmine)
    ref = (await talk.drive(connector.upsert(ticket, None))).ref

    async def after(state: TicketState) -> str:
        await talk.drive(connector.upsert(replace(ticket, state=state), ref))
        return str(person.issue(ref)["status"]["name"])

    assert await after(TicketState.RESOLVED) == "Resolved"
    assert await after(TicketState.OPEN) == "New"
    person.edit(ref, status_id=redmine.statuses["Feedback"])
    assert await after(TicketState.OPEN) == "Feedback"
    assert await after(TicketState.IN_PROGRESS) == "Feedback"
    assert await after(TicketState.RESOLVED) == "Resolved"


async def test_a_closed_ticket_is_found_again_and_a_deleted_one_not_made_anew(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """Closing hides an issue from Redmine's lists, and taking one away is somebody's decision."""
    connector, talk = Connector(options(redmine)), client(session, redmine)
    resolved = replace(ticket, state=TicketState.RESOLVED)
    ref = (await talk.drive(connector.upsert(resolved, None))).ref
    assert ref == (await talk.drive(connector.upsert(resolved, None))).ref
    person.call("DELETE", f"/issues/{ref}.json")
    with pytest.raises(PermanentError, match="not made anew"):
        await talk.drive(connector.upsert(ticket, ref))
    assert person.all_of(ticket.key) == []


async def test_unknown_names_are_refused_with_those_that_exist(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket
) -> None:
    """A status that Redmine does not have is an error, never a guess."""
    statuses = {"open": ["New"], "resolved": ["Mended"]}
    connector, talk = Connector(options(redmine, statuses=statuses)), client(session, redmine)
    with pytest.raises(PermanentError, match=r'status "Mended" does not exist; there are: new'):
        await talk.drive(connector.upsert(replace(ticket, state=TicketState.RESOLVED), None))


async def test_a_wrong_key_says_so_and_shows_no_key(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket
) -> None:
    """Credentials that are refused can be mended: later it is tried again, with the new ones."""
    talk = client(session, replace(redmine, api_key="wrong-secret"))
    with pytest.raises(TransientError, match="does not accept our credentials") as caught:
        await talk.drive(Connector(options(redmine)).upsert(ticket, None))
    assert "wrong-secret" not in str(caught.value)


async def test_text_from_alerts_stays_text(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """No image, link, macro, issue reference or mention of a hostile text is rendered."""
    hostile = (
        '!http://evil.example/b.png! "x":javascript:alert(1) {{include(x)}} #1 @alex [[Wiki]] '
        "</pre> !http://evil.example/c.png! <script>alert(1)</script> <!channel> @here "
        "[x](javascript:1) {html} [~admin]"
    )
    connector, talk = Connector(options(redmine)), client(session, redmine)
    said = replace(
        ticket,
        title=hostile,
        body=hostile,
        comments=(TicketComment(key=f"{ticket.key}/1", text=hostile),),
    )
    ref = (await talk.drive(connector.upsert(said, None))).ref
    page = await _page(session, redmine, ref)
    parts = re.findall(r'<div[^>]* class="wiki[^"]*"[^>]*>(.*?)</div>', page, re.DOTALL)
    shown = [part for part in parts if "evil.example" in part]
    assert len(shown) == 2, page[:3000]
    for part in shown:
        assert re.findall(r"<(?!/?(?:pre|p|br)\b)[^>]*>", part) == []


async def _page(session: aiohttp.ClientSession, redmine: Redmine, ref: str) -> str:
    headers = {"X-Redmine-API-Key": redmine.human_api_key}
    async with session.get(f"{redmine.url}/issues/{ref}", headers=headers) as response:
        return await response.text()


async def test_a_yes_that_changed_nothing_is_an_error(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """Redmine answers 204 to a close that an open subtask forbids: the read-back tells."""
    statuses = {"open": ["New"], "resolved": ["Closed"]}
    connector, talk = Connector(options(redmine, statuses=statuses)), client(session, redmine)
    ref = (await talk.drive(connector.upsert(ticket, None))).ref
    subtask = {"project_id": redmine.project, "subject": "part", "parent_issue_id": int(ref)}
    person.call("POST", "/issues.json", {"issue": subtask})
    resolved = replace(ticket, state=TicketState.RESOLVED)
    with pytest.raises(PermanentError, match=r'said yes but kept .*status "New"'):
        await talk.drive(connector.upsert(resolved, ref))
    assert person.issue(ref)["status"]["name"] == "New"


async def test_the_tapes_are_what_redmine_says(
    redmine: Redmine, session: aiohttp.ClientSession, ticket: Ticket, person: Person
) -> None:
    """`UPDATE_GOLDEN=1` records them anew; otherwise the same calls work and as many turns do."""
    chosen, talk = options(redmine), client(session, redmine)
    connector = Connector(chosen)
    tape: dict[str, Any] = {
        "tool": "Redmine 5.0.4",
        "face": "redmine",
        "options": chosen.model_dump(mode="json"),
    }

    async def upsert(name: str, said: Ticket, known_ref: str | None) -> str:
        turns: list[dict[str, Any]] = []
        result = await talk.drive(recorded(connector.upsert(said, known_ref), turns))
        call = {"ticket": asdict(said), "known_ref": known_ref}
        keep(name, tape | {"call": call, "turns": turns, "result": plain_result(result)})
        return result.ref

    async def poll(name: str, cursor: str | None) -> str:
        turns: list[dict[str, Any]] = []
        result = await talk.drive(recorded(connector.poll(cursor, [ticket.key]), turns))
        call = {"cursor": cursor, "keys": [ticket.key]}
        keep(name, tape | {"call": call, "turns": turns, "result": plain_result(result)})
        return result.cursor

    ref = await upsert("create", ticket, None)
    comment = TicketComment(key=f"{ticket.key}/4", text="nginx was restarted")
    done = replace(ticket, comments=(comment,), state=TicketState.RESOLVED)
    cursor = await poll("poll_first", None)
    await upsert("comment_and_close", done, ref)
    await upsert("repeat", done, ref)
    person.edit(ref, notes="thank you", status_id=redmine.statuses["Closed"])
    await poll("poll_close", cursor)


def keep(name: str, tape: dict[str, Any]) -> None:
    """Write a tape where that is wished for; compare its length with the kept one otherwise."""
    path = TAPES / f"{name}.exchange.json"
    if os.environ.get("UPDATE_GOLDEN"):
        write(path, tape)
    kept = json.loads(path.read_text())
    assert [turn["request"]["path"] for turn in kept["turns"]] != []
    assert len(kept["turns"]) == len(tape["turns"])
