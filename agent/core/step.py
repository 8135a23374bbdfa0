"""The one decision function: what follows from an entry, given everything remembered.

Pure: the state and the entry are all that counts, `entry.at` is the only clock. The stages stand
below in the order in which they work; each sees what the earlier ones did.
"""

from agent.core import (
    alerts,
    corrections,
    flapping,
    health,
    life,
    people,
    route,
    suppress,
    sync,
    until_clear,
)
from agent.core.autonomy import cases, halts, promotion
from agent.core.causes import look, ranking, reports, suspects
from agent.core.changes import (
    asked,
    decide,
    delegations,
    duties,
    preview,
    propose,
    take_up,
    templates,
    verify,
)
from agent.core.changes import life as changes
from agent.core.draft import Draft
from agent.core.drift import observe
from agent.core.policy import budget
from agent.core.problems import known_error, recurrence
from agent.core.problems import life as problems
from agent.core.state import State, Timer
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalWithdrawn,
    ChangeReconciled,
    ChangeReviewed,
    DelegationGiven,
    DelegationWithdrawn,
    RetroDecided,
)
from agent.model.entry import (
    AgentStarted,
    AlertsDeclaredUnrelated,
    AlertsMoved,
    AlertsReceived,
    CalendarsExpanded,
    CauseConfirmed,
    ChangeCancelled,
    ChangeReported,
    ChangeRequested,
    ConfigLoaded,
    Entry,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
    IncidentsMerged,
    LeasesRenewed,
    NotificationRefused,
    NotificationSent,
    ProbeAnswered,
    RunFinished,
    RunLost,
    RunPrepared,
    RunStarted,
    SignalsMeasured,
    SilenceAdded,
    SilenceExpired,
    TicketChanged,
    TicketRefused,
    TicketWritten,
    TimeElapsed,
    What,
)
from agent.model.incident import EVERYTHING, StateInterval
from agent.model.policy_entries import StandardReinstated
from agent.model.preview_entries import RunPreviewed
from agent.model.problem_entries import (
    FixPlanned,
    KnownErrorRecorded,
    ProblemMoved,
    SuspectConfirmed,
    SuspectDismissed,
)
from agent.model.service import Health
from agent.model.transition import Transition

STAGES = (
    ranking.name_causes,
    life.live,
    suspects.follow,
    known_error.attach,
    health.follow,
    recurrence.recur,
    changes.withdraw,
    cases.follow,
    propose.withdraw,
    decide.decide,
    changes.go_on,
    look.follow,
    sync.sync,
    route.route,
)
"""What happens after every entry, from top to bottom, for everything that has news."""


def step(state: State, entry: Entry) -> Transition:
    """Change the state as the entry demands and say what to do about it."""
    assert entry.number == state.last_number + 1, "entries are applied in order, each once"
    assert state.last_at is None or entry.at >= state.last_at, "time does not run backwards"
    state.last_number, state.last_at = entry.number, entry.at
    draft = Draft(entry.number, entry.at)
    _apply(state, draft, entry.what)
    for stage in STAGES:
        stage(state, draft)
    return draft.finish()


def _apply(state: State, draft: Draft, what: What) -> None:
    match what:
        case AlertsReceived():
            alerts.receive(state, draft, what)
        case LeasesRenewed():
            alerts.renew_all(state, draft, what)
        case TimeElapsed():
            _wake(state, draft)
        case RunPrepared():
            changes.prepared(state, draft, what)
        case RunPreviewed():
            preview.shown(state, draft, what)
        case RunStarted():
            changes.started(state, draft, what)
        case RunFinished():
            changes.finished(state, draft, what)
        case RunLost():
            changes.lost(state, draft, what)
        case ProbeAnswered():
            verify.answered(state, draft, what)
        case SignalsMeasured():
            look.heard(state, draft, what)
        case TicketWritten():
            sync.written(state, draft, what)
        case TicketRefused():
            sync.refused(state, draft, what)
        case TicketChanged():
            people.ticket_changed(state, draft, what)
        case NotificationSent():
            route.sent(state, draft, what)
        case NotificationRefused():
            route.refused(state, draft, what)
        case SilenceAdded() | SilenceExpired():
            _silence(state, draft, what)
        case ConfigLoaded():
            state.adopt(what.config)
            observe.map_changed(state)
            promotion.adopt(state, draft)
            alerts.replace_all(state, draft)
            alerts.await_heartbeats(state, draft)
            budget.keep(state, draft.at)
            changes.reassess_waiting(state, draft)
        case CalendarsExpanded():
            state.calendars = {calendar.name: calendar for calendar in what.calendars}
            _cross_border(state, draft)
        case AgentStarted():
            _take_up_watch(state, draft, what)
        case ChangeReported():
            reports.take_report(state, draft, what)
        case _:
            _hear(state, draft, what)


def _hear(state: State, draft: Draft, what: What) -> None:
    """What people say."""
    match what:
        case IncidentAcknowledged():
            people.acknowledge(state, draft, what)
        case IncidentAssigned():
            people.assign(state, draft, what)
        case IncidentCommented():
            people.comment(state, draft, what)
        case IncidentsMerged() | AlertsMoved() | AlertsDeclaredUnrelated():
            corrections.correct(state, draft, what)
        case IncidentResolved():
            people.resolve(state, draft, what)
        case CauseConfirmed():
            people.confirm_cause(state, draft, what)
        case SuspectConfirmed() | SuspectDismissed():
            suspects.judge(state, draft, what)
        case ProblemMoved() | KnownErrorRecorded() | FixPlanned():
            problems.hear(state, draft, what)
        case ChangeRequested():
            asked.request(state, draft, what)
        case ApprovalGiven():
            asked.approve(state, draft, what)
        case ApprovalRejected():
            asked.reject(state, draft, what)
        case ApprovalWithdrawn():
            asked.withdraw_approval(state, draft, what)
        case DelegationGiven():
            delegations.give(state, draft, what)
        case DelegationWithdrawn():
            delegations.withdraw(state, draft, what)
        case RetroDecided():
            duties.decide_retro(state, draft, what)
        case ChangeReviewed():
            duties.review(state, draft, what)
        case ChangeReconciled():
            asked.reconcile(state, draft, what)
        case ChangeCancelled():
            asked.cancel(state, draft, what)
        case StandardReinstated():
            templates.reinstate(state, draft, what)
        case ProposalTaken():
            take_up.take_up(state, draft, what)
        case _:
            _hear_about_rules(state, draft, what)


def _hear_about_rules(state: State, draft: Draft, what: What) -> None:
    """What people say about how far rules may go."""
    match what:
        case ModePromoted():
            promotion.promote(state, draft, what)
        case ModeDemoted():
            promotion.demote(state, draft, what)
        case AutonomyStopped():
            halts.stop(state, draft, what)
            if what.cancel:
                changes.cancel_all_of_rules(state, draft, what.by, what.note)
        case AutonomyResumed():
            halts.resume(state, draft, what)
        case BreakerReset():
            halts.reset(state, draft, what)


def _wake(state: State, draft: Draft) -> None:
    """Hear every timer whose moment has come, earliest first."""
    while (timer := state.pop_due(draft.at)) is not None:
        due, kind, key = timer
        match kind:
            case Timer.LEASE:
                alerts.expire(state, draft, key)
            case Timer.FORGET:
                alerts.forget(state, draft, key)
            case Timer.FLAP:
                flapping.look(state, draft, key)
            case Timer.HEARTBEAT:
                alerts.miss(state, draft, key)
            case Timer.SUPPRESSION:
                suppress.expire_silences(state, draft)
                _cross_border(state, draft)
            case Timer.QUIET:
                life.close_when_quiet(state, draft, key)
            case Timer.COUNT:
                life.count(state, draft, key)
            case Timer.RESPONSE | Timer.RESTORATION:
                life.check_clock(state, draft, kind, key, due)
            case Timer.UNTIL_CLEAR:
                until_clear.run_out(state, draft, key, due)
            case Timer.DECIDE:
                decide.ask_settled(state, draft, key)
            case Timer.RETRY:
                decide.retry(state, draft, key)
            case Timer.THROTTLE:
                decide.end_window(state, draft, key)
            case Timer.CASE:
                cases.look(state, draft, key)
            case Timer.CHANGE:
                changes.reassess(state, draft, key)
            case Timer.DUTY:
                duties.look(state, draft, key)
            case Timer.VERIFY:
                verify.look(state, draft, key)
            case Timer.TICKET:
                sync.try_again(state, draft, key)
            case Timer.LOOK:
                look.look(state, draft, key)
            case Timer.RANK:
                ranking.look_again(state, draft, key)
            case Timer.GROUP:
                route.flush(state, draft, key)
            case Timer.RECURRENCE:
                recurrence.forget(state, draft, key)
            case Timer.PROBLEM:
                problems.look(state, draft, key)


def _cross_border(state: State, draft: Draft) -> None:
    """A calendar's window began or ended, or the windows are others now."""
    suppress.await_border(state, draft)
    suppress.mute_more(state, draft)
    alerts.release(state, draft)
    health.excuse_anew(state, draft)
    changes.reassess_waiting(state, draft)


def _silence(state: State, draft: Draft, what: SilenceAdded | SilenceExpired) -> None:
    if isinstance(what, SilenceAdded):
        suppress.add_silence(state, what.silence)
    else:
        suppress.end_silence(state, draft, what.id)
    suppress.mute_more(state, draft)
    alerts.release(state, draft)


def _take_up_watch(state: State, draft: Draft, what: AgentStarted) -> None:
    """Say since when nobody watched: those moments are unknown, not up."""
    if state.watching_since is None:
        state.watching_since = draft.at
        state.installation = f"{int(draft.at.timestamp() * 1_000_000):x}"
    alerts.extend_leases(state, draft)
    if what.last_alive is not None and what.last_alive < draft.at:
        budget.note_blind(state, what.last_alive, draft.at)
        draft.record(
            StateInterval(
                entity=EVERYTHING,
                start=what.last_alive,
                end=draft.at,
                health=Health.UNKNOWN,
            )
        )
