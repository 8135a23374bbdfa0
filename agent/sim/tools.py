"""The tools of the simulated world: a ticket desk that lies, receivers that fail, old metrics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from agent.model.effect import MeasureSignals, Notify, Probe, WriteTicket
from agent.model.entry import (
    NotificationRefused,
    NotificationSent,
    ProbeAnswered,
    SignalsMeasured,
    TicketChanged,
    TicketRefused,
    TicketWritten,
)
from agent.model.service import EntityRef
from agent.model.signal import Finding, SignalKind
from agent.model.ticket import RemoteComment, RemoteTicket, Ticket, TicketState
from agent.sim.agenda import Agenda
from agent.sim.executor import Answer
from agent.sim.plan import Faults

STALE = timedelta(minutes=5)
"""How old a sample may be that the metrics source gives when it has nothing newer."""


@dataclass(slots=True)
class DeskTicket:
    """One ticket as the tool has it."""

    ref: str
    key: str
    incident: str
    ticket: Ticket
    state: TicketState
    comments: dict[str, str] = field(default_factory=dict)
    """Ours, by key."""
    remote: list[RemoteComment] = field(default_factory=list)


class Desk:
    """A ticketing tool behind a connector that searches before it creates, and reads back."""

    def __init__(self, agenda: Agenda, random: Random, faults: Faults, answer: Answer) -> None:
        self.faults = faults
        self.tickets: dict[str, DeskTicket] = {}
        """By reference."""
        self.down_until: datetime | None = None
        self._agenda, self._random, self._answer = agenda, random, answer

    def write(self, effect: WriteTicket) -> None:
        """Make the tool agree, or say why not; the tool may have done it nevertheless."""
        if self.down_until is not None and self._agenda.now < self.down_until:
            self._refuse(effect, "503", 10.0)
            return
        if self._random.random() < self.faults.tool_lies:
            self._refuse(effect, "the tool said 204 and changed nothing", 1.0)
            return
        known = self._find(effect.ticket.key)
        if known is None:
            known = DeskTicket(
                ref=f"#{len(self.tickets) + 1}",
                key=effect.ticket.key,
                incident=effect.incident,
                ticket=effect.ticket,
                state=effect.ticket.state,
            )
            self.tickets[known.ref] = known
        known.ticket, known.state = effect.ticket, effect.ticket.state
        for comment in effect.ticket.comments:
            known.comments[comment.key] = comment.text
        if self._random.random() < self.faults.tool_answer_lost:
            self._refuse(effect, "no answer within 10 s", 10.0)
            return
        said = TicketWritten(
            effect=effect.id,
            incident=effect.incident,
            connector=effect.connector,
            ref=known.ref,
            url=f"https://desk.example/{known.ref[1:]}",
        )
        self._answer(0.1 + self._random.random() * 3, said)

    def touch(self, pick: float, *, closes: bool) -> None:
        """Somebody works on a ticket there; we hear of it twice, as polls overlap."""
        if not self.tickets:
            return
        known = list(self.tickets.values())[int(pick * len(self.tickets))]
        if closes:
            known.state = TicketState.RESOLVED
        else:
            number = len(known.remote) + 1
            known.remote.append(
                RemoteComment(
                    id=f"{known.ref}/{number}", author="eve", text="hm", at=self._agenda.now
                )
            )
        remote = RemoteTicket(
            key=known.key,
            ref=known.ref,
            state=known.state,
            changed_by="eve",
            changed_at=self._agenda.now,
            comments=tuple(known.remote),
        )
        self._answer(1.0, TicketChanged(connector="desk", ticket=remote))
        self._answer(31.0, TicketChanged(connector="desk", ticket=remote))

    def _find(self, key: str) -> DeskTicket | None:
        return next((known for known in self.tickets.values() if known.key == key), None)

    def _refuse(self, effect: WriteTicket, problem: str, after: float) -> None:
        said = TicketRefused(
            effect=effect.id,
            incident=effect.incident,
            connector=effect.connector,
            problem=problem,
            is_final=False,
        )
        self._answer(after, said)


class Receivers:
    """Pager and chat: each may fail, for now or for good."""

    def __init__(self, random: Random, faults: Faults, answer: Answer) -> None:
        self.faults = faults
        self._random, self._answer = random, answer

    def tell(self, effect: Notify) -> None:
        """Take a notification, or not."""
        if self._random.random() < self.faults.receiver_fails:
            is_final = self._random.random() < 0.2
            refused = NotificationRefused(effect=effect.id, problem="502", is_final=is_final)
            self._answer(2.0, refused)
        else:
            self._answer(0.3, NotificationSent(effect=effect.id))


class Metrics:
    """Answers whether a service is up, sometimes with what was so before, sometimes not at all."""

    def __init__(
        self,
        agenda: Agenda,
        random: Random,
        faults: Faults,
        *,
        answer: Answer,
        is_up: Callable[[str], bool],
    ) -> None:
        self.faults = faults
        self._agenda, self._random, self._answer, self._is_up = agenda, random, answer, is_up

    def probe(self, effect: Probe, entity: str) -> None:
        """Answer; an old sample holds, which is what makes it dangerous."""
        holds: bool | None = self._is_up(entity.rpartition("/")[2])
        measured_at = self._agenda.now
        if self._random.random() < self.faults.metrics_stale:
            holds, measured_at = True, self._agenda.now - STALE
        elif self._random.random() < self.faults.metrics_empty:
            holds = None
        said = ProbeAnswered(
            effect=effect.id,
            change=effect.change,
            holds=holds,
            detail="simulated",
            measured_at=measured_at,
        )
        self._answer(0.2 + self._random.random(), said)

    def look(self, effect: MeasureSignals) -> None:
        """Answer what failed where; of some there is no data, and sometimes of nobody."""
        is_away = self._random.random() < self.faults.metrics_empty
        silent = [each for each in effect.entities if is_away or self._random.random() < 0.2]
        said = SignalsMeasured(
            effect=effect.id,
            incident=effect.incident,
            findings=tuple(self._failed(each) for each in effect.entities if each not in silent),
            unknown=tuple(silent),
            queries=len(effect.entities),
            problem="simulated outage" if is_away else "",
        )
        self._answer(1.0 + 20.0 * self._random.random(), said)

    def _failed(self, entity: EntityRef) -> Finding:
        share = 0.1 * self._random.random()
        if not self._is_up(entity.rpartition("/")[2]):
            share = 1.0
        return Finding(
            entity=entity,
            kind=SignalKind.ERRORS,
            signal="failed",
            chance=round(share, 6),
            surprise=round(20 * share, 6),
            impact=round(100 * share**2, 6),
            usual=0.0,
            now=round(share, 6),
        )
