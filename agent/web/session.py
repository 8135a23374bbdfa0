"""Sessions of browsers: opened with a token, kept on our side only, gone after a restart.

The cookie holds a random name of the session; we keep its digest, so that memory read by
somebody else opens nothing.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from agent.runtime.tokens import Keyring, TokenRecord, digest_of

SESSIONS_MAX = 1000
"""The one used longest ago makes room."""
SESSION_LENGTH = timedelta(hours=12)
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
_COOKIE = "watchkeeper"
_COOKIE_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that showed a token."""

    record: TokenRecord
    csrf: str
    """What a page must send back with everything that changes something."""
    expires_at: datetime

    def vouches_for(self, csrf: str) -> bool:
        """Whether a page of this session sent it."""
        return hmac.compare_digest(csrf.encode(), self.csrf.encode())


class Sessions:
    """All open sessions."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._by_digest: OrderedDict[str, Session] = OrderedDict()

    def open(self, record: TokenRecord, at: datetime) -> tuple[str, Session]:
        """A new session and its cookie's value; never the value that the browser came with."""
        name = secrets.token_urlsafe(32)
        session = Session(
            record=record, csrf=secrets.token_urlsafe(32), expires_at=at + SESSION_LENGTH
        )
        self._by_digest[digest_of(name)] = session
        while len(self._by_digest) > SESSIONS_MAX:
            self._by_digest.popitem(last=False)
        return name, session

    def find(self, name: str, at: datetime) -> Session | None:
        """The session of a cookie, while it and its token last."""
        if not name or len(name) > _COOKIE_CHARACTERS_MAX:
            return None
        digest = digest_of(name)
        session = self._by_digest.get(digest)
        if session is None:
            return None
        if at >= session.expires_at or not self._keyring.holds(session.record, at):
            del self._by_digest[digest]
            return None
        self._by_digest.move_to_end(digest)
        return session

    def close(self, name: str) -> None:
        """End it; unknown ones are ended already."""
        self._by_digest.pop(digest_of(name), None)


def cookie_of(request: web.Request) -> str:
    """The session's name that the browser sent; empty for none."""
    if "Cookie" not in request.headers:
        return ""
    return request.cookies.get(_cookie_name(request), "")


def give_cookie(request: web.Request, response: web.StreamResponse, name: str) -> None:
    """Have the browser keep the session's name, out of reach of scripts and other sites."""
    response.set_cookie(
        _cookie_name(request),
        name,
        max_age=int(SESSION_LENGTH.total_seconds()),
        path="/",
        secure=request.secure,
        httponly=True,
        samesite="Lax",
    )


def take_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget it."""
    response.del_cookie(_cookie_name(request), path="/", secure=request.secure, httponly=True)


def _cookie_name(request: web.Request) -> str:
    # Browsers take the __Host- prefix over TLS only; there it shuts out sibling domains.
    return f"__Host-{_COOKIE}" if request.secure else _COOKIE
