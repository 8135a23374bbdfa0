"""`watchkeeper silence`: what is muted, what would be, and a new silence."""

import getpass
import re
from datetime import UTC, datetime, timedelta

from rich.text import Text

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.errors import PermanentError

_MATCHER = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)(=~|!~|!=|=)"?(.*?)"?', re.DOTALL)


def silence(
    remote: Remote,
    matchers: list[str],
    *,
    duration: str,
    comment: str,
    expire: str | None,
    as_json: bool,
) -> int:
    """List, add or end silences."""
    if expire is not None:
        remote.delete(f"/api/v2/silence/{expire}")
        print(f"Silence {expire} has ended.")
        return 0
    if not matchers:
        return _list(remote, as_json=as_json)
    parsed = [_matcher(text) for text in matchers]
    if not comment:
        raise PermanentError("say why with --comment: whoever finds the silence will ask")
    now = datetime.now(UTC)
    made = remote.post(
        "/api/v2/silences",
        {
            "matchers": parsed,
            "startsAt": now.isoformat(),
            "endsAt": (now + _duration(duration)).isoformat(),
            "createdBy": getpass.getuser(),
            "comment": comment,
        },
    )
    if as_json:
        return show.as_json(made)
    print(f"Silence {made['silenceID']} is in force for {duration}.")
    return 0


def _list(remote: Remote, *, as_json: bool) -> int:
    found = [s for s in remote.get("/api/v2/silences") if s["status"]["state"] != "expired"]
    if as_json:
        return show.as_json(found)
    if not found:
        print("Nothing is silenced.")
        return 0
    rows = show.table("ID", "STATE", "MATCHERS", "UNTIL (UTC)", "BY", "WHY")
    for item in found:
        rows.add_row(
            item["id"],
            item["status"]["state"],
            Text(", ".join(_written(matcher) for matcher in item["matchers"])),
            show.moment(item["endsAt"]),
            Text(item["createdBy"]),
            Text(item["comment"]),
        )
    show.console().print(rows)
    return 0


def _matcher(text: str) -> Document:
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise PermanentError(f"{text!r} is no matcher; write name=value, !=, =~ or !~")
    name, operator, value = match.groups()
    return {
        "name": name,
        "value": value,
        "isRegex": "~" in operator,
        "isEqual": not operator.startswith("!"),
    }


def _written(matcher: Document) -> str:
    operator = ("=" if matcher.get("isEqual", True) else "!") + ("~" if matcher["isRegex"] else "")
    return f'{matcher["name"]}{"!=" if operator == "!" else operator}"{matcher["value"]}"'


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    if match is None:
        raise PermanentError(f"{text!r} is no duration; write 30m, 2h, 1d")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[match[2]]
    return timedelta(**{unit: int(match[1])})
