"""Who asks, and from where: token, session, or nobody in particular on a loopback address.

Not here: what a role may do (`permission`), or the check of a route's permission (`routes`).
"""

import base64
import binascii
import ipaddress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from multidict import istr

from agent.runtime.tokens import Keyring
from agent.web.permission import ANONYMOUS, NOBODY, Identity
from agent.web.problem import ProblemError, refuse
from agent.web.session import Session, Sessions, cookie_of

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_VIA_PROXY = tuple(
    map(istr, ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"))
)
_HOSTS_REMEMBERED_MAX = 256
_AUTHORIZATION_CHARACTERS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where we listen and whom that lets in."""

    is_loopback: bool
    """Whether we listen on a loopback address only."""
    tokens_required: bool = False
    """Whether reading and intake need a token on loopback, too."""
    trusted_origins: frozenset[str] = field(default_factory=frozenset)
    """HOST:PORT of pages of other sites whose requests are taken, such as a karma beside us."""

    def anonymous(self, request: web.Request) -> Identity:
        """Who somebody without token or session is.

        A proxy before us makes everybody look local, and a foreign page can give its own name our
        address (DNS rebinding): neither counts as loopback.
        """
        if not self.is_loopback or self.tokens_required:
            return NOBODY
        if any(map(request.headers.__contains__, _VIA_PROXY)):
            return NOBODY
        is_ours = is_loopback(request.remote or "") and _is_loopback_host(request.host)
        return ANONYMOUS if is_ours else NOBODY


@lru_cache(_HOSTS_REMEMBERED_MAX)
def is_loopback(host: str) -> bool:
    """Whether this host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def identify(
    request: web.Request, *, access: Access, keyring: Keyring, sessions: Sessions, at: datetime
) -> tuple[Identity, Session | None]:
    """Who asks. Refuses 401 a token that is wrong: it never falls back to nobody."""
    if given := request.headers.get("Authorization"):
        record = keyring.identify(_token(given), at)
        if record is None:
            raise unauthorized("The token is unknown, or no longer valid.")
        return Identity.of(record), None
    if (name := cookie_of(request)) and (session := sessions.find(name, at)):
        return Identity.of(session.record), session
    return access.anonymous(request), None


def refuse_foreign_page(request: web.Request, access: Access) -> None:
    """Refuse 403 what a page of another site makes a browser send; tools send none of this."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    origin_host = _netloc(origin) if origin is not None else None
    if origin_host and origin_host in access.trusted_origins:
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("none", "same-origin") or (
        origin_host is not None and origin_host != request.host
    ):
        raise refuse(HTTPStatus.FORBIDDEN, "A page of another site may not ask for this.")


def unauthorized(detail: str) -> ProblemError:
    """Say who you are first."""
    return refuse(
        HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": 'Bearer realm="watchkeeper"'}
    )


def _token(given: str) -> str:
    # amtool and other tools of old know basic authentication only: the token is the password.
    if len(given) > _AUTHORIZATION_CHARACTERS_MAX:
        return ""
    scheme, _, value = given.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                user_password = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, ValueError):
                return ""
            return user_password.partition(":")[2]
        case _:
            return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


@lru_cache(_HOSTS_REMEMBERED_MAX)
def _is_loopback_host(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
