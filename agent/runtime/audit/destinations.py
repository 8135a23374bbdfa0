"""Places outside of the agent that keep checkpoints of the audit log.

Whoever can write the database can write all of it anew; what was handed out before, nobody can.
Not here: when they are told (`checkpoints`).
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from agent.config.schema_settings import Audit, AuditWebhook
from agent.config.secrets import read_secret
from agent.connector import Exchange, Request
from agent.errors import PermanentError
from agent.model.effect import Notify
from agent.model.incident import Priority
from agent.runtime.client import Client, Endpoint
from agent.runtime.notify import Notifier

FILE_MODE = 0o644
"""Holds no secret, and is read by others than us."""
NO_WAIT = timedelta(0)
WEBHOOK = "audit"
NOTE_TYPE = "text/plain; charset=utf-8"


class Destination(Protocol):
    """One place outside."""

    @property
    def name(self) -> str:
        """What status and metrics call it."""

    @property
    def every(self) -> timedelta:
        """Not told more often than this."""

    async def deliver(self, note: str, size: int) -> None:
        """Returns once the checkpoint of `size` events is kept there. Raises `AgentError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """A file that only ever grows, best on another machine's disk or one written once."""

    path: Path
    every: timedelta = NO_WAIT

    @property
    def name(self) -> str:
        """What status and metrics call it."""
        return "file"

    async def deliver(self, note: str, size: int) -> None:
        """Add the note at the end. Raises `PermanentError`."""
        await asyncio.to_thread(self._append, note)

    def read(self) -> str:
        """All notes in it; nothing where there is no file yet. Raises `PermanentError`."""
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"{self.path} cannot be read: {error}") from None

    def _append(self, note: str) -> None:
        try:
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            with os.fdopen(os.open(self.path, how, FILE_MODE), "ab") as out:
                out.write(f"{note}\n".encode())
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise PermanentError(f"{self.path} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWebhook:
    """Whoever takes the note by POST; a status of success means that it is kept."""

    client: Client
    path: str
    every: timedelta = NO_WAIT

    @property
    def name(self) -> str:
        """What status and metrics call it."""
        return "webhook"

    async def deliver(self, note: str, size: int) -> None:
        """Post it. Raises what `Client.drive` raises."""
        await self.client.drive(_post(self.path, note))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReceiver:
    """People, or a room: what was said to them is in their mail, and in nobody else's power."""

    receiver: str
    notifier: Notifier
    every: timedelta

    @property
    def name(self) -> str:
        """What status and metrics call it."""
        return f"receiver {self.receiver}"

    async def deliver(self, note: str, size: int) -> None:
        """Tell it. Raises what `Notifier.send` raises."""
        await self.notifier.send(
            Notify(
                id=f"audit.{size}",
                receiver=self.receiver,
                group="audit",
                title=f"Audit log: {size} events",
                body=f"Keep this checkpoint; an auditor may ask for it.\n\n{note}",
                priority=Priority.P5,
                incidents=(),
                resolved=True,
            )
        )


def destinations(
    settings: Audit, client: Callable[[Endpoint], Client], notifier: Notifier
) -> tuple[Destination, ...]:
    """The places that the settings name."""
    found: list[Destination] = []
    if settings.file is not None:
        found.append(CheckpointFile(path=settings.file))
    if settings.webhook is not None:
        url = urlsplit(settings.webhook.url)
        path = urlunsplit(("", "", url.path or "/", url.query, ""))
        base = urlunsplit((url.scheme, url.netloc, "", "", ""))
        endpoint = _endpoint(settings.webhook, base)
        found.append(CheckpointWebhook(client=client(endpoint), path=path))
    found += [
        CheckpointReceiver(receiver=name, notifier=notifier, every=settings.receivers_every)
        for name in settings.receivers
    ]
    return tuple(found)


def _post(path: str, note: str) -> Exchange[None]:
    # The same note twice is one note: it names what it is about.
    request = Request(
        method="POST",
        path=path,
        headers={"Content-Type": NOTE_TYPE},
        body=note.encode(),
        repeatable=True,
    )
    response = yield request
    if not response.is_success:
        raise PermanentError(f"it answered with status {response.status}")


def _endpoint(webhook: AuditWebhook, url: str) -> Endpoint:
    def credentials() -> Mapping[str, str]:
        token = read_secret(webhook.token, webhook.token_file)
        return {"Authorization": f"Bearer {token}"} if token else {}

    return Endpoint(
        name=WEBHOOK,
        url=url,
        credentials=credentials,
        timeout=webhook.timeout,
        ca_file=webhook.ca_file,
        proxy=webhook.proxy,
    )
