"""Who am I, who may: sessions of browsers and the tokens of everybody."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field, StrictBool

from agent.model.people import SCOPE
from agent.runtime.tokens import TokenRecord, mint
from agent.web.auth import unauthorized
from agent.web.permission import ROLES, Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.session import cookie_of, give_cookie, take_cookie

TAG = "Access"

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
ScopeText = Annotated[str, Field(pattern=SCOPE.pattern)]


class Login(Wish):
    """The token to open a session with."""

    token: Annotated[str, Field(max_length=200)]


class TokenWish(Wish):
    """A token to make. Roles that are none of ours are for change policy to ask for."""

    name: Word
    roles: Annotated[tuple[Word, ...], Field(min_length=1, max_length=16)]
    expires_at: AwareDatetime | None = None
    person: Word | None = None
    """Whose it is, where its name is not that."""
    scopes: Annotated[tuple[ScopeText, ...], Field(max_length=32)] = ()
    is_service: StrictBool = False
    """A tool's: it never approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    """Who asks, as we see it."""

    name: str
    roles: tuple[str, ...]
    permissions: tuple[Permission, ...]
    scopes: tuple[str, ...]
    is_service: bool
    csrf: str | None
    """For sessions: what `X-CSRF-Token` must say with everything that changes something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """What is known of a token: not the token."""

    id: str
    name: str
    person: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    is_service: bool
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedToken:
    """A new token. It is shown here and never again."""

    token: str
    record: TokenView


async def get_session(call: Call) -> web.StreamResponse:
    """Who asks, and what that permits."""
    who, session = call.identity, call.session
    shown = WhoAmI(
        name=who.name,
        roles=who.roles,
        permissions=tuple(sorted(who.permissions)),
        scopes=who.scopes,
        is_service=who.is_service,
        csrf=session.csrf if session else None,
    )
    return answer(shown, WhoAmI)


async def open_session(call: Call) -> web.StreamResponse:
    """Log in with a token. A session that the browser had before is closed."""
    site, at = call.site, call.site.clock.now()
    record = site.keyring.identify(call.body_as(Login).token, at)
    if record is None:
        raise unauthorized("The token is unknown, or no longer valid.")
    site.sessions.close(cookie_of(call.request))
    name, _ = site.sessions.open(record, at)
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    give_cookie(call.request, response, name)
    return response


async def close_session(call: Call) -> web.StreamResponse:
    """Log out."""
    call.site.sessions.close(cookie_of(call.request))
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    take_cookie(call.request, response)
    return response


async def get_tokens(call: Call) -> web.StreamResponse:
    """All tokens in force."""
    return answer(tuple(map(_view, call.site.keyring.records())), tuple[TokenView, ...])


async def make_token(call: Call) -> web.StreamResponse:
    """Make a token. Only its digest is kept."""
    site, asked = call.site, call.body_as(TokenWish)
    at = site.clock.now()
    if asked.expires_at is not None and asked.expires_at <= at:
        raise refuse(HTTPStatus.BAD_REQUEST, "The token would have expired already.")
    if not ROLES.keys() & set(asked.roles):
        raise refuse(HTTPStatus.BAD_REQUEST, f"Give at least one role of {', '.join(ROLES)}.")
    token, record = mint(
        name=asked.name,
        roles=asked.roles,
        at=at,
        expires_at=asked.expires_at,
        person=asked.person or "",
        scopes=asked.scopes,
        is_service=asked.is_service,
    )
    await site.tokens.add_token(record, by=call.identity.name)
    site.keyring.add(record)
    return answer(MintedToken(token=token, record=_view(record)), MintedToken, HTTPStatus.CREATED)


async def remove_token(call: Call) -> web.StreamResponse:
    """Take a token out of force, with every session that was opened with it."""
    site, identifier = call.site, call.named("id")
    if site.keyring.remove(identifier) is None:
        raise not_found("token", identifier)
    await site.tokens.remove_token(identifier, by=call.identity.name, at=site.clock.now())
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _view(record: TokenRecord) -> TokenView:
    return TokenView(
        id=record.id,
        name=record.name,
        person=record.identity,
        roles=record.roles,
        scopes=record.scopes,
        is_service=record.is_service,
        created_at=record.created_at,
        expires_at=record.expires_at,
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/session",
        permission=Permission.READ,
        summary="Who am I",
        tag=TAG,
        handler=get_session,
        response=WhoAmI,
    ),
    Route(
        method="POST",
        path="/api/v1/session",
        permission=None,
        summary="Log in",
        tag=TAG,
        handler=open_session,
        body=Login,
        status=HTTPStatus.NO_CONTENT,
    ),
    Route(
        method="DELETE",
        path="/api/v1/session",
        permission=Permission.READ,
        summary="Log out",
        tag=TAG,
        handler=close_session,
        status=HTTPStatus.NO_CONTENT,
    ),
    Route(
        method="GET",
        path="/api/v1/tokens",
        permission=Permission.ADMIN,
        summary="Tokens",
        tag=TAG,
        handler=get_tokens,
        response=tuple[TokenView, ...],
    ),
    Route(
        method="POST",
        path="/api/v1/tokens",
        permission=Permission.ADMIN,
        summary="Make a token",
        tag=TAG,
        handler=make_token,
        body=TokenWish,
        response=MintedToken,
        status=HTTPStatus.CREATED,
    ),
    Route(
        method="DELETE",
        path="/api/v1/tokens/{id}",
        permission=Permission.ADMIN,
        summary="Remove a token",
        tag=TAG,
        handler=remove_token,
        status=HTTPStatus.NO_CONTENT,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
