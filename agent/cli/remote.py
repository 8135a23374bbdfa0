"""Speaking to a running agent: small, and quick to import."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from agent.errors import PermanentError, TransientError

TIMEOUT_S = 30.0

Document = Any
"""A JSON document as the API gives it; its shape stands in /api/openapi.json."""


class Remote:
    """The API of one agent. Raises AgentError with the agent's own words."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._token = token

    def get(self, path: str, **query: str | int | list[str] | None) -> Document:
        """Ask for a document; a list gives its name once for each value."""
        given = {name: value for name, value in query.items() if value is not None}
        suffix = f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""
        return self._ask("GET", path + suffix, None)

    def text(self, path: str, media_type: str) -> str:
        """Ask for something that is no JSON."""
        return self._fetch("GET", path, None, media_type).decode("utf-8")

    def post(self, path: str, body: Document) -> Document:
        """Ask for something to be done."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Document:
        """Ask for something to be ended."""
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: Document) -> Document:
        text = self._fetch(method, path, body, "application/json")
        return json.loads(text) if text else None

    def _fetch(self, method: str, path: str, body: Document, media_type: str) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310 - the address is the operator's own
        request.add_header("Accept", media_type)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            raise PermanentError(_told(error)) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise TransientError(f"no agent answers at {self.url}: {reason}") from error


def _told(error: urllib.error.HTTPError) -> str:
    """The agent's own words where it gave some."""
    try:
        problem = json.loads(error.read())
    except ValueError:
        problem = None
    detail = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else None
    hint = " Give one with --token or WATCHKEEPER_TOKEN." if error.code == 401 else ""
    asked = urllib.parse.urlsplit(error.url).path
    return f"{detail or f'{asked}: {error.reason}'} ({error.code}){hint}"
