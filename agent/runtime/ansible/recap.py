"""What Ansible says at the end of a play: a count for each host, and what the play hands over.

A play hands over evidence by `set_stats`, as one mapping `evidence` of hosts to names to texts;
AWX keeps the same as the job's artifacts. Not here: judging the outcome (`outcome`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from agent.model.remediation import Evidence, HostStats

HANDED_OVER = "evidence"
PIECES_MAX = 64
NAME_CHARS_MAX = 80
TEXT_CHARS_MAX = 3_500
ALL_CHARS_MAX = 64_000
"""Of all texts of a play together: they go over a wire whose messages are bounded."""
CUT = " [cut]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recap:
    """The last event of a play."""

    stats: tuple[HostStats, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def recap_of(event: Mapping[str, Any], clean: Callable[[str], str]) -> Recap:
    """The recap in an event `playbook_on_stats`; `clean` blots out secrets and control characters.

    Whatever has another shape, or is about a host that was not played, is left out.
    """
    stats = host_stats(event)
    played = {entry.host for entry in stats}
    handed = event.get("artifact_data")
    by_host = handed.get(HANDED_OVER) if isinstance(handed, dict) else None
    pieces = [
        _evidence(host, name, text, clean)
        for host, found in sorted(by_host.items() if isinstance(by_host, dict) else ())
        if host in played and isinstance(found, dict)
        for name, text in found.items()
        if isinstance(name, str) and isinstance(text, str) and text.strip()
    ]
    lengths = accumulate(len(piece.text) for piece in pieces)
    fitting = sum(1 for length in lengths if length <= ALL_CHARS_MAX)
    return Recap(stats=stats, evidence=tuple(pieces[: min(fitting, PIECES_MAX)]))


def _evidence(host: str, name: str, text: str, clean: Callable[[str], str]) -> Evidence:
    # Scrubbed before it is cut: half a secret would no longer be recognised.
    shown = clean(text)
    if len(shown) > TEXT_CHARS_MAX:
        shown = shown[:TEXT_CHARS_MAX] + CUT
    return Evidence(host=host, name=clean(name)[:NAME_CHARS_MAX], text=shown)


def host_stats(recap: Mapping[str, Any]) -> tuple[HostStats, ...]:
    """The recap of every host that was played, in order of name."""
    counts = ("ok", "changed", "failures", "dark", "skipped", "processed")
    tables: dict[str, dict[str, int]] = {key: recap.get(key) or {} for key in counts}
    hosts = sorted({host for table in tables.values() for host in table})
    return tuple(
        HostStats(
            host=host,
            ok=tables["ok"].get(host, 0),
            changed=tables["changed"].get(host, 0),
            failed=tables["failures"].get(host, 0),
            unreachable=tables["dark"].get(host, 0),
            skipped=tables["skipped"].get(host, 0),
        )
        for host in hosts
    )
