"""What people do in a scenario beside approving: as the entries that it leads to."""

from datetime import datetime, timedelta

from agent.config.load import Loaded
from agent.core.state import State
from agent.model.autonomy_entries import ProposalTaken
from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.change import ChangeType
from agent.model.entry import CalendarsExpanded, ChangeCancelled, ChangeRequested, What
from agent.model.interval import Interval
from agent.sim.scenario_schema import Freezes, Happens, PersonDecides, Requests, TakesUp

FREEZE_NAME = "a freeze of the scenario"


def said_by_people(state: State, loaded: Loaded, happens: Happens, at: datetime) -> list[What]:
    """What the line of the timeline has people say; nothing where it is about nobody."""
    found: list[What | None] = [
        _request(happens.request) if happens.request else None,
        _take_up(state, happens.take_up) if happens.take_up else None,
        _cancel(state, happens.cancel) if happens.cancel else None,
        _freeze(loaded, happens.freeze, at) if happens.freeze else None,
    ]
    return [what for what in found if what is not None]


def _request(wanted: Requests) -> ChangeRequested:
    return ChangeRequested(
        remediation=wanted.remediation,
        entity=wanted.entity,
        parameters=wanted.parameters,
        by=wanted.by,
        type=ChangeType(wanted.type) if wanted.type else None,
    )


def _take_up(state: State, wanted: TakesUp) -> ProposalTaken | None:
    for incident in state.incidents.values():
        for proposal in incident.proposals:
            if proposal.rule == wanted.rule and proposal.taken_by is None:
                return ProposalTaken(incident=incident.id, case=proposal.case, by=wanted.by)
    return None


def _cancel(state: State, wanted: PersonDecides) -> ChangeCancelled | None:
    for change in state.changes.values():
        if change.is_open and change.remediation == wanted.remediation:
            return ChangeCancelled(change=change.id, by=wanted.by)
    return None


def _freeze(loaded: Loaded, wanted: Freezes, at: datetime) -> CalendarsExpanded:
    around = Interval(at - timedelta(days=7), at + timedelta(days=60))
    window = CalendarWindow(
        interval=Interval(at, at + wanted.lasts),
        summary=FREEZE_NAME,
        purposes=(CalendarPurpose.FREEZE,),
        entities=tuple(wanted.entities),
    )
    freeze = Calendar(name=FREEZE_NAME, permits=(), windows=(window,), horizon=around)
    return CalendarsExpanded(calendars=(*loaded.calendars, freeze))
