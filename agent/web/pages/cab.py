"""The page of a change advisory board: its agenda, and one form for all decisions."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Literal

from aiohttp import web
from pydantic import Field

from agent.core.state import State
from agent.model.change import Change
from agent.web.api_cab import HOURS_DEFAULT, HOURS_MAX, BoardDecision, Decided, decide_all
from agent.web.cab import Agenda, Owed, agenda_of
from agent.web.judged import ResultView, RiskView, judged_view
from agent.web.pages.render import Page, PageQuery, Renderer, Tab
from agent.web.permission import Permission
from agent.web.problem import refuse
from agent.web.routes import Call, Route, Wish
from agent.web.views.changes import ChangeRow, change_row
from agent.web.views.words import Moment, counted, moment, person, word

PERIODS = ((24, "A day"), (7 * 24, "A week"), (30 * 24, "A month"))


class CabQuery(PageQuery):
    """How far ahead."""

    hours: int = Field(HOURS_DEFAULT, ge=1, le=HOURS_MAX)


class BoardForm(Wish):
    """One decision for each change on the page, in one order; `later` decides nothing."""

    change: tuple[str, ...] = Field((), max_length=500)
    binding: tuple[str, ...] = Field((), max_length=500)
    decision: tuple[Literal["later", "approve", "reject"], ...] = Field((), max_length=500)
    note: tuple[str, ...] = Field((), max_length=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One change to decide on."""

    row: ChangeRow
    binding: str
    risk: RiskView | None
    parameters: tuple[tuple[str, str], ...]
    conflicts: tuple[str, ...]
    window: str
    history: str
    results: tuple[ResultView, ...]
    preview: str
    needs: str
    approvals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedLine:
    """One duty."""

    change: str
    title: str
    what: str
    due: Moment
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """One line of the forward schedule."""

    change: str
    title: str
    state: str
    when: str


class CabPages:
    """Handlers of everything under /cab."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form = self._renderer.page_route, self._renderer.form_route
        return (
            page("/cab", "agenda of a change advisory board", self.show, CabQuery),
            form("/cab/decide", "record decisions", Permission.DECIDE, self.decide, BoardForm),
        )

    async def show(self, call: Call) -> web.StreamResponse:
        """The agenda."""
        return self._page(call, call.query_as(CabQuery).hours, ())

    async def decide(self, call: Call) -> web.StreamResponse:
        """Record each decision by itself, and show what became of it."""
        form = call.body_as(BoardForm)
        columns = (form.change, form.binding, form.decision, form.note)
        if len({len(column) for column in columns}) != 1:
            raise refuse(HTTPStatus.BAD_REQUEST, "The form is not whole: open the page again.")
        asked = tuple(
            BoardDecision(change=change, binding=binding, decision=decision, note=note)
            for change, binding, decision, note in zip(*columns, strict=True)
            if decision != "later"
        )
        return self._page(call, HOURS_DEFAULT, await decide_all(call, asked))

    def _page(self, call: Call, hours: int, outcome: tuple[Decided, ...]) -> web.StreamResponse:
        site = call.site
        state, now = site.loop.state, site.clock.now()
        agenda = agenda_of(state, now, timedelta(hours=hours))
        items = [_item(state, state.changes[one.change], agenda) for one in agenda.waiting]
        page = Page(
            template="cab.html",
            title="Change advisory board",
            section="cab",
            topics=("changes",),
            announce=f"{counted(len(items), 'change')} to decide",
        )
        standing = [one for one in state.delegations.values() if one.holds(now)]
        return self._renderer.page(
            call,
            page,
            items=items,
            outcome=outcome,
            owed=_owed(agenda.owed, agenda),
            standard=agenda.standard,
            schedule=[_planned(agenda, number) for number in range(len(agenda.schedule))],
            delegations=[
                f"{one.to} decides in the place of {one.by} until {one.ends_at:%Y-%m-%d %H:%M} UTC"
                + (f", for {', '.join(one.scopes)}" if one.scopes else "")
                for one in standing
            ],
            tabs=[
                Tab(text=text, href=f"/cab?hours={length}", current=length == hours)
                for length, text in PERIODS
            ],
        )


def _item(state: State, change: Change, agenda: Agenda) -> ItemView:
    judged = judged_view(state, change, agenda.at)
    item = next(one for one in agenda.waiting if one.change == change.id)
    return ItemView(
        row=change_row(change, state.config.service_map, agenda.at),
        binding=change.binding,
        risk=judged.risk,
        parameters=tuple((name, str(value)) for name, value in sorted(change.parameters.items())),
        conflicts=judged.conflicts,
        window=judged.window,
        history=judged.history,
        results=judged.results,
        preview=item.preview,
        needs=f"{item.approvals_missing} by {' or '.join(item.roles)}",
        approvals=", ".join(
            person(one.by) for one in change.approvals if one.binding == change.binding
        ),
    )


def _owed(owed: Owed, agenda: Agenda) -> list[OwedLine]:
    retro = [
        OwedLine(
            change=one.change,
            title=one.title,
            what="somebody else has to answer for this emergency",
            due=moment(one.duty.due_at, agenda.at),
            is_overdue=one.duty.is_overdue,
        )
        for one in owed.retro
    ]
    reviews = [
        OwedLine(
            change=one.change,
            title=one.title,
            what=f"to be reviewed: it {one.duty.why}",
            due=moment(one.duty.due_at, agenda.at),
            is_overdue=one.duty.is_overdue,
        )
        for one in owed.reviews
    ]
    return [*retro, *reviews]


def _planned(agenda: Agenda, number: int) -> PlannedLine:
    one = agenda.schedule[number]
    when = f"{one.when.start:%Y-%m-%d %H:%M} to {one.when.end:%H:%M} UTC"
    return PlannedLine(change=one.change, title=one.title, state=word(one.state), when=when)
