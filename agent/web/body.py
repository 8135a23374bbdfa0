"""Reading what a client sends, within bounds: bytes after inflation, pace, whole time.

The body is held in memory once, never on disk, and nothing of it outlives a refusal.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.web.inflate import Inflated
from agent.web.problem import ProblemError, overloaded, refuse

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX = 200
_HELD: web.RequestKey[int] = web.RequestKey("held_bytes", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request, and all together, may take. Each has a line in docs/operating.md."""

    body_bytes_max: int = 8 * 1024 * 1024
    """Of a body, once inflated."""
    bodies_bytes_max: int = 64 * 1024 * 1024
    """Of all bodies held at once."""
    body_patience: timedelta = timedelta(seconds=2)
    """How long a body may stand still before its first piece."""
    body_pace_bytes_per_s: int = 16 * 1024
    """Every so many bytes earn the sender one more second ..."""
    body_deadline: timedelta = timedelta(seconds=10)
    """... up to this long in all."""
    requests_at_once_max: int = 512
    streams_at_once_max: int = 256
    """Live pages and followed outputs."""


class Bodies:
    """All bodies that are held at once; they share one allowance of memory."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self.held_bytes = 0

    def take(self, request: web.Request) -> bytes | None:
        """The body, where all of it is here already and not compressed; None otherwise.

        As of nearly every request, and without anything to wait for. Refuses 413 and 503.
        """
        content = request.content
        if not content.is_eof() or "Content-Encoding" in request.headers:
            return None
        try:
            body = content.read_nowait()
        except (web.RequestPayloadError, HttpProcessingError):
            return None
        if len(body) > self._limits.body_bytes_max:
            raise _too_large(self._limits)
        self._hold(request, len(body))
        return body

    async def read(self, request: web.Request) -> bytes:
        """The whole body, inflated. Refuses 408 what is slow, 413 what is large, 503 in a rush."""
        try:
            inflated = Inflated(request.headers.get("Content-Encoding", "").strip().lower())
        except ValueError as error:
            detail = f"{error}; use gzip, deflate or none."
            raise refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail) from None
        await _invite(request)
        try:
            return await self._read(request, inflated)
        except TimeoutError:
            raise refuse(
                HTTPStatus.REQUEST_TIMEOUT, "The body came too slowly; nothing of it was kept."
            ) from None
        except (ValueError, web.RequestPayloadError, HttpProcessingError) as error:
            raise refuse(HTTPStatus.BAD_REQUEST, f"The body cannot be read: {error}") from None

    def forget(self, request: web.Request) -> None:
        """The request is over, and with it what we held of it."""
        self.held_bytes -= request.get(_HELD, 0)

    async def _read(self, request: web.Request, inflated: Inflated) -> bytes:
        limits = self._limits
        if (request.content_length or 0) > limits.body_bytes_max:
            raise _too_large(limits)
        begun = self._monotonic()
        body, received = bytearray(), 0
        content = request.content
        while not content.at_eof():
            if content.is_eof():
                # All of it is here, as it is of nearly every body: nothing to be patient about.
                piece = content.read_nowait()
            else:
                left = begun + self._earned_s(received) - self._monotonic()
                async with asyncio.timeout(left):
                    piece = await content.readany()
            received += len(piece)
            added = inflated.feed(piece, limits.body_bytes_max - len(body))
            if added is None:
                raise _too_large(limits)
            body += added
            self._hold(request, len(added))
        if received:
            inflated.finish()
        return bytes(body)

    def _earned_s(self, received: int) -> float:
        """How long a body of which so much has come may have taken."""
        limits = self._limits
        earned = limits.body_patience.total_seconds() + received / limits.body_pace_bytes_per_s
        return min(earned, limits.body_deadline.total_seconds())

    def _hold(self, request: web.Request, size: int) -> None:
        request[_HELD] = request.get(_HELD, 0) + size
        self.held_bytes += size
        if self.held_bytes > self._limits.bodies_bytes_max:
            raise overloaded("Too many large bodies at once.")


async def _invite(request: web.Request) -> None:
    """Tell a client that asked first to send its body. Refuses 417 any other expectation."""
    match request.headers.get("Expect", "").strip().lower():
        case "":
            return
        case "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        case _:
            raise refuse(HTTPStatus.EXPECTATION_FAILED, "Only 100-continue may be expected.")


def _too_large(limits: Limits) -> ProblemError:
    return refuse(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A body may hold {limits.body_bytes_max} bytes once inflated; send several requests.",
    )


def form_fields(content: bytes) -> dict[str, list[str]]:
    """The fields of a browser's form, each with all its values. Refuses 400 what is none."""
    try:
        pairs = parse_qsl(
            content.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(content),
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"The form cannot be read: {error}") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
