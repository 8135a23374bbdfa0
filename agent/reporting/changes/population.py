"""Is every run under a change, and is every change that says it ran in the record of runs?

Both ways, over records that are kept apart: changes, runs, what runs printed, and the audit log.
Whatever is left over on either side is a finding. Not here: whether a change kept to what was
decided (`violations`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.model.change import Change, Run


class Gap(StrEnum):
    """What is missing beside what is there."""

    RUN_WITHOUT_CHANGE = "run_without_change"
    OUTPUT_WITHOUT_RUN = "output_without_run"
    CHANGE_WITHOUT_RUN = "change_without_run"
    RUN_NOT_AUDITED = "run_not_audited"
    CHANGE_NOT_AUDITED = "change_not_audited"
    AUDITED_RUN_GONE = "audited_run_gone"
    RECORD_DIFFERS = "record_differs"
    """A closed change does not say of itself what the audit log last said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the audit log last said of a change, as far as it is held against the record."""

    type: str
    digest: str
    binding: str
    closure: str | None
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, change: Change) -> "Told":
        """What the record of a change says."""
        return cls(
            type=change.type,
            digest=change.digest,
            binding=change.binding,
            closure=change.closure,
            hosts=tuple(host.name for host in change.hosts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an auditor asks about."""

    kind: str
    subject: str
    """Id of the change or run."""
    text: str


def gaps(
    *,
    changes: Mapping[str, Change],
    runs: Sequence[Run],
    printed: Collection[str],
    audited_runs: Collection[str],
    audited_changes: Collection[str],
    told: Mapping[str, Told],
) -> tuple[Finding, ...]:
    """What is left over, in the order of the record.

    `changes` are all that were alive in the period, with their runs among `runs`; `printed` are
    runs of which there is output; `audited_*` are the ids in the audit log, `told` is what it last
    said of changes, read after the changes were.
    """
    return (
        *_of_runs(changes, runs, audited_runs),
        *_of_output(runs, printed),
        *_of_changes(changes, runs, audited_changes),
        *_of_audit(runs, audited_runs),
        *_of_content(changes, told),
    )


def _of_runs(
    changes: Mapping[str, Change], runs: Sequence[Run], audited: Collection[str]
) -> Iterator[Finding]:
    for run in runs:
        if run.change not in changes:
            text = f"belongs to {run.change}, of which there is no record"
            yield Finding(kind=Gap.RUN_WITHOUT_CHANGE, subject=run.id, text=text)
        if run.id not in audited:
            text = "stands in the record of runs, and in no audit event"
            yield Finding(kind=Gap.RUN_NOT_AUDITED, subject=run.id, text=text)


def _of_output(runs: Sequence[Run], printed: Collection[str]) -> Iterator[Finding]:
    known = {run.id for run in runs}
    for name in sorted(set(printed) - known):
        text = "printed something, and stands in no record of runs"
        yield Finding(kind=Gap.OUTPUT_WITHOUT_RUN, subject=name, text=text)


def _of_changes(
    changes: Mapping[str, Change], runs: Sequence[Run], audited: Collection[str]
) -> Iterator[Finding]:
    known = {run.id for run in runs}
    for change in changes.values():
        for name in (change.run, change.rollback_run):
            if name is not None and name not in known:
                text = f"says that it ran as {name}, of which there is no record"
                yield Finding(kind=Gap.CHANGE_WITHOUT_RUN, subject=change.id, text=text)
        if change.id not in audited:
            text = "stands in the record of changes, and in no audit event"
            yield Finding(kind=Gap.CHANGE_NOT_AUDITED, subject=change.id, text=text)


def _of_audit(runs: Sequence[Run], audited: Collection[str]) -> Iterator[Finding]:
    known = {run.id for run in runs}
    for name in sorted(set(audited) - known):
        text = "stands in the audit log, and no longer in the record of runs"
        yield Finding(kind=Gap.AUDITED_RUN_GONE, subject=name, text=text)


def _of_content(changes: Mapping[str, Change], told: Mapping[str, Told]) -> Iterator[Finding]:
    for change in changes.values():
        said = told.get(change.id)
        # One that is open may have gone on between the two looks.
        if change.is_open or said is None:
            continue
        mine = Told.of(change)
        other = [name for name in Told.__slots__ if getattr(mine, name) != getattr(said, name)]
        if other:
            text = f"its {' and '.join(other)} is not what the audit log last said"
            yield Finding(kind=Gap.RECORD_DIFFERS, subject=change.id, text=text)
