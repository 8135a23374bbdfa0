"""`watchkeeper silence`: what is muted, what would be, and a new silence."""

import getpass
import sys
from datetime import UTC, datetime, timedelta

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.config.durations import parse_duration
from agent.config.matchers import parse_matchers
from agent.errors import PermanentError
from agent.model.labels import Matcher, MatchOperator

SAMPLE_SHOWN_MAX = 5


def silence(
    remote: Remote,
    matchers: list[str],
    *,
    duration: str,
    comment: str,
    expire: str | None,
    is_sure: bool,
    as_json: bool,
) -> int:
    """List, add or end silences; what would be muted is shown before it is."""
    if expire is not None:
        remote.delete(f"/api/v2/silence/{expire}")
        print(f"Silence {expire} has ended.")
        return 0
    if not matchers:
        return _list(remote, as_json=as_json)
    parsed = _parsed(matchers)
    if not comment:
        raise PermanentError("say why with --comment: whoever finds the silence will ask")
    length = _duration(duration)
    if not is_sure and (code := _confirm(remote, parsed)) is not None:
        return code
    now = datetime.now(UTC)
    made = remote.post(
        "/api/v2/silences",
        {
            "matchers": [_shape(matcher) for matcher in parsed],
            "startsAt": now.isoformat(),
            "endsAt": (now + length).isoformat(),
            "createdBy": getpass.getuser(),
            "comment": comment,
        },
    )
    if as_json:
        return show.as_json(made)
    print(f"Silence {made['silenceID']} is in force for {duration}.")
    return 0


def _confirm(remote: Remote, matchers: list[Matcher]) -> int | None:
    """Show what would be muted and ask; the exit code where it shall not be."""
    found = remote.get("/api/v1/silences/preview", filter=[str(matcher) for matcher in matchers])
    out = show.console()
    out.print(
        show.text(
            f"This would mute {found['alerts']} firing alerts"
            f" ({found['muted_already']} are muted already)"
            f" of {', '.join(found['incidents']) or 'no incident'}."
        )
    )
    for owner, alerts in found["owners"].items():
        out.print(show.text(f"  {alerts:>5} of {owner}"))
    for labels in found["sample"][:SAMPLE_SHOWN_MAX]:
        shown = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
        out.print(show.text(f"        {{{shown}}}"))
    if len(found["owners"]) > 1:
        print("They belong to more than one owner: nothing was silenced.", file=sys.stderr)
        print("Narrow the matchers, or say --yes.", file=sys.stderr)
        return 2
    if not sys.stdin.isatty():
        print("Nothing was silenced: say --yes where nobody can be asked.", file=sys.stderr)
        return 2
    if input("Silence them? [y/N] ").strip().lower() not in ("y", "yes"):
        print("Nothing was silenced.")
        return 1
    return None


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
            show.text(", ".join(_written(matcher) for matcher in item["matchers"])),
            show.moment(item["endsAt"]),
            show.text(item["createdBy"]),
            show.text(item["comment"]),
        )
    show.console().print(rows)
    return 0


def _parsed(texts: list[str]) -> list[Matcher]:
    try:
        return [matcher for text in texts for matcher in parse_matchers(text)]
    except ValueError as error:
        raise PermanentError(str(error)) from None


def _shape(matcher: Matcher) -> Document:
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": matcher.operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX),
        "isEqual": matcher.operator in (MatchOperator.EQUAL, MatchOperator.REGEX),
    }


def _written(matcher: Document) -> str:
    operator = {
        (True, False): MatchOperator.EQUAL,
        (False, False): MatchOperator.NOT_EQUAL,
        (True, True): MatchOperator.REGEX,
        (False, True): MatchOperator.NOT_REGEX,
    }[matcher.get("isEqual", True), matcher["isRegex"]]
    return str(Matcher(name=matcher["name"], operator=operator, value=matcher["value"]))


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise PermanentError(str(error)) from None
