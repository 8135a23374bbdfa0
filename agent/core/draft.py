"""The transition in the making: stages add to it, `step` hands it out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from agent.core.state import State
from agent.model.alert import AlertRecord, Severity
from agent.model.change import PASSED_MAX, Change, Passed, Run
from agent.model.effect import Effect
from agent.model.incident import Incident, IncidentEntity, StateInterval, TimelineItem
from agent.model.problem import Problem
from agent.model.reason import Reason
from agent.model.reported import ReportedChange
from agent.model.service import EntityRef
from agent.model.transition import Refusal, Transition

ALERTS_NAMED_MAX = 50
"""A line of the timeline names at most this many alerts; the alerts themselves are all kept."""


NEWS = frozenset(
    {
        Reason.PRIORITY_CHANGED,
        Reason.INCIDENT_REOPENED,
        Reason.APPROVAL_NEEDED,
        Reason.HANDED_OVER,
        Reason.VERIFICATION_FAILED,
        Reason.MODE_DEMOTED,
        Reason.PROPOSED,
        Reason.RUN_LOST,
        Reason.TOLD_AGAIN,
        Reason.CLEAR,
        Reason.RETRO_DUE,
        Reason.RETRO_OVERDUE,
    }
)
"""Reasons that make an incident worth telling again."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When something broke, suffered, or was over somewhere, as far as one step tells."""

    broke: datetime | None = None
    """The earliest beginning of an alert that means down."""
    suffered: datetime | None = None
    """The earliest beginning of any alert."""
    ended: datetime | None = None
    """The latest end."""
    mended: datetime | None = None
    """The latest end of an alert that means down."""

    def and_also(self, other: "Moments") -> "Moments":
        """Both together."""
        return Moments(
            _chosen(min, self.broke, other.broke),
            _chosen(min, self.suffered, other.suffered),
            _chosen(max, self.ended, other.ended),
            _chosen(max, self.mended, other.mended),
        )


def _chosen(
    choose: Callable[[datetime, datetime], datetime], one: datetime | None, other: datetime | None
) -> datetime | None:
    return one if other is None else other if one is None else choose(one, other)


class Draft:
    """What follows from one entry, as far as it is known."""

    __slots__ = (
        "_items",
        "_news",
        "_records",
        "at",
        "cause_changed",
        "closed",
        "created",
        "effects",
        "ended",
        "entities_touched",
        "freed",
        "is_released",
        "joined",
        "newcomers",
        "number",
        "overdue",
        "ranked",
        "refusal",
        "reported",
        "rescored",
        "touched",
    )

    def __init__(self, number: int, at: datetime) -> None:
        self.number = number
        self.at = at
        self.effects: list[Effect] = []
        self._items: list[AlertRecord | IncidentEntity | TimelineItem | StateInterval] = []
        self._records: dict[str, Incident | Change | Run | Problem | ReportedChange] = {}
        self.touched: dict[str, None] = {}
        """Incidents with news in this step."""
        self.rescored: dict[str, dict[EntityRef, None]] = {}
        """Incidents in which another entity began to alert, with the candidates it bears on."""
        self.ranked: dict[str, None] = {}
        """Incidents of which the causes were looked at in this step."""
        self.entities_touched: dict[EntityRef, Moments] = {}
        """Entities where alerts began or ended, with the moments that the alerts claim."""
        self.cause_changed: dict[str, None] = {}
        self.closed: dict[str, str] = {}
        """Incidents that were closed in this step, with what they have in common with others."""
        self.joined: dict[str, list[str]] = {}
        """Incident to the fingerprints of the alerts that joined it in this step."""
        self.newcomers: dict[str, list[str]] = {}
        """Those of them that are of a kind, or at a place, that their incident did not have."""
        self.freed: dict[str, None] = {}
        """Alerts of live incidents that nothing mutes any more."""
        self.ended: dict[str, None] = {}
        """Alerts that ended in this step."""
        self.overdue: dict[str, None] = {}
        """Incidents of which a clock has run out in this step."""
        self.reported: dict[str, None] = {}
        """Changes of others of which something new was heard in this step."""
        self.is_released = False
        """Whether a change ended in this step, so that others may go on."""
        self._news: dict[str, None] = {}
        self.refusal: Refusal | None = None
        self.created: str | None = None

    def began(self, entity: EntityRef, severity: Severity, at: datetime) -> None:
        """An alert began to fire at an entity."""
        self.touch(entity, Moments(at if severity is Severity.CRITICAL else None, at))

    def touch(self, entity: EntityRef, moments: Moments = Moments()) -> None:
        """An alert began or ended at an entity, or something else bears on its health."""
        before = self.entities_touched.get(entity)
        self.entities_touched[entity] = before.and_also(moments) if before else moments

    def ask(self, state: State, effect: Callable[[str], Effect]) -> str:
        """Ask for something to be done; answers with the id that its outcome will name."""
        identifier = f"{self.number}.{len(self.effects)}"
        made = effect(identifier)
        self.effects.append(made)
        state.outbox.add(made)
        return identifier

    def note(
        self,
        subject: str,
        reason: Reason,
        text: str,
        *,
        actor: str = "watchkeeper",
        alerts: tuple[str, ...] = (),
    ) -> None:
        """Add a line to the story of a record."""
        if reason in NEWS:
            self._news[subject] = None
        self._items.append(
            TimelineItem(
                at=self.at,
                subject=subject,
                reason=reason,
                text=text,
                actor=actor,
                alerts=alerts[:ALERTS_NAMED_MAX],
            )
        )

    def has_news(self, subject: str) -> bool:
        """Whether something happened to it in this step that people want to hear."""
        return subject in self._news

    def record(self, item: AlertRecord | StateInterval) -> None:
        """Add a row of the history."""
        self._items.append(item)

    def set_incident(self, state: State, incident: Incident, /, **changes: object) -> Incident:
        """Put the changed incident in place of the old one."""
        changed = replace(incident, **changes) if changes else incident  # type: ignore[arg-type]
        state.incidents[changed.id] = changed
        self._records[changed.id] = changed
        self.touched[changed.id] = None
        if changed.entities != incident.entities or changed.services != incident.services:
            self._name(incident, changed)
        return changed

    def _name(self, before: Incident, after: Incident) -> None:
        known = {*before.entities, *before.services}
        for entity in dict.fromkeys((*after.entities, *after.services)):
            if entity not in known:
                self._items.append(IncidentEntity(incident=after.id, entity=entity))

    def set_change(self, state: State, change: Change, /, **changes: object) -> Change:
        """Put the changed change in place of the old one and write down the state it came into."""
        before = state.changes.get(change.id)
        changed = replace(change, **changes) if changes else change  # type: ignore[arg-type]
        if before is not None and _plan(before) != _plan(changed):
            changed = replace(changed, plans=before.plans + 1, planned_at=self.at)
        passed = before.passed if before else ()
        if before is None or before.state is not changed.state:
            passed = (*passed, Passed(state=changed.state, at=self.at))
        if len(passed) > PASSED_MAX:
            passed = (*passed[: PASSED_MAX // 2], *passed[-PASSED_MAX // 2 :])
        changed = replace(changed, passed=passed)
        state.changes[changed.id] = changed
        self._records[changed.id] = changed
        return changed

    def set_run(self, state: State, run: Run, /, **changes: object) -> Run:
        """Put the changed run in place of the old one."""
        changed = replace(run, **changes) if changes else run  # type: ignore[arg-type]
        state.runs[changed.id] = changed
        self._records[changed.id] = changed
        return changed

    def set_problem(self, state: State, problem: Problem, /, **changes: object) -> Problem:
        """Put the changed problem in place of the old one."""
        changed = replace(problem, **changes) if changes else problem  # type: ignore[arg-type]
        state.problems[changed.id] = changed
        self._records[changed.id] = changed
        return changed

    def set_reported(self, state: State, change: ReportedChange) -> None:
        """Put what is known of a change of others in place of what was."""
        state.reported[change.id] = change
        self._records[change.id] = change

    def refuse(self, reason: Reason, text: str) -> None:
        """Say why what was asked for is not done."""
        self.refusal = Refusal(reason=reason, text=text)

    def finish(self) -> Transition:
        """The transition as it stands."""
        return Transition(
            effects=tuple(self.effects),
            records=(*self._items, *self._records.values()),
            refusal=self.refusal,
            created=self.created,
        )


def _plan(change: Change) -> tuple[object, ...]:
    """What a calendar shows of a change."""
    return change.state, change.window, change.scheduled_for
