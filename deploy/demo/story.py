"""What an incident's records say, as the beats of a story: pure, records in and words out.

Each beat has a key, so that whoever reads the records again and again tells it once.
Not here: reading the agent, printing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.alert import AlertRecord
from agent.model.incident import Cause, Incident, Level, TimelineItem
from agent.model.policy import Verdict
from agent.model.reason import Reason
from agent.model.remediation import RunLine
from agent.web.api_views import ChangeDetail, ChangeView, IncidentDetail
from deploy.demo.narrator import Detail, Tone

CAUSES_BESIDE_MAX = 2
OUTPUT_LINES_MAX = 12
LEVELS = {Level.HIGH: "high", Level.MEDIUM: "medium", Level.LOW: "low"}
SAID_BEFORE = re.compile(r"^CHG-\d+: (RUN-\d+: |closed as success: )?|^closed: ")
TASK_RESULT = re.compile(r"^(ok|changed|fatal|failed|unreachable|rescued): \[")
JOINED = {
    Reason.NEAR_ON_MAP: "near on the map",
    Reason.SAME_ENTITY: "the same thing",
    Reason.SAME_LABELS: "alike",
}
VERDICTS = {
    Verdict.ALLOWED: "allowed",
    Verdict.NEEDS_APPROVAL: "waits for a person's approval",
    Verdict.DEFERRED: "not now",
    Verdict.REFUSED: "refused",
}
NAMES: Mapping[Reason, tuple[str, Tone]] = {
    Reason.RUN_SUCCEEDED: ("run done", Tone.PLAIN),
    Reason.VERIFYING: ("verifying", Tone.PLAIN),
    Reason.ALERTS_CLEARED: ("resolved", Tone.GOOD),
    Reason.VERIFIED: ("verified", Tone.GOOD),
    Reason.QUIET: ("closed", Tone.GOOD),
    Reason.TICKET_OPENED: ("ticket", Tone.PLAIN),
    Reason.COMMENTED: ("comment", Tone.PLAIN),
}
"""What the stages are called that need no more than the agent's own words."""
SAID_ELSEWHERE = {
    Reason.REQUESTED,
    Reason.RUN_PREPARED,
    Reason.NOTIFIED,
    Reason.CAUSE_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One stage to be told."""

    key: str
    at: datetime
    name: str
    text: str
    tone: Tone = Tone.PLAIN
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All that the agent keeps of one incident."""

    incident: IncidentDetail
    changes: tuple[ChangeDetail, ...]
    output: Mapping[str, Sequence[RunLine]]
    titles: Mapping[str, str]
    """What people call the entities."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        closed = (detail.change.state == "closed" for detail in self.changes)
        return self.incident.incident.state == "closed" and all(closed)


def beats(records: Records) -> list[Beat]:
    """The whole story so far, in the order in which it happened."""
    found = [
        *(beat for item in records.incident.timeline for beat in _of_incident(item, records)),
        *(beat for detail in records.changes for beat in _of_change(detail)),
        *(beat for lines in records.output.values() for beat in _of_output(lines)),
    ]
    return sorted(found, key=lambda beat: beat.at)


def _of_incident(item: TimelineItem, records: Records) -> Iterator[Beat]:
    if item.reason in SAID_ELSEWHERE:
        return
    key = f"{item.subject} {item.reason} {item.at.isoformat()}"
    match item.reason:
        case Reason.INCIDENT_OPENED:
            yield from _alerts(item, records, f"opens {item.subject}")
        case Reason.NEAR_ON_MAP | Reason.SAME_ENTITY | Reason.SAME_LABELS:
            yield from _alerts(item, records, f"joins {item.subject}: {JOINED[item.reason]}")
        case Reason.RULE_MATCHED:
            yield from _diagnosis(key, item.at, records)
            yield from _decision(key, item, records)
        case _ if item.at in {change.requested_at for change in records.incident.changes}:
            return  # policy's word: told with the decision
        case _ if item.reason in NAMES:
            name, tone = NAMES[item.reason]
            yield Beat(key=key, at=item.at, name=name, text=_short(item.text), tone=tone)
        case Reason.RUN_STARTED:
            yield Beat(key=key, at=item.at, name="run", text=_short(item.text))
        case _:
            name = item.reason.replace("_", " ")
            text = f"{name}: {_short(item.text)}"
            yield Beat(key=key, at=item.at, name="event", text=text, tone=Tone.WARNING)


def _alerts(item: TimelineItem, records: Records, what: str) -> Iterator[Beat]:
    known = {alert.fingerprint: alert for alert in records.incident.alerts}
    for fingerprint in item.alerts:
        if fingerprint in known:
            yield Beat(
                key=f"{item.subject} {fingerprint} {item.at.isoformat()}",
                at=item.at,
                name="alert",
                text=_said(known[fingerprint]),
                tone=Tone.BAD,
                details=(Detail(what),),
            )


def _said(alert: AlertRecord) -> str:
    name = alert.labels.get("alertname", "an alert")
    return f"{name}: {alert.annotations.get('summary', 'it does not say what')}"


def _diagnosis(key: str, at: datetime, records: Records) -> Iterator[Beat]:
    incident, titles = records.incident.incident, records.titles
    if not incident.causes:
        return
    first, *others = incident.causes
    evidence = [Detail(text, "+", Tone.GOOD) for text in first.evidence_for]
    evidence += [Detail(text, "-", Tone.WARNING) for text in first.evidence_against]
    beside = [_instead(cause, titles) for cause in others[:CAUSES_BESIDE_MAX]]
    yield Beat(
        key=f"{key} incident",
        at=at,
        name="incident",
        text=f"{incident.id}: {incident.title}",
        details=tuple(_impact(incident, titles)),
    )
    yield Beat(
        key=f"{key} cause",
        at=at,
        name="cause",
        text=f"probably {_title(first.entity, titles)} ({first.score:.2f} of 1)",
        details=(*evidence, *beside),
    )


def _impact(incident: Incident, titles: Mapping[str, str]) -> Iterator[Detail]:
    if incident.restoration_due is not None:
        within = incident.restoration_due - incident.opened_at
        target = f"; to be restored in {_span(within)}"
    else:
        target = ""
    yield Detail(
        f"P{incident.priority}: {LEVELS[incident.impact]} impact, "
        f"{LEVELS[incident.urgency]} urgency{target}"
    )
    hit = ", ".join(_title(ref, titles) for ref in incident.services)
    yield Detail(f"hits {hit}" if hit else "hits nothing that the map knows")
    if incident.owner:
        yield Detail(f"belongs to the {_title(incident.owner, titles)}")


def _instead(cause: Cause, titles: Mapping[str, str]) -> Detail:
    why = cause.evidence_against[0] if cause.evidence_against else "less speaks for it"
    return Detail(f"rather than {_title(cause.entity, titles)} ({cause.score:.2f}): {why}")


def _decision(key: str, item: TimelineItem, records: Records) -> Iterator[Beat]:
    for change in records.incident.changes:
        if change.requested_at == item.at:
            yield _change(key, change)
            if change.decision is not None:
                decision = change.decision
                text = f"{VERDICTS[decision.verdict]}: {decision.text}"
                by = f"rule {decision.rule}" if decision.rule else str(decision.reason)
                tone = Tone.GOOD if decision.verdict is Verdict.ALLOWED else Tone.WARNING
                yield Beat(
                    key=f"{key} policy",
                    at=item.at,
                    name="policy",
                    text=text,
                    tone=tone,
                    details=(Detail(f"by {by}; it is a {change.type} change"),),
                )


def _change(key: str, change: ChangeView) -> Beat:
    given = ", ".join(f"{name}: {value}" for name, value in change.parameters.items())
    asked = change.requested_by.replace(":", " ", 1)
    return Beat(
        key=f"{key} change",
        at=change.requested_at,
        name="change",
        text=f"{change.id}: {change.remediation} on {', '.join(change.hosts)} ({given})",
        details=(Detail(f"asked for by {asked}; digest {change.digest[:12]}"),),
    )


def _of_change(detail: ChangeDetail) -> Iterator[Beat]:
    for item in detail.timeline:
        if item.reason is Reason.VERIFYING:
            key = f"{item.subject} verifying {item.at.isoformat()}"
            yield Beat(key=key, at=item.at, name="verifying", text=item.text)


def _of_output(lines: Sequence[RunLine]) -> Iterator[Beat]:
    results = [line for line in lines if line.host and TASK_RESULT.match(line.text)]
    for line in results[:OUTPUT_LINES_MAX]:
        result = line.text.partition(":")[0]
        yield Beat(
            key=f"{line.run} {line.number}",
            at=line.at,
            name="",
            text=f"{result:<8} {line.task}",
            tone=Tone.WARNING if result == "changed" else Tone.QUIET,
        )


def _short(text: str) -> str:
    """The agent's words without what the narration says beside them."""
    return SAID_BEFORE.sub("", text)


def _title(ref: str, titles: Mapping[str, str]) -> str:
    return titles.get(ref) or ref.rpartition("/")[2]


def _span(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
