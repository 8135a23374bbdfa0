"""Templates to HTML answers. Everything is escaped unless a template of ours wrote it."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.core.state import State
from agent.model.change import ChangeState
from agent.model.incident import IncidentState
from agent.web.assets import Assets
from agent.web.permission import Identity, Permission
from agent.web.problem import ProblemError
from agent.web.routes import SERVED, Call, Handler, Route, Wish
from agent.web.views.frame import NOTICES, Can, Frame, Waiting, navigation
from agent.web.views.words import capital, clock_time, money, span

TEMPLATES = Path(__file__).parents[1] / "templates"
_ALWAYS = ("incidents", "changes")
"""Every page counts these in its navigation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a handler says about the page it wants, beside the values of its middle."""

    template: str
    title: str
    section: str
    topics: tuple[str, ...] = ()
    announce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One of several lists of the same kind."""

    text: str
    href: str
    current: bool


class PageQuery(Wish):
    """What any page may be asked: which form was sent just before."""

    done: str = ""


class Renderer:
    """Compiled templates and the files that pages name."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["asset"] = assets.get
        self._environment.filters["topic_pair"] = _topic_pair
        self._environment.filters.update(span=span, money=money, clock=_clock)

    def page(
        self, call: Call, page: Page, status: HTTPStatus = HTTPStatus.OK, **middle: object
    ) -> web.Response:
        """The page for the one who asked."""
        frame = _frame(call, page)
        text = self._environment.get_template(page.template).render(frame=frame, **middle)
        return _html(text, status)

    def page_route(
        self,
        path: str,
        summary: str,
        handler: Handler,
        query: type[PageQuery] = PageQuery,
        *,
        permission: Permission | None = Permission.READ,
    ) -> Route:
        """A route that shows a page."""
        return Route(
            method="GET",
            path=path,
            permission=permission,
            summary=f"Console: {summary}",
            tag="console",
            query=query,
            media_type="text/html",
            handler=handler,
            refused=self.refused,
        )

    def form_route(
        self,
        path: str,
        summary: str,
        permission: Permission | None,
        handler: Handler,
        body: type[Wish] | None = None,
    ) -> Route:
        """A route that takes a form and goes on to a page."""
        return Route(
            method="POST",
            path=path,
            permission=permission,
            summary=f"Console: {summary}",
            tag="console",
            body=body,
            takes_form=True,
            status=HTTPStatus.SEE_OTHER,
            media_type="text/html",
            handler=handler,
            refused=self.refused,
        )

    def refused(self, request: web.Request, error: ProblemError) -> web.StreamResponse:
        """A refusal before any handler ran: to the sign-in, or a page that says so."""
        problem = error.problem
        if problem.status == HTTPStatus.UNAUTHORIZED:
            following = request.path_qs if request.method in ("GET", "HEAD") else "/"
            return see_other(f"/login?{urlencode({'next': following})}")
        details = [f"{place.where}: {place.problem}" for place in problem.errors]
        text = self._environment.get_template("refused.html").render(
            frame=_bare_frame(request, problem.title),
            heading=problem.title,
            text=" ".join([problem.detail, *details]),
            reason=problem.reason or "",
            back=_back(request),
        )
        response = _html(text, HTTPStatus(problem.status))
        response.headers.update(error.headers)
        return response


def see_other(path: str, done: str = "") -> web.Response:
    """Go on there with GET, so that a reload does not send the form again."""
    location = f"{path}?done={quote(done)}" if done else path
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location})


def _html(text: str, status: HTTPStatus) -> web.Response:
    # Without a referrer browsers call the origin of a form `null`, and we refuse foreign pages.
    headers = {"Referrer-Policy": "same-origin"}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def waiting_in(state: State) -> Waiting:
    """What waits for somebody now."""
    return Waiting(
        incidents=sum(one.state is IncidentState.OPEN for one in state.incidents.values()),
        approvals=sum(one.state is ChangeState.AWAITING_APPROVAL for one in state.changes.values()),
    )


def _frame(call: Call, page: Page) -> Frame:
    now = call.site.clock.now()
    # Without permission to read, the navigation must not tell how much is going on.
    may_read = Permission.READ in call.identity.permissions
    waiting = waiting_in(call.site.loop.state) if may_read else Waiting(incidents=0, approvals=0)
    return Frame(
        title=page.title,
        section=page.section,
        path=call.request.path_qs,
        user="" if call.identity.is_anonymous else call.identity.name,
        roles=", ".join(call.identity.roles),
        can=Can.of(call.identity),
        csrf=call.session.csrf if call.session else "",
        nav=navigation(page.section, waiting),
        topics=tuple(dict.fromkeys((*page.topics, *_ALWAYS))) if page.topics else (),
        announce=page.announce,
        notice=NOTICES.get(call.request.query.get("done", ""), ""),
        as_of=clock_time(now, now),
    )


def _bare_frame(request: web.Request, title: str) -> Frame:
    now = request[SERVED].site.clock.now()
    nobody = Identity(name="", roles=(), permissions=frozenset(), is_anonymous=True)
    return Frame(
        title=capital(title),
        section="login",
        path="/",
        user="",
        roles="",
        can=Can.of(nobody),
        csrf="",
        nav=navigation("", Waiting(incidents=0, approvals=0)),
        topics=(),
        announce="",
        notice="",
        as_of=clock_time(now, now),
    )


def _back(request: web.Request) -> str:
    parent = request.path.rpartition("/")[0]
    return parent if request.method == "POST" and parent else "/"


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _topic_pair(topic: str) -> str:
    return f"topic={quote(topic, safe='')}"
