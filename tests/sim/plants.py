"""Faults to plant: each makes one part of the core wrong in a way that people make mistakes.

A fault is put in by replacing one function of one module for the length of a test.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import ModuleType

from agent.core import alerts, suppress, sync
from agent.core.autonomy import gate, modes, promotion
from agent.core.autonomy.memory import Attempts
from agent.core.changes import asked, course, duties, life, verify, voices
from agent.core.changes.course import prepare
from agent.core.draft import Draft
from agent.core.policy import approvals, attempts, calendar, conflicts, limits, standard
from agent.core.state import ActiveAlert, State, TicketSync
from agent.model.alert import Alert
from agent.model.autonomy import Mode
from agent.model.change import Change, ChangeState, Run
from agent.model.change_entries import ApprovalGiven
from agent.model.entry import ProbeAnswered
from agent.model.incident import Incident
from agent.model.labels import Labels
from agent.model.policy import Decision, PolicyRule
from agent.model.reason import Reason
from agent.model.remediation import Phase, Remediation
from agent.model.rule import RemediationRule
from agent.model.standard import StandardChange
from agent.model.ticket import Ticket, TicketComment


@dataclass(frozen=True, slots=True)
class Plant:
    """One fault: where it goes, what it is, and which promises must notice."""

    name: str
    modules: tuple[ModuleType, ...]
    function: str
    wrong: Callable[..., object]
    noticed_by: tuple[str, ...]


def _old_end_closes_new_firing(state: State, draft: Draft, alert: Alert, source: str) -> None:
    active = state.alerts.get(alert.fingerprint)
    if active is not None and alert.ends_at is not None:
        alert = replace(alert, starts_at=active.alert.starts_at)
    _take(state, draft, alert, source)


def _repeat_starts_anew(state: State, draft: Draft, alert: Alert, source: str) -> None:
    active = state.alerts.get(alert.fingerprint)
    if active is not None and active.alert.starts_at == alert.starts_at and not alert.ends_at:
        alert = replace(alert, starts_at=draft.at)
    _take(state, draft, alert, source)


def _success_is_not_counted(state: State, draft: Draft, change: Change, *rest: object) -> None:
    key = attempts.target_key(change)
    before = replace(state.attempts[key]) if key in state.attempts else Attempts()
    _close(state, draft, change, *rest)
    if key in state.attempts:
        state.attempts[key].failed = max(before.failed, state.attempts[key].failed)


def _lost_run_is_tried_again(
    state: State, draft: Draft, change: Change, run: Run, problem: str
) -> None:
    prepare(state, draft, change, Phase.REMEDIATE)


def _any_binding_will_do(state: State, draft: Draft, said: ApprovalGiven) -> None:
    change = state.changes.get(said.change)
    _approve(state, draft, replace(said, binding=change.binding) if change else said)


def _own_approval_counts(state: State, change: Change) -> dict[str, str]:
    return {}


def _nobody_answers(state: State, draft: Draft, change: Change) -> Change:
    return change


def _moves_without_a_word(state: State, draft: Draft, change: Change) -> Change:
    passed = change.passed[:-1]
    state.changes[change.id] = replace(change, passed=passed)
    return state.changes[change.id]


def _freeze_is_ignored_at_start(state: State, change: Change, at: datetime) -> Decision | None:
    decision = _by_time(state, change, at)
    is_frozen = decision is not None and decision.reason is Reason.FROZEN
    return None if is_frozen and change.state is ChangeState.STARTING else decision


def _window_may_be_too_short(state: State, change: Change, at: datetime) -> Decision | None:
    decision = _by_time(state, change, at)
    too_short = decision is not None and decision.reason is Reason.WINDOW_TOO_SHORT
    return None if too_short else decision


def _rollback_takes_no_time(remediation: Remediation) -> timedelta:
    return remediation.timeout


def _ticket_under_a_new_key(
    state: State, incident: Incident, known: TicketSync, comments: tuple[TicketComment, ...]
) -> Ticket:
    ticket = _ticket(state, incident, known, comments)
    return replace(ticket, key=f"{incident.id}/{state.last_number}")


def _old_samples_count(state: State, draft: Draft, said: ProbeAnswered) -> None:
    _answered(state, draft, replace(said, measured_at=draft.at))


def _freed_alert_is_forgotten(state: State, draft: Draft) -> None:
    _mute_more(state, draft)
    for name, active in state.alerts.items():
        if name in state.suppressed and not _suppressors_now(state, active, draft.at):
            active.suppressed_by = ()
            del state.suppressed[name]


def _silence_holds_at_its_end(
    state: State, labels: Labels, entity: str | None, at: datetime
) -> tuple[str, ...]:
    found = _suppressors(state, labels, entity, at)
    ending = [
        f"silence:{silence.id}"
        for silence in state.silences.values()
        if silence.ends_at == at and state.derived.silenced_by(silence)(labels)
    ]
    return (*found, *ending)


def _goes_on(*_: object) -> None:
    return None


def _policy_alone_decides(state: State, change: Change, ruling: PolicyRule) -> PolicyRule:
    return ruling


def _every_rule_acts(state: State, rule: RemediationRule) -> Mode:
    return Mode.AUTO


def _finds_nothing(*_: object) -> None:
    return None


def _always_stands(state: State, template: StandardChange, at: datetime) -> None:
    return None


def _allows(state: State, change: Change, at: datetime) -> None:
    return None


def _suppressors_now(state: State, active: ActiveAlert, at: datetime) -> tuple[str, ...]:
    return suppress.suppressors(state, active.alert.labels, active.entity, at)


_take, _close, _approve = alerts.take, course.close, asked.approve
_by_time, _ticket = calendar.by_time, sync._ticket
_answered, _mute_more, _suppressors = verify.answered, suppress.mute_more, suppress.suppressors


def _plant(
    where: ModuleType | tuple[ModuleType, ...],
    function: str,
    wrong: Callable[..., object],
    *by: str,
) -> Plant:
    modules = where if isinstance(where, tuple) else (where,)
    return Plant(f"{function} {wrong.__name__}".replace("_", " "), modules, function, wrong, by)


PLANTS = (
    _plant(alerts, "take", _old_end_closes_new_firing, "AlertsAgree"),
    _plant(alerts, "take", _repeat_starts_anew, "AlertsAgree"),
    _plant(verify, "close", _success_is_not_counted, "AttemptsAreLimited"),
    _plant(attempts, "_tried_enough", _goes_on, "AttemptsAreLimited"),
    _plant(attempts, "_target_is_tired", _allows, "TargetsAreSpared"),
    _plant(modes, "mode_of", modes.standing_mode, "StopsHold"),
    _plant(promotion, "after_bad", _goes_on, "ModesHold"),
    _plant(gate, "with_people", _policy_alone_decides, "ModesHold"),
    _plant(modes, "mode_of", _every_rule_acts, "ModesHold"),
    _plant(limits, "concurrency", _allows, "OneRunATarget", "FleetIsSpared", "NothingRunsInTheWay"),
    _plant(limits, "redundancy", _allows, "GroupsStayUp"),
    _plant(conflicts, "in_the_way", _finds_nothing, "NothingRunsInTheWay"),
    _plant(standard, "standing_of", _always_stands, "TemplatesHold"),
    _plant(life, "_lost", _lost_run_is_tried_again, "StartedOnce", "MovesAreLegal"),
    _plant(asked, "approve", _any_binding_will_do, "RunsAreAuthorised"),
    _plant(
        (approvals, voices), "own_of", _own_approval_counts, "RunsAreAuthorised", "FourEyesLook"
    ),
    _plant(duties, "open_retro", _nobody_answers, "EmergenciesAreAnsweredFor"),
    _plant(life, "rebound", _moves_without_a_word, "MovesAreLegal"),
    _plant(calendar, "by_time", _freeze_is_ignored_at_start, "RunsKeepToTheirTime"),
    _plant(calendar, "by_time", _window_may_be_too_short, "RunsKeepToTheirTime"),
    _plant(calendar, "takes", _rollback_takes_no_time, "RunsKeepToTheirTime"),
    _plant(sync, "_ticket", _ticket_under_a_new_key, "OneTicketAnIncident"),
    _plant(verify, "answered", _old_samples_count, "VerifiedByFreshData"),
    _plant(suppress, "mute_more", _freed_alert_is_forgotten, "EveryAlertHasItsPlace"),
    _plant(suppress, "suppressors", _silence_holds_at_its_end, "SilencesHold"),
)
