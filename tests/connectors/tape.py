"""Tapes: recorded exchanges, and their replay without any I/O."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import TypeAdapter

from agent.connector import Exchange, Request, Response

T = TypeVar("T")


class TapeError(AssertionError):
    """The connector did something else than what was recorded."""


def recorded(exchange: Exchange[T], turns: list[dict[str, Any]]) -> Exchange[T]:
    """The same exchange, with every turn of it noted."""
    response: Response | None = None
    while True:
        try:
            request = next(exchange) if response is None else exchange.send(response)
        except StopIteration as end:
            result: T = end.value
            return result
        response = yield request
        answer = {"status": response.status, "body": json.loads(response.body or b"null")}
        turns.append({"request": _plain(request), "response": answer})


def replay(exchange: Exchange[T], turns: list[dict[str, Any]]) -> T:
    """Play a tape to an exchange; it must ask what was recorded, and end with the last turn."""
    left: Iterator[dict[str, Any]] = iter(turns)
    response: Response | None = None
    while True:
        try:
            request = next(exchange) if response is None else exchange.send(response)
        except StopIteration as end:
            if (rest := list(left)) != []:
                raise TapeError(f"ended {len(rest)} turns early") from None
            result: T = end.value
            return result
        turn = next(left, None)
        if turn is None:
            raise TapeError(f"asked once more than recorded: {request.method} {request.path}")
        if turn["request"] != _plain(request):
            raise TapeError(f"asked {_plain(request)}, recorded is {turn['request']}")
        body = turn["response"]["body"]
        raw = b"" if body is None else json.dumps(body).encode()
        response = Response(status=turn["response"]["status"], body=raw)


def plain_result(result: object) -> Any:
    """A result as JSON, to compare with what was recorded."""
    content = asdict(result)  # type: ignore[call-overload]
    return json.loads(TypeAdapter(Any).dump_json(content))


def write(path: Path, content: object) -> None:
    """Write a golden file."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _plain(request: Request) -> dict[str, Any]:
    body: Any = None
    if request.body is not None:
        is_form = "urlencoded" in request.headers.get("Content-Type", "")
        body = dict(parse_qsl(request.body.decode())) if is_form else json.loads(request.body)
    query = dict(request.query)
    return {"method": request.method, "path": request.path, "query": query, "body": body}
