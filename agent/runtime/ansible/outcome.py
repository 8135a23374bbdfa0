"""How a run ended, judged from its exit and Ansible's recap.

Not here: whether it helped (verification reads the signal).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from agent.model.preview import Preview, PreviewState
from agent.model.remediation import HostStats, Outcome, RunResult, RunSpec
from agent.runtime.ansible.check_mode import Gathering
from agent.runtime.ansible.wire import Cause, Ended

_CUT_SHORT = {Cause.TIMED_OUT: Outcome.TIMED_OUT, Cause.CANCELLED: Outcome.CANCELLED}


def judge(
    ended: Ended,
    hosts: Sequence[str],
    *,
    started_at: datetime,
    ended_at: datetime,
    left: Sequence[str] = (),
) -> RunResult:
    """The result of a run on exactly `hosts`; success only when each of them was played.

    `left`: hosts on which something that it began may live on.
    """
    outcome, summary = _judge(ended, hosts)
    if left:
        outcome = Outcome.UNKNOWN
        summary += lives_on(left)
    seconds = (ended_at - started_at).total_seconds()
    if ended.survivors:
        outcome = Outcome.UNKNOWN
        summary += "; processes of the run could not be ended"
    return RunResult(
        outcome=outcome,
        summary=f"{summary} ({seconds:.1f} s)",
        stats=ended.stats,
        evidence=ended.evidence,
        started_at=started_at,
        ended_at=ended_at,
    )


def lives_on(left: Sequence[str]) -> str:
    """What to add to a summary where something may live on elsewhere."""
    return f"; what was begun on {', '.join(left)} may still run there" if left else ""


def preview_of(
    ended: Ended | None, seen: Gathering, *, spec: RunSpec, digest: str, at: datetime
) -> Preview:
    """What was seen, and whether it is all that there is to see."""
    if ended is None:
        return replace(incomplete("ended before its time", at), tasks=tuple(seen.tasks))
    outcome, summary = _judge(ended, [host.name for host in spec.hosts])
    told = seen.in_words()
    return Preview(
        state=PreviewState.COMPLETE if outcome.is_success else PreviewState.INCOMPLETE,
        text=told if outcome.is_success else f"{summary}; until then {told}",
        at=at,
        digest=digest,
        tasks=tuple(seen.tasks),
        unchanged=seen.unchanged,
        skipped=seen.skipped,
        omitted=seen.omitted,
    )


def incomplete(why: str, at: datetime) -> Preview:
    """A preview that shows nothing but why."""
    return Preview(state=PreviewState.INCOMPLETE, text=why, at=at)


def _judge(ended: Ended, hosts: Sequence[str]) -> tuple[Outcome, str]:
    stats, status = ended.stats, ended.status
    strangers = sorted({entry.host for entry in stats} - set(hosts))
    missing = sorted(set(hosts) - {entry.host for entry in stats})
    unreachable = [entry.host for entry in stats if entry.unreachable]
    failed = [entry.host for entry in stats if entry.failed]
    if ended.cause in _CUT_SHORT:
        return _CUT_SHORT[ended.cause], f"ended by us: {ended.cause.value.replace('_', ' ')}"
    if status is None or status < 0:
        return Outcome.UNKNOWN, f"ansible-playbook was killed by signal {-(status or 0)}"
    # By the recap, not by the exit status: a playbook that cannot be read gives the same one.
    if unreachable:
        return Outcome.UNREACHABLE, f"unreachable: {_listed(unreachable)}"
    if failed:
        return Outcome.FAILED, f"failed on {_listed(failed)}"
    if status != 0:
        return Outcome.FAILED, f"ansible-playbook could not play it: exit status {status}"
    if strangers:
        return Outcome.FAILED, f"played on hosts that were not approved: {_listed(strangers)}"
    if missing:
        return Outcome.FAILED, f"nothing was played on {_listed(missing)}"
    return _success(stats)


def _success(stats: Iterable[HostStats]) -> tuple[Outcome, str]:
    changed = [entry.host for entry in stats if entry.changed]
    if changed:
        return Outcome.CHANGED, f"changed {_listed(changed)}"
    return Outcome.OK, "nothing had to be changed"


def _listed(hosts: Sequence[str]) -> str:
    shown = ", ".join(hosts[:5])
    return shown if len(hosts) <= 5 else f"{shown} and {len(hosts) - 5} more"
