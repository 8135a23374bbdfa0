"""What was really played, read back from audit events: for holding it against what was decided."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.model.interval import Interval
from agent.reporting.changes.population import Told
from agent.reporting.changes.violations import Launch
from agent.runtime.codec import decode, to_micros

RUN = "RUN-"
IDS_A_QUESTION_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    run: str
    hosts: tuple[_Host, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Of an event: what was laid out."""

    laid_out: tuple[_Spec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    run: str
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Of an event of `RunPrepared`: what was found on the disk."""

    what: _Copy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    id: str
    type: str
    digest: str
    binding: str
    closure: str | None
    hosts: tuple[_Host, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """Of an event: the changes as they were after it."""

    changes: tuple[_Change, ...] = ()


def runs_between(connection: sqlite3.Connection, window: Interval) -> frozenset[str]:
    """Ids of the runs that events of this time are about."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM audit_subjects WHERE number IN"
        " (SELECT number FROM audit WHERE at >= ? AND at < ?) AND subject >= ? AND subject < ?",
        # As text: everything that begins with it.
        (to_micros(window.start), to_micros(window.end), RUN, f"{RUN[:-1]}."),
    ).fetchall()
    return frozenset(subject for (subject,) in rows)


def known(connection: sqlite3.Connection, subjects: Sequence[str]) -> frozenset[str]:
    """Those of these ids that there is an event about."""
    return frozenset(
        subject
        for chunk in _chunks(subjects)
        for (subject,) in connection.execute(
            f"SELECT DISTINCT subject FROM audit_subjects WHERE subject IN ({_marks(chunk)})",  # noqa: S608
            chunk,
        )
    )


def played(connection: sqlite3.Connection, runs: Sequence[str]) -> dict[str, Launch]:
    """What was laid out and prepared for these runs; those the log knows nothing of are left out.

    The hosts are those that the inventory was made of, the digest is that of the copy on the disk.
    """
    hosts: dict[str, tuple[str, ...]] = {}
    digests: dict[str, str | None] = {}
    for chunk in _chunks(runs):
        for kind, body in connection.execute(
            "SELECT kind, body FROM audit WHERE number IN"  # noqa: S608 - marks only
            f" (SELECT number FROM audit_subjects WHERE subject IN ({_marks(chunk)}))",
            chunk,
        ):
            for spec in decode(_Laid, body).laid_out:
                hosts[spec.run] = tuple(host.name for host in spec.hosts)
            if kind == "RunPrepared":
                copy = decode(_Prepared, body).what
                digests[copy.run] = copy.digest
    return {
        run: Launch(run=run, digest=digests.get(run), hosts=hosts.get(run))
        for run in runs
        if run in hosts or run in digests
    }


def last_told(connection: sqlite3.Connection, changes: Sequence[str]) -> dict[str, Told]:
    """What the log last said of these changes."""
    told: dict[str, Told] = {}
    for chunk in _chunks(changes):
        for (body,) in connection.execute(
            "SELECT body FROM audit WHERE number IN"  # noqa: S608 - marks only
            f" (SELECT number FROM audit_subjects WHERE subject IN ({_marks(chunk)}))"
            " ORDER BY number",
            chunk,
        ):
            for change in decode(_Changed, body).changes:
                told[change.id] = Told(
                    type=change.type,
                    digest=change.digest,
                    binding=change.binding,
                    closure=change.closure,
                    hosts=tuple(host.name for host in change.hosts),
                )
    return told


def _chunks(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), IDS_A_QUESTION_MAX):
        yield list(names[start : start + IDS_A_QUESTION_MAX])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
