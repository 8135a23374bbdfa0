"""Which route answers a request: whole paths by one look-up, templates segment by segment.

Not here: what a route is (`routes`), or what becomes of a request that none answers (`server`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from aiohttp import web


class Addressed(Protocol):
    """Whatever is reached by a method and a path."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def path(self) -> str:
        """Whole, or with segments such as `{id}`."""


R = TypeVar("R", bound=Addressed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[R]):
    """What answers one request."""

    route: R | None
    """None: nobody answers this path, or not this method."""
    template: str = ""
    """The path as the route writes it; empty for none, so that metrics stay bounded."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The parts of the path that the template names."""
    allowed: tuple[str, ...] = ()
    """The methods that this path takes."""


class RoutingTable(Generic[R]):
    """All that is served, ready to be looked up. A GET is answered to HEAD as well."""

    def __init__(self, routes: Iterable[R]) -> None:
        """Raises ValueError where two routes have one address."""
        self.routes = tuple(routes)
        self._whole: dict[str, dict[str, Found[R]]] = {}
        self._templates: dict[str, dict[str, R]] = {}
        self._by_length: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
        for route in self.routes:
            for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
                self._add(method, route)

    def served(self) -> Iterator[tuple[str, str]]:
        """Every method and path template that is answered."""
        for paths in (self._whole, self._templates):
            for path, methods in paths.items():
                yield from ((method, path) for method in methods)

    def find(self, request: web.BaseRequest) -> Found[R]:
        """What answers it. A percent-encoded slash never splits a segment."""
        # As most clients write it, a path can be looked up before anything of it is decoded.
        whole = self._whole.get(request.raw_path)
        if whole is not None and (found := whole.get(request.method)) is not None:
            return found
        path = request.rel_url.path_safe
        allowed: set[str] = set()
        whole = self._whole.get(path)
        if whole is not None:
            if (found := whole.get(request.method)) is not None:
                return found
            allowed |= whole.keys()
        segments = path.split("/")
        for template, pattern in self._by_length.get(len(segments), ()):
            named = _named(pattern, segments)
            if named is None:
                continue
            methods = self._templates[template]
            if (route := methods.get(request.method)) is not None:
                return Found(route=route, template=template, named=named)
            allowed |= methods.keys()
        return Found(route=None, allowed=tuple(sorted(allowed)))

    def _add(self, method: str, route: R) -> None:
        path = route.path
        if "{" not in path:
            whole = self._whole.setdefault(path, {})
            is_taken = method in whole
            whole[method] = Found(route=route, template=path)
        else:
            if path not in self._templates:
                pattern = tuple(path.split("/"))
                self._by_length.setdefault(len(pattern), []).append((path, pattern))
            templated = self._templates.setdefault(path, {})
            is_taken = method in templated
            templated[method] = route
        if is_taken:
            raise ValueError(f"two routes answer {method} {path}")


def _named(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    """What the template's names stand for in this path; None where it is another path."""
    named = {}
    for expected, given in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not given:
                return None
            # Kept apart until here, or an encoded slash would have begun a segment.
            named[expected[1:-1]] = given.replace("%2F", "/").replace("%25", "%")
        elif expected != given:
            return None
    return named
