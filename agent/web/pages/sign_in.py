"""Signing in with a token, and out again. The session itself is `agent.web.session`'s business."""

from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import Field

from agent.web.pages.render import Page, PageQuery, Renderer, see_other
from agent.web.routes import Call, Route, Wish
from agent.web.session import cookie_of, give_cookie, take_cookie

WRONG = "This token is unknown, or no longer valid."


class SignInQuery(PageQuery):
    """Where to go on afterwards."""

    next: str = Field("/", max_length=2000)


class SignInForm(Wish):
    """What was typed."""

    next: str = Field("/", max_length=2000)
    token: str = Field(max_length=200)


class SignInPages:
    """Handlers of /login and /logout."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer; open to everybody by their nature."""
        page, form = self._renderer.page_route, self._renderer.form_route
        return (
            page("/login", "sign in", self.show, SignInQuery, permission=None),
            form("/login", "sign in", None, self.sign_in, SignInForm),
            form("/logout", "sign out", None, self.sign_out),
        )

    async def show(self, call: Call) -> web.StreamResponse:
        """The form that asks for a token."""
        return self._form(call, call.query_as(SignInQuery).next)

    async def sign_in(self, call: Call) -> web.StreamResponse:
        """Open a session for the holder of a token."""
        form, site = call.body_as(SignInForm), call.site
        now = site.clock.now()
        record = site.keyring.identify(form.token.strip(), now)
        if record is None:
            return self._form(call, form.next, WRONG, HTTPStatus.UNAUTHORIZED)
        if earlier := cookie_of(call.request):
            site.sessions.close(earlier)
        name, _ = site.sessions.open(record, now)
        response = see_other(local_path(form.next))
        give_cookie(call.request, response, name)
        return response

    async def sign_out(self, call: Call) -> web.StreamResponse:
        """Close the session."""
        call.site.sessions.close(cookie_of(call.request))
        response = see_other("/login", "signed-out")
        take_cookie(call.request, response)
        return response

    def _form(
        self, call: Call, following: str, problem: str = "", status: HTTPStatus = HTTPStatus.OK
    ) -> web.Response:
        page = Page(template="login.html", title="Sign in", section="login")
        path = local_path(following)
        return self._renderer.page(call, page, status, problem=problem, next=path)


def local_path(given: str) -> str:
    """The address when it stays on this site, else the front page.

    Browsers read `//host` and `/\\host` as another site, and drop tabs and line ends first.
    """
    has_odd = any(not one.isprintable() or one == "\\" for one in given)
    if has_odd or not given.startswith("/") or given.startswith("//"):
        return "/"
    try:
        parts = urlsplit(given)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else given
