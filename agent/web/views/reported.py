"""Changes that others made, as a list and as suspects of an incident."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.model.reported import Progress, ReportedChange, Suspect
from agent.model.service import ServiceMap
from agent.web.views.words import (
    Badge,
    Link,
    Moment,
    Tone,
    entity_label,
    external,
    listing,
    moment,
    person,
    word,
)

PROGRESS = {
    Progress.STARTED: Tone.BUSY,
    Progress.SUCCEEDED: Tone.GOOD,
    Progress.FAILED: Tone.BAD,
    Progress.UNKNOWN: Tone.MUTED,
}
VERDICTS = {
    True: Badge(text="led to this", tone=Tone.BAD),
    False: Badge(text="dismissed", tone=Tone.MUTED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRow:
    """One change of others."""

    id: str
    title: str
    link: Link
    state: Badge
    where: str
    environment: str
    version: str
    actor: str
    source: str
    began: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectView:
    """A change that may have led to an incident."""

    change: str
    link: Link
    title: str
    percent: str
    evidence: tuple[str, ...]
    verdict: Badge | None
    judged_by: str


def reported_rows(
    changes: Iterable[ReportedChange], service_map: ServiceMap, now: datetime
) -> tuple[ReportedRow, ...]:
    """The changes in their order."""
    return tuple(_row(change, service_map, now) for change in changes)


def suspect_views(suspects: Iterable[Suspect]) -> tuple[SuspectView, ...]:
    """The suspects in their order."""
    return tuple(
        SuspectView(
            change=one.change,
            link=Link(text=one.change, href=_place(one.change)),
            title=one.title,
            percent=f"{one.score:.0%}",
            evidence=one.evidence,
            verdict=VERDICTS.get(one.is_match) if one.is_match is not None else None,
            judged_by=person(one.judged_by) if one.judged_by else "",
        )
        for one in suspects
    )


def _place(change: str) -> str:
    return f"/changes/{change}" if change.startswith("CHG-") else f"/reported#row-{change}"


def _row(change: ReportedChange, service_map: ServiceMap, now: datetime) -> ReportedRow:
    places = [entity_label(ref, service_map) for ref in change.entities]
    return ReportedRow(
        id=change.id,
        title=change.summary,
        link=external(change.summary, change.url),
        state=Badge(text=word(change.progress), tone=PROGRESS[change.progress]),
        where=listing(places) if places else "Nowhere on the map",
        environment=change.environment,
        version=change.version,
        actor=change.actor,
        source=change.source,
        began=moment(change.started_at, now),
    )
