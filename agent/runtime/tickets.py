"""One ticketing tool as the agent uses it: its translator, driven by its client."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from agent.connector import Ticketing, TicketPoll
from agent.errors import AgentError, PermanentError
from agent.model.ticket import Ticket, TicketRef
from agent.runtime.client import Client
from agent.runtime.crashpoint import reach
from agent.runtime.links import NO_LINKS, Links
from agent.runtime.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDesk:
    """Writes tickets to one tool and hears what people do to them."""

    name: str
    connector: Ticketing
    client: Client
    standing: Standing
    links: Links = NO_LINKS

    async def write(self, ticket: Ticket, known_ref: str | None) -> TicketRef:
        """Make the tool agree; the URL of the answer is one that people can follow.

        Raises TransientError and PayloadError where trying again may help, else PermanentError.
        """
        if known_ref is None:
            reach("ticket.before_create")
        incident, _, _ = ticket.key.partition("@")
        ticket = replace(ticket, body=self.links.below(ticket.body, (incident,)))
        try:
            written = await self.client.drive(self.connector.upsert(ticket, known_ref))
        except AgentError as error:
            self._failed(error)
            raise
        self.standing.answered(self.name)
        if known_ref is None:
            reach("ticket.after_create")
        return replace(written, url=self.client.address(written.url))

    async def hear(self, cursor: str | None, keys: Collection[str]) -> TicketPoll:
        """What others did since the cursor. Raises as `write` does."""
        try:
            heard = await self.client.drive(self.connector.poll(cursor, keys))
        except AgentError as error:
            self._failed(error)
            raise
        self.standing.answered(self.name)
        return heard

    def _failed(self, error: AgentError) -> None:
        # one refused ticket does not mean that the tool is away
        if isinstance(error, PermanentError):
            self.standing.answered(self.name)
        else:
            self.standing.failed(self.name, str(error))
