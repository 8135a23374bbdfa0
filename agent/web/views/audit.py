"""The audit log as a page tells it: how far others vouch for it, and what the check found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.reporting.changes.population import Finding
from agent.web.views.words import Link, Moment, counted, moment

FINDINGS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A word with its colour."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a place outside has."""

    name: str
    has: str
    at: Moment | None
    state: Badge
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One thing that an auditor asks about."""

    what: str
    subject: Link
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """The whole page."""

    events: str
    root: str
    key: str
    signed: str
    signed_at: Moment | None
    places: tuple[Told, ...]
    problems: tuple[str, ...]
    basis: str
    findings: tuple[FindingRow, ...]
    more: str
    unknown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place outside as the log knows it."""

    name: str
    size: int
    at: datetime | None
    problem: str


def audit_view(
    *,
    size: int,
    root: str,
    key: str,
    signed: int,
    signed_at: datetime | None,
    places: Sequence[Place],
    problems: Sequence[str],
    counted_runs: int,
    counted_changes: int,
    findings: Sequence[Finding],
    unknown: Sequence[Finding],
    now: datetime,
) -> AuditView:
    """The page over these figures."""
    hidden = len(findings) - FINDINGS_SHOWN_MAX
    return AuditView(
        events=counted(size, "event"),
        root=root,
        key=key,
        signed=_signed(size, signed),
        signed_at=moment(signed_at, now) if signed_at else None,
        places=tuple(_told(place, signed, now) for place in places),
        problems=tuple(problems),
        basis=f"{counted(counted_runs, 'run')} against {counted(counted_changes, 'change')}",
        findings=tuple(map(_row, findings[:FINDINGS_SHOWN_MAX])),
        more=f"{hidden:,} more: watchkeeper audit population" if hidden > 0 else "",
        unknown=f"{counted(len(unknown), 'thing')} can no longer be told" if unknown else "",
    )


def _signed(size: int, signed: int) -> str:
    if not signed:
        return "no event is signed yet"
    behind = size - signed
    return "all of them are signed" if not behind else f"{counted(behind, 'event')} not signed yet"


def _told(place: Place, signed: int, now: datetime) -> Told:
    if place.problem:
        state = Badge(text="not reached", tone="bad")
    elif place.size < signed:
        state = Badge(text="behind", tone="warn")
    else:
        state = Badge(text="has the newest", tone="good")
    return Told(
        name=place.name,
        has=counted(place.size, "event") if place.size else "nothing",
        at=moment(place.at, now) if place.at else None,
        state=state,
        problem=place.problem,
    )


def _row(finding: Finding) -> FindingRow:
    folder = "changes" if finding.subject.startswith("CHG-") else "runs"
    href = f"/{folder}/{finding.subject}"
    return FindingRow(
        what=finding.kind.replace("_", " "),
        subject=Link(text=finding.subject, href=href),
        text=finding.text,
    )
