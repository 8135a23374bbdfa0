"""Tickets lead to the console, where people can reach it."""

from collections.abc import Collection
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from agent.connector import Exchange, Request, TicketPoll
from agent.model.incident import Priority
from agent.model.ticket import Ticket, TicketRef, TicketState
from agent.runtime.links import LINKS_MAX, Links
from agent.runtime.metrics import EffectMetrics
from tests.runtime.edge import desk, serving

TICKET = Ticket(
    key="INC-7@5f1",
    title="t",
    body="Probable cause: db",
    priority=Priority.P1,
    state=TicketState.OPEN,
)


class BodyTicketing:
    """A tool that keeps nothing but the body."""

    def upsert(self, ticket: Ticket, known_ref: str | None) -> Exchange[TicketRef]:
        yield Request(method="PUT", path="/t", body=ticket.body.encode())
        return TicketRef(ref="1", url="/t")

    def poll(self, cursor: str | None, keys: Collection[str]) -> Exchange[TicketPoll]:
        raise NotImplementedError
        yield


@pytest.mark.parametrize(
    ("console", "told"),
    [
        (None, "Probable cause: db"),
        ("https://watch.net", "Probable cause: db\n\nhttps://watch.net/incidents/INC-7"),
    ],
)
async def test_a_ticket_ends_with_the_address_of_its_incident(
    console: str | None, told: str
) -> None:
    """Where nobody said how people reach the console, no address is made up."""
    bodies: list[str] = []

    async def keep(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response()

    async with serving(keep) as port, aiohttp.ClientSession() as session:
        made = desk(session, port, EffectMetrics(CollectorRegistry()))
        made = replace(made, connector=BodyTicketing(), links=Links(console))
        await made.write(TICKET, None)
    assert [told] == bodies


def test_a_storm_of_incidents_does_not_bury_the_message_under_links() -> None:
    """The number of addresses has a bound."""
    text = Links("http://c/").below("m", [f"INC-{number}" for number in range(20)])
    assert LINKS_MAX == text.count("http://c/incidents/INC-")
