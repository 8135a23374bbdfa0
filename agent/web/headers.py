"""The headers of every answer, and answers that need little more than these.

Not here: what an answer says.
"""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE, HttpVersion11
from multidict import CIMultiDict

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

_HEADERS = CIMultiDict(HEADERS)


def complete(response: web.StreamResponse) -> None:
    """Add what it does not say itself, as long as nothing of it was sent."""
    if not response.prepared and not isinstance(response, _Empty):
        response.headers.merge(_HEADERS)


def streamed(headers: dict[str, str]) -> web.StreamResponse:
    """An answer that is sent in pieces, by its handler."""
    response = web.StreamResponse(headers=headers)
    complete(response)
    return response


def empty(request: web.BaseRequest, at: datetime) -> web.StreamResponse:
    """A success with nothing to say, at that moment."""
    # Any other client is told whether the connection stays open; that takes the long way.
    if request.version == HttpVersion11 and request.keep_alive:
        return _empty_at(at.replace(microsecond=0))
    return web.Response()


class _Empty(web.StreamResponse):
    """An empty 200 that many requests share: its bytes are known beforehand."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        lines = {
            **HEADERS,
            "Content-Length": "0",
            "Date": format_datetime(at, usegmt=True),
            "Server": SERVER_SOFTWARE,
        }
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._head = f"HTTP/1.1 200 OK\r\n{text}\r\n".encode()

    @property
    def keep_alive(self) -> bool:
        """Always: it is made for connections that stay."""
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send all of it."""
        writer = request.writer
        await writer.write(self._head)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing follows."""


@lru_cache(maxsize=1)
def _empty_at(second: datetime) -> _Empty:
    return _Empty(second)
