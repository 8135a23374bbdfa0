"""Did a change keep to what was decided? The questions of an auditor, asked of the records.

Each is about changes that ran. What cannot be told, because what it takes was not kept, is said
to be unknown and never taken for well. Not here: whether anything is missing (`population`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.change import Change, ChangeType, Run
from agent.model.duty import RetroState
from agent.model.policy import Approval, Verdict
from agent.model.reason import Reason
from agent.reporting.changes.population import Finding


class Violation(StrEnum):
    """What should not have been."""

    NOT_AUTHORISED = "not_authorised"
    APPROVED_TOO_LATE = "approved_too_late"
    SELF_APPROVED = "self_approved"
    OWN_POLICY = "own_policy"
    """Approved under a policy that the approver had edited, and nobody else agreed to."""
    OTHER_CONTENT = "other_content"
    OTHER_HOSTS = "other_hosts"
    IN_FREEZE = "in_freeze"
    OUTSIDE_WINDOW = "outside_window"
    NO_RETRO_APPROVAL = "no_retro_approval"
    RETRO_REJECTED = "retro_rejected"
    TEMPLATE_EXPIRED = "template_expired"
    REVIEW_OVERDUE = "review_overdue"
    UNKNOWN = "unknown"
    """What it takes to tell was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What was really played, as the audit log has it: not from the record of the change."""

    run: str
    digest: str | None
    """Of the copy that was played; None where the log does not say."""
    hosts: tuple[str, ...] | None


Frozen = Callable[[Change, datetime], bool | None]
"""Whether a freeze held for a change at a moment; None where nobody can tell any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What there is to judge by."""

    launches: Mapping[str, Launch]
    """By run."""
    frozen: Frozen
    alone: Mapping[str, frozenset[str]]
    """By policy: who edited it without anybody else's word."""
    expires: Mapping[str, datetime]
    """When templates of standard changes ended or end, as `NAME@VERSION`."""
    now: datetime


def violations(changes: Sequence[Change], runs: Sequence[Run], known: Known) -> tuple[Finding, ...]:
    """What was found of these changes, in their order. Changes that never started have none."""
    of_change: dict[str, list[Run]] = {}
    for run in runs:
        if run.launched_at is not None:
            of_change.setdefault(run.change, []).append(run)
    return tuple(
        finding
        for change in changes
        if (launched := of_change.get(change.id))
        for finding in _of(change, launched, known)
    )


def _of(change: Change, launched: Sequence[Run], known: Known) -> Iterator[Finding]:
    at = min(run.launched_at for run in launched if run.launched_at is not None)
    yield from _authority(change, at)
    yield from _voices(change, known)
    yield from _content(change, launched, known)
    yield from _time(change, at, known)
    yield from _duties(change, at, known)


def _authority(change: Change, at: datetime) -> Iterator[Finding]:
    decision = change.decision
    if decision is None or decision.verdict is not Verdict.ALLOWED:
        said = decision.text if decision else "nothing was decided"
        yield _found(Violation.NOT_AUTHORISED, change, f"ran at {at:%Y-%m-%d %H:%M:%S}: {said}")
    elif decision.reason is Reason.APPROVED:
        before = [each for each in change.approvals if each.at <= at]
        if not any(each.binding == change.binding for each in before):
            text = f"ran at {at:%Y-%m-%d %H:%M:%S}, and nobody had approved that content before"
            yield _found(Violation.APPROVED_TOO_LATE, change, text)


def _voices(change: Change, known: Known) -> Iterator[Finding]:
    alone = known.alone.get(change.decision.policy if change.decision else "", frozenset())
    for approval in change.approvals:
        if _is_own(change, approval):
            text = f"{approval.by} approved what was asked for, or ruled, by the same person"
            yield _found(Violation.SELF_APPROVED, change, text)
        if alone & {approval.by, approval.on_behalf_of}:
            text = f"{approval.by} approved under a policy that nobody else had agreed to"
            yield _found(Violation.OWN_POLICY, change, text)


def _is_own(change: Change, approval: Approval) -> bool:
    voices = {approval.by, approval.on_behalf_of}
    asked = change.requested_by.removeprefix("person:")
    return asked in voices or (change.rule_author is not None and change.rule_author in voices)


def _content(change: Change, launched: Sequence[Run], known: Known) -> Iterator[Finding]:
    approved = {host.name for host in change.hosts}
    for run in launched:
        launch = known.launches.get(run.id)
        if launch is None or launch.digest is None or launch.hosts is None:
            text = f"{run.id}: the audit log does not say what was played"
            yield _found(Violation.UNKNOWN, change, text)
            continue
        if launch.digest != change.digest:
            text = f"{run.id} played {launch.digest}, decided was {change.digest}"
            yield _found(Violation.OTHER_CONTENT, change, text)
        if more := sorted(set(launch.hosts) - approved):
            text = f"{run.id} also played on {', '.join(more)}"
            yield _found(Violation.OTHER_HOSTS, change, text)


def _time(change: Change, at: datetime, known: Known) -> Iterator[Finding]:
    is_emergency = change.type is ChangeType.EMERGENCY
    is_frozen = False if is_emergency else known.frozen(change, at)
    if is_frozen is None:
        text = "the calendars of that time are no longer at hand"
        yield _found(Violation.UNKNOWN, change, text)
    elif is_frozen:
        yield _found(Violation.IN_FREEZE, change, f"ran at {at:%Y-%m-%d %H:%M:%S} in a freeze")
    if change.window is not None and not is_emergency and not change.window.contains(at):
        text = f"ran at {at:%Y-%m-%d %H:%M:%S}, outside of its window"
        yield _found(Violation.OUTSIDE_WINDOW, change, text)


def _duties(change: Change, at: datetime, known: Known) -> Iterator[Finding]:
    retro = change.retro
    if change.type is ChangeType.EMERGENCY:
        if retro is None or (retro.state is RetroState.DUE and retro.due_at <= known.now):
            text = "an emergency that nobody answered for in time"
            yield _found(Violation.NO_RETRO_APPROVAL, change, text)
        elif retro.state is RetroState.REJECTED:
            text = f"{retro.by} did not approve it afterwards"
            yield _found(Violation.RETRO_REJECTED, change, text)
    review = change.review
    if review is not None and review.is_open and review.due_at <= known.now:
        yield _found(Violation.REVIEW_OVERDUE, change, f"nobody looked back at it: {review.why}")
    if change.template is not None:
        expires = known.expires.get(change.template)
        if expires is not None and expires <= at:
            text = f"its template {change.template} had ended on {expires:%Y-%m-%d}"
            yield _found(Violation.TEMPLATE_EXPIRED, change, text)


def _found(kind: Violation, change: Change, text: str) -> Finding:
    return Finding(kind=kind, subject=change.id, text=text)
