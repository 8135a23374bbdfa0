"""In what two stories of one journal differ, each difference with the evidence for it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.model.change import Change
from agent.model.incident import Incident
from agent.sim.shadow.names import NEAR
from agent.sim.shadow.story import Occurrence, Story, Wish

Said = tuple[tuple[str, str], ...]
"""What was said of a change or an incident, by name."""


class Side(StrEnum):
    """Where something is."""

    ONLY_WAS = "only_was"
    ONLY_WOULD = "only_would"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not alike: what, which ids it has, why, and where that can be looked up."""

    side: Side
    kind: str
    """`incident`, `change`, or `wish` of a rule that does not act itself."""
    was: str | None
    would: str | None
    title: str
    texts: tuple[str, ...]
    """What is different, in words."""
    reason: str | None
    """Policy's first reason in the playing that has it; of the other rules where both have it."""
    incident: str | None
    alert: str | None
    """Fingerprint of the alert that it is for."""
    entry: int | None
    """The entry of the journal that it follows from."""


def differences(was: Story, would: Story) -> tuple[Difference, ...]:
    """All of them: incidents first, each kind in the order of time."""
    return (*_incidents(was, would), *_changes(was, would), *_wishes(was, would))


def _incidents(was: Story, would: Story) -> Iterator[Difference]:
    theirs, ours = was.members(), would.members()
    home = {alert: incident for incident, alerts in ours.items() for alert in alerts}
    met: dict[str, None] = {}
    for identifier, alerts in theirs.items():
        incident = was.incidents[identifier]
        here = _homes(alerts, home) or _namesake(incident, would)
        met.update(dict.fromkeys(here))
        if not here:
            yield _incident_gone(Side.ONLY_WAS, incident, alerts)
            continue
        other = would.incidents[here[0]]
        texts = _unlike(_said_of_incident(incident), _said_of_incident(other))
        if len(here) > 1:
            texts = (*texts, f"its alerts are in {', '.join(here)}")
        if texts:
            yield Difference(
                side=Side.CHANGED,
                kind="incident",
                was=identifier,
                would=other.id,
                title=other.title,
                texts=texts,
                reason=None,
                incident=identifier,
                alert=_first(alerts),
                entry=None,
            )
    for identifier, alerts in ours.items():
        if identifier not in met:
            yield _incident_gone(Side.ONLY_WOULD, would.incidents[identifier], alerts)


def _homes(alerts: Iterable[Occurrence], home: Mapping[Occurrence, str]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for alert in alerts:
        if alert in home:
            counts[home[alert]] = counts.get(home[alert], 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def _namesake(incident: Incident, story: Story) -> tuple[str, ...]:
    """For an incident whose alerts are all elsewhere: one of the same title and time."""
    alike = (
        other.id
        for other in story.incidents.values()
        if other.title == incident.title and abs(other.opened_at - incident.opened_at) <= NEAR
    )
    return tuple(alike)[:1]


def _incident_gone(side: Side, incident: Incident, alerts: Iterable[Occurrence]) -> Difference:
    is_old = side is Side.ONLY_WAS
    return Difference(
        side=side,
        kind="incident",
        was=incident.id if is_old else None,
        would=None if is_old else incident.id,
        title=incident.title,
        texts=(f"P{incident.priority}, cause {incident.cause or 'unknown'}",),
        reason=None,
        incident=incident.id,
        alert=_first(alerts),
        entry=None,
    )


def _first(alerts: Iterable[Occurrence]) -> str | None:
    earliest = min(alerts, key=lambda alert: (alert[1], alert[0]), default=None)
    return earliest and earliest[0]


def _said_of_incident(incident: Incident) -> Said:
    return (
        ("cause", incident.cause or "unknown"),
        ("priority", f"P{incident.priority}"),
        ("solved by automation", "yes" if incident.automated else "no"),
    )


def _changes(was: Story, would: Story) -> Iterator[Difference]:
    left = dict(would.changes)
    for change in was.changes.values():
        twin = _twin(change, left.values())
        if twin is None:
            yield _change_gone(Side.ONLY_WAS, change, was)
            continue
        del left[twin.id]
        texts = _unlike(_said_of_change(change, was), _said_of_change(twin, would))
        if texts:
            yield Difference(
                side=Side.CHANGED,
                kind="change",
                was=change.id,
                would=twin.id,
                title=twin.title,
                texts=texts,
                reason=_reason(twin, would),
                incident=change.incident,
                alert=twin.trigger,
                entry=would.asked_at[twin.id],
            )
    for change in left.values():
        yield _change_gone(Side.ONLY_WOULD, change, would)


def _twin(change: Change, others: Iterable[Change]) -> Change | None:
    """The change of the same remediation and target that was asked for at about the same time."""
    alike = [
        other
        for other in others
        if (other.remediation, other.entity) == (change.remediation, change.entity)
        and abs(other.requested_at - change.requested_at) <= NEAR
    ]
    return min(alike, key=lambda other: abs(other.requested_at - change.requested_at), default=None)


def _change_gone(side: Side, change: Change, story: Story) -> Difference:
    is_old = side is Side.ONLY_WAS
    said = _said_of_change(change, story)
    return Difference(
        side=side,
        kind="change",
        was=change.id if is_old else None,
        would=None if is_old else change.id,
        title=change.title,
        texts=tuple(f"{name}: {text}" for name, text in said),
        reason=_reason(change, story),
        incident=change.incident,
        alert=change.trigger,
        entry=story.asked_at[change.id],
    )


def _reason(change: Change, story: Story) -> str | None:
    decision = story.said.get(change.id)
    return decision.reason.value if decision else None


def _said_of_change(change: Change, story: Story) -> Said:
    decision = story.said.get(change.id)
    judged = f"{decision.verdict} ({decision.reason})" if decision else "not judged"
    is_begun = any(run.change == change.id for run in story.runs)
    return (
        ("asked for by", change.requested_by),
        ("policy", judged),
        ("run", "begun" if is_begun else "not begun"),
        ("ended", change.closure.value if change.closure else "open"),
    )


def _unlike(was: Said, would: Said) -> tuple[str, ...]:
    return tuple(
        f"{name}: {before}, then {after}"
        for (name, before), (_, after) in zip(was, would, strict=True)
        if before != after
    )


def _wishes(was: Story, would: Story) -> Iterator[Difference]:
    left = list(would.wishes)
    for wish in was.wishes:
        twin = next((other for other in left if _is_alike(wish, other)), None)
        if twin is None:
            yield _wish_gone(Side.ONLY_WAS, wish)
        else:
            left.remove(twin)
    for wish in left:
        yield _wish_gone(Side.ONLY_WOULD, wish)


def _is_alike(wish: Wish, other: Wish) -> bool:
    is_same = (wish.reason, wish.text) == (other.reason, other.text)
    return is_same and abs(wish.at - other.at) <= NEAR


def _wish_gone(side: Side, wish: Wish) -> Difference:
    is_old = side is Side.ONLY_WAS
    return Difference(
        side=side,
        kind="wish",
        was=wish.incident if is_old else None,
        would=None if is_old else wish.incident,
        title=wish.text,
        texts=(),
        reason=wish.reason.value,
        incident=wish.incident,
        alert=None,
        entry=wish.entry,
    )
