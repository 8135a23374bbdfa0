"""API tokens: how they are made, and what is kept of them. The token itself never is.

Not here: what a role may do (`web.permission`), or where the records are kept (`store`).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from agent.errors import PermanentError

TOKEN_PREFIX = "wk_"  # noqa: S105
"""Lets people, and scanners of repositories, recognise a token of ours."""
TOKEN_BYTES = 32
TOKEN_CHARACTERS_MIN = 32
TOKEN_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """Who a token speaks for. `digest` is the SHA-256 of the token in hex."""

    id: str
    name: str
    """The person or tool: what the timeline says, however many tokens they hold."""
    roles: tuple[str, ...]
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    source: str | None = None
    """The one source that it speaks for; None for a token that is bound to none."""
    person: str = ""
    """Whose token it is, where its name is not that; kept through second tokens and new names."""
    scopes: tuple[str, ...] = ()
    """For which part of the map its roles approve; none: all of it."""
    is_service: bool = False
    """Whether it is a tool's: that never approves."""

    @property
    def identity(self) -> str:
        """Who is recorded as having said or asked for something."""
        return self.person or self.name


def mint(
    *,
    name: str,
    roles: tuple[str, ...],
    at: datetime,
    expires_at: datetime | None = None,
    person: str = "",
    scopes: tuple[str, ...] = (),
    is_service: bool = False,
) -> tuple[str, TokenRecord]:
    """A new token, to be shown once, and the record of it that may be kept."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    record = record_of(token, name=name, roles=roles, at=at, expires_at=expires_at)
    return token, replace(record, person=person, scopes=scopes, is_service=is_service)


def record_of(
    token: str,
    *,
    name: str,
    roles: tuple[str, ...],
    at: datetime,
    expires_at: datetime | None = None,
) -> TokenRecord:
    """The record of a token that somebody else made: the settings', for one.

    Raises PermanentError for one that could be guessed.
    """
    if not TOKEN_CHARACTERS_MIN <= len(token) <= TOKEN_CHARACTERS_MAX or len(set(token)) < 10:
        raise PermanentError(
            f"the token of {name!r} is too weak or too long: use {TOKEN_CHARACTERS_MIN} to "
            f"{TOKEN_CHARACTERS_MAX} random characters, such as `openssl rand -base64 32` makes"
        )
    digest = digest_of(token)
    return TokenRecord(
        id=digest[:12],
        name=name,
        roles=roles,
        digest=digest,
        created_at=at,
        expires_at=expires_at,
    )


def digest_of(token: str) -> str:
    """SHA-256 in hex. Enough for 256 random bits; a password would need a slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Keyring:
    """The tokens in force."""

    def __init__(self, records: Iterable[TokenRecord] = ()) -> None:
        self._by_id = {record.id: record for record in records}

    def identify(self, token: str, at: datetime) -> TokenRecord | None:
        """The record of this token, or None where it is unknown, or over."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        digest = digest_of(token)
        record = self._by_id.get(digest[:12])
        if record is None or not hmac.compare_digest(record.digest, digest):
            return None
        return record if self.holds(record, at) else None

    def holds(self, record: TokenRecord, at: datetime) -> bool:
        """Whether the token of this record is still in force."""
        known = self._by_id.get(record.id)
        return known == record and (record.expires_at is None or at < record.expires_at)

    def add(self, record: TokenRecord) -> None:
        """Take a token into force."""
        self._by_id[record.id] = record

    def remove(self, token_id: str) -> TokenRecord | None:
        """Take a token, and every session opened with it, out of force."""
        return self._by_id.pop(token_id, None)

    def records(self) -> tuple[TokenRecord, ...]:
        """All tokens in force, by name."""
        return tuple(sorted(self._by_id.values(), key=lambda record: (record.name, record.id)))
