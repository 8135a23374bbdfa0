"""Our stylesheets, scripts and fonts, read once at start: no request reaches the file system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from agent.web.assets import STATIC, Assets
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route

TYPES: Mapping[str, str] = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
UNCHANGING = "public, max-age=31536000, immutable"
"""For an address that names its content by digest."""
A_DAY = "public, max-age=86400"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    content: bytes
    media_type: str


class StaticFiles:
    """Handlers of everything under /static."""

    def __init__(self, assets: Assets, static: Path = STATIC) -> None:
        self._own = _read(static)
        present = _read(static / "vendor") if (static / "vendor").is_dir() else {}
        # Only what the manifest vouches for is served.
        self._vendor = {name: file for name, file in present.items() if assets.get(name)}

    def routes(self) -> tuple[Route, ...]:
        """What they answer; open to everybody, the sign-in page needs them."""
        return (
            _route("/static/{name}", "the console's own files", self.own),
            _route("/static/vendor/{name}", "third-party files of the console", self.vendor),
        )

    async def own(self, call: Call) -> web.StreamResponse:
        """One of our own files."""
        caching = UNCHANGING if "v" in call.request.query else A_DAY
        return _answer(self._own, call.named("name"), caching)

    async def vendor(self, call: Call) -> web.StreamResponse:
        """One of the installed third-party files."""
        return _answer(self._vendor, call.named("name"), A_DAY)


def _read(folder: Path) -> dict[str, _File]:
    return {
        path.name: _File(content=path.read_bytes(), media_type=TYPES[path.suffix])
        for path in folder.iterdir()
        if path.suffix in TYPES
    }


def _answer(files: Mapping[str, _File], name: str, caching: str) -> web.Response:
    file = files.get(name)
    if file is None:
        raise not_found("file", name)
    return web.Response(
        body=file.content, content_type=file.media_type, headers={"Cache-Control": caching}
    )


def _route(path: str, summary: str, handler: Handler) -> Route:
    return Route(
        method="GET",
        path=path,
        permission=None,
        summary=f"Console: {summary}",
        tag="console",
        media_type="*/*",
        handler=handler,
    )
