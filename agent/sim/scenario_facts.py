"""Whether what a scenario expects is so, and what is so instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.state import State
from agent.model.change import Change
from agent.model.effect import Effect, Notify, WriteTicket
from agent.model.incident import Incident, TimelineItem
from agent.sim.scenario_schema import ChangeIs, EffectIs, Fact, IncidentIs, Said

SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Launched:
    """A run that was started."""

    remediation: str
    entity: str
    effect: str
    run: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to be looked at."""

    state: State
    launched: Sequence[Launched]
    effects: Sequence[Effect]
    said: Sequence[TimelineItem]


def is_found(seen: Seen, fact: Fact) -> bool:
    """Whether something fits every part of the fact."""
    state, incident, change, effect = seen.state, fact.incident, fact.change, fact.effect
    if incident and not any(_is_incident(i, incident) for i in state.incidents.values()):
        return False
    if change and not any(_is_change(c, change) for c in state.changes.values()):
        return False
    if fact.said and not any(_is_said(line, fact.said) for line in seen.said):
        return False
    return effect is None or _is_effect(seen.launched, seen.effects, effect)


def failure(seen: Seen, fact: Fact) -> str:
    """What was expected, and what there is instead."""
    if fact.incident and not is_found(seen, Fact(incident=fact.incident)):
        there = [_tell_incident(incident) for incident in seen.state.incidents.values()]
        return f"no incident is {_words(fact.incident)}; there is {_list(there)}"
    if fact.change and not is_found(seen, Fact(change=fact.change)):
        there = [_tell_change(change) for change in seen.state.changes.values()]
        return f"no change is {_words(fact.change)}; there is {_list(there)}"
    if fact.said and not is_found(seen, Fact(said=fact.said)):
        there = list(dict.fromkeys(line.reason.value for line in seen.said))
        return f"nothing was said with {_words(fact.said)}; there was {_list(there)}"
    there = [f"{run.remediation} was launched on {run.entity}" for run in seen.launched]
    told = {f"{effect.receiver} was told" for effect in seen.effects if isinstance(effect, Notify)}
    there += sorted(told)
    wanted = _words(fact.effect) if fact.effect else "anything"
    return f"nobody asked for {wanted}; {_list(there)}"


def _is_said(line: TimelineItem, wanted: Said) -> bool:
    return wanted.reason == line.reason.value and wanted.text in line.text


def _is_incident(incident: Incident, wanted: IncidentIs) -> bool:
    return (
        wanted.state in (None, incident.state.value)
        and wanted.priority in (None, f"P{incident.priority}")
        and wanted.automated in (None, incident.automated)
        and (wanted.cause is None or _names(incident.cause, wanted.cause))
        and (wanted.owner is None or _names(incident.owner, wanted.owner))
        and all(any(_names(ref, name) for ref in incident.services) for name in wanted.services)
    )


def _is_change(change: Change, wanted: ChangeIs) -> bool:
    reason = change.decision.reason.value if change.decision else None
    return (
        wanted.remediation in (None, change.remediation)
        and wanted.state in (None, change.state.value)
        and wanted.closure in (None, change.closure.value if change.closure else None)
        and wanted.reason in (None, reason)
        and wanted.verdict in (None, change.decision.verdict.value if change.decision else None)
        and wanted.type in (None, change.type.value)
        and wanted.risk in (None, change.risk.level.value if change.risk else None)
        and (wanted.conflicts is None or _kinds(change) == sorted(wanted.conflicts))
        and (wanted.entity is None or _names(change.entity, wanted.entity))
    )


def _kinds(change: Change) -> list[str]:
    return sorted({conflict.kind.value for conflict in change.conflicts})


def _is_effect(launched: Sequence[Launched], effects: Sequence[Effect], wanted: EffectIs) -> bool:
    if wanted.notify is not None:
        return any(isinstance(e, Notify) and e.receiver == wanted.notify for e in effects)
    if wanted.ticket is not None:
        return any(isinstance(e, WriteTicket) and e.connector == wanted.ticket for e in effects)
    return any(
        wanted.launch in (None, run.remediation)
        and (wanted.on is None or _names(run.entity, wanted.on))
        for run in launched
    )


def _names(ref: str | None, name: str) -> bool:
    """A short name stands for the entity of any kind that ends in it."""
    return ref is not None and (ref == name or ref.endswith((f"/{name}", f":{name}")))


def _tell_incident(incident: Incident) -> str:
    return (
        f"{incident.id} ({incident.state}, P{incident.priority}, cause {incident.cause}, "
        f"services {', '.join(incident.services) or 'none'})"
    )


def _tell_change(change: Change) -> str:
    why = f", {change.decision.reason}: {change.decision.text}" if change.decision else ""
    how = f" as {change.closure}" if change.closure else ""
    risk = f", {change.risk.level} risk" if change.risk else ""
    kinds = f", conflicts {', '.join(_kinds(change))}" if change.conflicts else ""
    what = f"{change.type} {change.remediation} on {change.entity}"
    return f"{change.id} ({what}, {change.state}{how}{why}{risk}{kinds})"


def _words(wanted: IncidentIs | ChangeIs | EffectIs | Said) -> str:
    given = wanted.model_dump(exclude_defaults=True, by_alias=True)
    return ", ".join(f"{name} {value}" for name, value in given.items())


def _list(there: list[str]) -> str:
    more = f" and {len(there) - SHOWN_MAX} more" if len(there) > SHOWN_MAX else ""
    return ("; ".join(there[:SHOWN_MAX]) + more) or "nothing"
