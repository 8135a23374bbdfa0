"""What tools say of changes of others: taken in once, placed on the map, kept for a while."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.draft import Draft
from agent.core.state import State
from agent.model.entry import ChangeReported
from agent.model.reason import Reason
from agent.model.reported import ChangeReport, ReportedChange

REPORTED_MAX = 1000
"""So many are remembered; the history keeps them all."""
REPORTED_KEPT = timedelta(days=7)


def take_report(state: State, draft: Draft, said: ChangeReported) -> None:
    """Take in one statement; one that says nothing new changes nothing."""
    report = said.report
    identifier = state.derived.reported.known(said.source, report.key)
    if identifier is None:
        change = _first(state, draft, said)
        state.reported_count += 1
    else:
        known = state.reported[identifier]
        change = _more(known, report, draft.at)
        if change == known:
            return
    draft.set_reported(state, change)
    draft.created = change.id
    draft.reported[change.id] = None
    state.derived.reported.add(change)
    where = f" ({change.environment})" if change.environment else ""
    text = f"{change.id}: {change.summary}{where}: {change.progress}"
    for subject in (change.id, *change.entities):
        draft.note(subject, Reason.CHANGE_REPORTED, text, actor=change.actor or change.source)
    _forget(state, draft)


def is_news(state: State, source: str, report: ChangeReport) -> bool:
    """Whether the statement says anything that is not known; a repeat need not be kept."""
    identifier = state.derived.reported.known(source, report.key)
    if identifier is None:
        return True
    known = state.reported[identifier]
    return _more(known, report, max(report.at, known.heard_at)) != known


def _first(state: State, draft: Draft, said: ChangeReported) -> ReportedChange:
    report = said.report
    place = state.derived.places.find(report.labels) if report.labels else None
    # Its own name is surer than what its labels look like.
    entities = state.derived.reported.named(report) or ((place,) if place else ())
    # Nobody's clock makes a change of the future.
    at = min(report.at, draft.at)
    return ReportedChange(
        id=f"REP-{state.reported_count + 1}",
        source=said.source,
        key=report.key,
        summary=report.summary,
        progress=report.progress,
        started_at=at,
        ended_at=at if report.progress.is_over else None,
        heard_at=draft.at,
        entities=entities,
        environment=report.environment,
        version=report.version,
        actor=report.actor,
        url=report.url,
        labels=report.labels,
    )


def _more(known: ReportedChange, report: ChangeReport, now: datetime) -> ReportedChange:
    """What both statements say together: statements come twice and out of order."""
    is_newer = known.ended_at is None or report.progress.is_over
    over = min(report.at, now) if report.progress.is_over else None
    return replace(
        known,
        progress=report.progress if is_newer else known.progress,
        started_at=min(known.started_at, report.at),
        ended_at=max(filter(None, (known.ended_at, over)), default=None),
        version=known.version or report.version,
        url=report.url or known.url,
    )


def _forget(state: State, draft: Draft) -> None:
    """Drop the oldest beyond the bounds."""
    for identifier, change in list(state.reported.items()):
        is_old = change.heard_at + REPORTED_KEPT < draft.at
        if not is_old and len(state.reported) <= REPORTED_MAX:
            return
        del state.reported[identifier]
        state.derived.reported.drop(change)
