"""The agent's face: API and console on one address, for the time of a block."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from agent import __version__
from agent.config.schema_settings import Settings
from agent.errors import PermanentError
from agent.runtime.audit.names import OURSELVES
from agent.runtime.parts import Parts
from agent.runtime.tokens import Keyring, TokenRecord, mint, record_of
from agent.web.api import API_ROUTES
from agent.web.auth import Access, is_loopback
from agent.web.body import Bodies, Limits
from agent.web.metrics import HttpMetrics
from agent.web.pages import page_routes
from agent.web.server import Listener
from agent.web.session import Sessions
from agent.web.site import About, Site

FIRST_ADMIN = "admin"


@asynccontextmanager
async def open_face(parts: Parts) -> AsyncIterator[str]:
    """Listen where the settings say; the block gets the URL.

    Raises PermanentError where nobody can listen there, or a configured token is too weak.
    """
    settings, now = parts.settings, parts.clock.now()
    host, _, port = settings.listen.rpartition(":")
    host = host.strip("[]")
    keyring = Keyring([*await parts.store.tokens(), *_of_people(settings, now)])
    if not keyring.records():
        await _greet(parts, keyring, now)
    for record in _of_sources(settings, now):
        keyring.add(record)
    limits = Limits(
        body_bytes_max=settings.limits.payload_bytes_max,
        requests_at_once_max=settings.limits.requests_at_once_max,
        streams_at_once_max=settings.limits.streams_at_once_max,
    )
    guarded = {s.name for s in settings.sources if s.token is not None or s.token_file is not None}
    site = Site(
        loop=parts.loop,
        store=parts.store,
        intake=parts.intake,
        clock=parts.clock,
        parsers=parts.sources.parsers,
        change_parsers=parts.sources.change_parsers,
        signatures=parts.sources.signatures,
        guarded_sources=frozenset(guarded),
        access=Access(is_loopback=is_loopback(host), tokens_required=bool(settings.tokens)),
        keyring=keyring,
        tokens=parts.store,
        sessions=Sessions(keyring),
        limits=limits,
        bodies=Bodies(limits, parts.clock.monotonic),
        metrics=HttpMetrics(parts.registry),
        registry=parts.registry,
        discoverer=parts.discoverer,
        audit=parts.audit,
        about=About(version=__version__, started_at=now, problems=parts.problems),
    )
    listener = Listener(site, (*API_ROUTES, *page_routes()), host, int(port))
    bound_host, bound_port = await _start(listener, settings.listen)
    shown = f"[{bound_host}]" if ":" in bound_host else bound_host
    try:
        yield f"http://{shown}:{bound_port}"
    finally:
        await listener.stop()


async def _start(listener: Listener, address: str) -> tuple[str, int]:
    try:
        return await listener.start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise PermanentError(
            f"cannot listen on {address}: {why}. Choose another address with --listen"
        ) from error


async def _greet(parts: Parts, keyring: Keyring, now: datetime) -> None:
    """The first start: make the one token that can make others, and show it once."""
    token, record = mint(name=FIRST_ADMIN, roles=("admin",), at=now)
    await parts.store.add_token(record, by=OURSELVES)
    keyring.add(record)
    print(
        f"First start. This token may do everything; it is shown only now:\n\n  {token}\n\n"
        "Reading on this machine needs none; whatever changes something does "
        "(--token or WATCHKEEPER_TOKEN).",
        file=sys.stderr,
        flush=True,
    )


def _of_people(settings: Settings, now: datetime) -> list[TokenRecord]:
    found = []
    for token in settings.tokens:
        roles = tuple(token.roles)
        if token.sha256 is not None:
            record = TokenRecord(
                id=token.sha256[:12],
                name=token.name,
                roles=roles,
                digest=token.sha256,
                created_at=now,
            )
        elif token.token_file is not None:
            text = token.token_file.read_text().strip()
            record = record_of(text, name=token.name, roles=roles, at=now)
        else:
            continue
        found.append(
            replace(
                record,
                person=token.person or "",
                scopes=tuple(token.scope),
                is_service=token.service,
            )
        )
    return found


def _of_sources(settings: Settings, now: datetime) -> Iterator[TokenRecord]:
    """A tool's own token lets it send alerts as that source, and do nothing else."""
    for source in settings.sources:
        if source.token is not None:
            text = source.token.get_secret_value()
        elif source.token_file is not None:
            text = source.token_file.read_text().strip()
        else:
            continue
        record = record_of(text, name=source.name, roles=("sender",), at=now)
        yield replace(record, source=source.name, is_service=True)
