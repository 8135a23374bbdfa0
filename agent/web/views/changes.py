"""Changes and runs: what will run, where, why, what policy and people said, and how it went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.model.change import (
    Change,
    ChangeState,
    Closure,
    Run,
    RunState,
)
from agent.model.incident import TimelineItem
from agent.model.policy import Approval, Decision, Verdict
from agent.model.preview import Preview, PreviewState, TaskEffect
from agent.model.remediation import Host, HostStats, Outcome, Remediation, RunLine
from agent.model.service import ServiceMap
from agent.web.views.timeline import TimelineLine, story
from agent.web.views.words import (
    Badge,
    Moment,
    Tone,
    clock_time,
    digest_start,
    entity_label,
    lasting,
    listing,
    moment,
    person,
    word,
)

OUTPUT_LINES_MAX = 2000
"""Lines of output on a page; older ones stay in the store."""

STATES = {
    ChangeState.DRAFT: Tone.MUTED,
    ChangeState.ASSESSED: Tone.BUSY,
    ChangeState.AWAITING_APPROVAL: Tone.WARN,
    ChangeState.AUTHORISED: Tone.BUSY,
    ChangeState.SCHEDULED: Tone.BUSY,
    ChangeState.STARTING: Tone.BUSY,
    ChangeState.RUNNING: Tone.BUSY,
    ChangeState.VERIFYING: Tone.BUSY,
    ChangeState.CLOSED: Tone.MUTED,
    ChangeState.UNKNOWN: Tone.BAD,
}
CLOSURES = {
    Closure.SUCCESS: Tone.GOOD,
    Closure.FAILED: Tone.BAD,
    Closure.ROLLED_BACK: Tone.WARN,
    Closure.CANCELLED: Tone.MUTED,
    Closure.EXPIRED: Tone.MUTED,
    Closure.REFUSED: Tone.WARN,
}
VERDICTS = {
    Verdict.ALLOWED: Tone.GOOD,
    Verdict.NEEDS_APPROVAL: Tone.WARN,
    Verdict.DEFERRED: Tone.BUSY,
    Verdict.REFUSED: Tone.BAD,
}
PREVIEWS = {
    PreviewState.ASKED: Tone.BUSY,
    PreviewState.COMPLETE: Tone.GOOD,
    PreviewState.INCOMPLETE: Tone.WARN,
    PreviewState.UNSUPPORTED: Tone.WARN,
    PreviewState.OFF: Tone.MUTED,
}
EFFECTS = {
    TaskEffect.WOULD_CHANGE: Tone.BUSY,
    TaskEffect.NOT_CHECKED: Tone.WARN,
    TaskEffect.FAILED: Tone.BAD,
    TaskEffect.UNREACHABLE: Tone.BAD,
}
OUTCOMES = {
    Outcome.OK: Tone.GOOD,
    Outcome.CHANGED: Tone.GOOD,
    Outcome.FAILED: Tone.BAD,
    Outcome.UNREACHABLE: Tone.BAD,
    Outcome.TIMED_OUT: Tone.BAD,
    Outcome.CANCELLED: Tone.MUTED,
    Outcome.REFUSED: Tone.WARN,
    Outcome.UNKNOWN: Tone.BAD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One line of a list of changes."""

    id: str
    href: str
    title: str
    type: str
    state: Badge
    target: str
    requested_by: str
    requested_at: Moment
    incident: str | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """What policy said and why."""

    verdict: Badge
    reason: str
    text: str
    rule: str
    needs: str
    until: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView:
    """A person's word on a change."""

    by: str
    role: str
    at: Moment
    note: str
    in_place_of: str
    is_void: bool
    """It was given for something else than what would run now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLine:
    """A piece of output; `task` only where a new task begins."""

    number: int
    text: str
    task: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run with its recap and output."""

    id: str
    href: str
    change: str
    phase: str
    state: Badge
    summary: str
    took: Moment | None
    stats: tuple[HostStats, ...]
    output: tuple[OutputLine, ...]
    omitted: int
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """What check mode said of one task on one host."""

    host: str
    task: str
    module: str
    effect: Badge
    text: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """What check mode showed of a change."""

    state: Badge
    text: str
    at: Moment | None
    tasks: tuple[TaskView, ...]
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """The whole page of one change."""

    row: ChangeRow
    remediation: str
    remediation_title: str
    digest: str
    binding: str
    binding_start: str
    author: str
    rule_author: str
    can_check: str
    can_roll_back: str
    hosts: tuple[Host, ...]
    parameters: tuple[tuple[str, str], ...]
    trigger: str
    attempt: str
    decision: DecisionView | None
    approvals: tuple[ApprovalView, ...]
    preview: PreviewView | None
    runs: tuple[RunView, ...]
    timeline: tuple[TimelineLine, ...]
    due: Moment | None
    can_decide: bool
    can_cancel: bool


def change_row(change: Change, service_map: ServiceMap, now: datetime) -> ChangeRow:
    """One change as a line of a list."""
    return ChangeRow(
        id=change.id,
        href=f"/changes/{change.id}",
        title=change.title or change.remediation,
        type=word(change.type),
        state=change_badge(change),
        target=_target(change, service_map),
        requested_by=person(change.requested_by),
        requested_at=moment(change.requested_at, now),
        incident=change.incident,
        outcome=change.outcome_text,
    )


def change_badge(change: Change) -> Badge:
    """The state of a change, or how it ended once it has."""
    if change.state is ChangeState.CLOSED and change.closure:
        return Badge(text=word(change.closure), tone=CLOSURES[change.closure])
    return Badge(text=word(change.state), tone=STATES[change.state])


def waiting_first(changes: Iterable[Change]) -> list[Change]:
    """What waits for a person, then what is under way, then the rest; the newest first."""

    def rank(change: Change) -> int:
        if change.state in (ChangeState.AWAITING_APPROVAL, ChangeState.UNKNOWN):
            return 0
        return 1 if change.is_open else 2

    return sorted(changes, key=lambda one: (rank(one), -one.requested_at.timestamp(), one.id))


def change_page(
    change: Change,
    *,
    remediations: Mapping[str, Remediation],
    runs: Sequence[RunView],
    timeline: Sequence[TimelineItem],
    trigger_name: str,
    service_map: ServiceMap,
    now: datetime,
) -> ChangePage:
    """The page of one change; `trigger_name` is the kind of its trigger while that one fires."""
    remediation = remediations.get(change.remediation)
    return ChangePage(
        row=change_row(change, service_map, now),
        remediation=change.remediation,
        remediation_title=remediation.title if remediation else "",
        digest=change.digest,
        binding=change.binding,
        binding_start=digest_start(change.binding),
        author=person(remediation.author) if remediation else "",
        rule_author=person(change.rule_author),
        can_check=_yes_no(remediation.supports_check_mode if remediation else None),
        can_roll_back=_yes_no(remediation.has_rollback if remediation else None),
        hosts=change.hosts,
        parameters=tuple((name, str(value)) for name, value in sorted(change.parameters.items())),
        trigger=trigger_name or change.trigger or "",
        attempt=_attempt(change, remediation),
        decision=_decision(change.decision, now) if change.decision else None,
        approvals=tuple(_approval(one, change.binding, now) for one in change.approvals),
        preview=_preview(change.preview, now) if change.preview else None,
        runs=tuple(runs),
        timeline=story(timeline, now),
        due=moment(change.due_at, now) if change.due_at else None,
        can_decide=change.state is ChangeState.AWAITING_APPROVAL,
        can_cancel=change.is_open,
    )


def run_view(run: Run, lines: Sequence[RunLine], now: datetime) -> RunView:
    """One run; `lines` are the end of its output."""
    result = run.result
    started = run.launched_at or (result.started_at if result else None)
    ended = result.ended_at if result else None
    return RunView(
        id=run.id,
        href=f"/runs/{run.id}",
        change=run.change,
        phase=word(run.phase),
        state=_run_badge(run),
        summary=result.summary if result else "",
        took=lasting(started, ended, now) if started else None,
        stats=result.stats if result else (),
        output=_output(lines),
        omitted=lines[0].number - 1 if lines else 0,
        is_over=run.state in (RunState.FINISHED, RunState.UNKNOWN),
    )


def _run_badge(run: Run) -> Badge:
    if run.result:
        return Badge(text=word(run.result.outcome), tone=OUTCOMES[run.result.outcome])
    tone = Tone.BAD if run.state is RunState.UNKNOWN else Tone.BUSY
    return Badge(text=word(run.state), tone=tone)


def _output(lines: Sequence[RunLine]) -> tuple[OutputLine, ...]:
    shown: list[OutputLine] = []
    task: str | None = None
    for line in lines:
        begins = line.task if line.task and line.task != task else ""
        task = line.task or task
        shown.append(
            OutputLine(number=line.number, text=line.text, task=begins or "", host=line.host or "")
        )
    return tuple(shown)


def _target(change: Change, service_map: ServiceMap) -> str:
    label = entity_label(change.entity, service_map)
    hosts = [host.name for host in change.hosts if host.name != label]
    return f"{label} on {listing(hosts)}" if hosts else label


def _decision(decision: Decision, now: datetime) -> DecisionView:
    needs = ""
    if decision.verdict is Verdict.NEEDS_APPROVAL:
        roles = " or ".join(decision.roles) or "anybody who may approve"
        needs = f"{max(decision.approvals, 1)} × {roles}"
    return DecisionView(
        verdict=Badge(text=word(decision.verdict), tone=VERDICTS[decision.verdict]),
        reason=word(decision.reason),
        text=decision.text,
        rule=decision.rule or "",
        needs=needs,
        until=moment(decision.until, now) if decision.until else None,
    )


def _approval(approval: Approval, binding: str, now: datetime) -> ApprovalView:
    return ApprovalView(
        by=person(approval.by),
        role=approval.role,
        at=clock_time(approval.at, now),
        note=approval.note,
        in_place_of=person(approval.on_behalf_of),
        is_void=approval.binding != binding,
    )


def _preview(preview: Preview, now: datetime) -> PreviewView:
    counts = (
        (preview.unchanged, "found nothing to do"),
        (preview.skipped, "left out by a condition"),
        (preview.omitted, "not shown: too many"),
    )
    return PreviewView(
        state=Badge(text=word(preview.state), tone=PREVIEWS[preview.state]),
        text=preview.text,
        at=moment(preview.at, now) if preview.at else None,
        tasks=tuple(
            TaskView(
                host=task.host,
                task=task.task,
                module=task.module,
                effect=Badge(text=word(task.effect), tone=EFFECTS[task.effect]),
                text=task.text,
                diff=task.diff,
            )
            for task in preview.tasks
        ),
        rest=", ".join(f"{count} {words}" for count, words in counts if count),
    )


def _attempt(change: Change, remediation: Remediation | None) -> str:
    if remediation is None:
        return f"{change.attempt}"
    return f"{change.attempt} of {remediation.attempts_max}"


def _yes_no(value: bool | None) -> str:
    if value is None:
        return "unknown"
    return "yes" if value else "no"
