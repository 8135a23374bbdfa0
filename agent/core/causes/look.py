"""The agent looks for itself: when metrics around an incident are asked for, and what they say.

Bounded in entities, looks and time; read-only, so it may be repeated after a crash.
Not here: asking (`runtime.look`), and how votes and alerts make one ranking (`ranking`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from agent.core.causes import net_impact
from agent.core.causes.net_impact import Vote
from agent.core.causes.net_impact_words import summary
from agent.core.causes.queries import is_measured
from agent.core.draft import Draft
from agent.core.matching import compile_all
from agent.core.state import Looking, State, Timer
from agent.model.effect import MeasureSignals
from agent.model.entry import SignalsMeasured
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason
from agent.model.service import EntityRef, ServiceMap
from agent.model.signal import Complaint, Look, SignalKind

LOOK_AFTER = (
    timedelta(seconds=15),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
)
"""After the opening: at once little is to be seen, later the evidence has grown."""
AFTER_CHANGE = timedelta(seconds=15)
"""Another cause brings other entities near; a burst of changes is one look."""
LOOKS_MAX = 8
ENTITIES_MAX = 100
NEAR_HOPS = 4
SMALL_MAP = 500
"""Up to so many entities a look takes in those too to which no edge leads."""
ALERTS_ASKED_MAX = 50
ACCIDENTS_MAX = 0.05
"""What calm looks show so often says nothing."""
UNKNOWN_MAX = 100
"""How many entities without data a look names."""
FINDINGS_MAX = 1_000
WALK_HOPS = 12


def follow(state: State, draft: Draft) -> None:
    """Plan a look for incidents that opened or changed their cause; end it for those not live."""
    for identifier in draft.touched if state.config.signals or state.looking else ():
        incident = state.incidents.get(identifier)
        if incident is None or not incident.is_live:
            state.looking.pop(identifier, None)
        elif incident.state is IncidentState.OPEN and state.config.signals:
            looking = state.looking.setdefault(identifier, Looking())
            if not looking.asked and looking.due is None:
                _plan(state, identifier, looking, draft.at + LOOK_AFTER[0])
            elif identifier in draft.cause_changed:
                _plan(state, identifier, looking, draft.at + AFTER_CHANGE)


def look(state: State, draft: Draft, identifier: str) -> None:
    """The moment of a look has come: ask, unless an answer is still awaited."""
    looking = state.looking.get(identifier)
    if looking is None or looking.due is None or looking.due > draft.at:
        return
    looking.due = None
    looking.timers = [moment for moment in looking.timers if moment > draft.at]
    incident = state.incidents[identifier]
    if incident.state is not IncidentState.OPEN or looking.asked >= LOOKS_MAX:
        return
    entities = near(state, incident)
    if entities and looking.asking is None:
        looking.asked += 1
        looking.asking = draft.ask(
            state,
            lambda effect: MeasureSignals(
                id=effect,
                incident=identifier,
                entities=entities,
                complaints=complaints(state, identifier),
                start=incident.started_at,
                end=draft.at,
            ),
        )
    following = [incident.opened_at + after for after in LOOK_AFTER]
    if due := next((due for due in following if due > draft.at), None):
        _plan(state, identifier, looking, due)


def heard(state: State, draft: Draft, said: SignalsMeasured) -> None:
    """The answer came: keep it while the incident lives, and have the causes ranked anew."""
    effect = state.outbox.take(said.effect)
    looking = state.looking.get(said.incident)
    if looking is None or looking.asking != said.effect or not isinstance(effect, MeasureSignals):
        return
    looking.asking = None
    if said.findings or looking.look is None:
        looking.look = Look(
            at=draft.at,
            start=effect.start,
            end=effect.end,
            complaints=effect.complaints,
            findings=said.findings[:FINDINGS_MAX],
            unknown=said.unknown[:UNKNOWN_MAX],
        )
    draft.rescored.setdefault(said.incident, {})
    text = summary(looking.look, rank_all(state, said.incident), state.config.service_map)
    problem = f"; {said.problem}" if said.problem else ""
    draft.note(said.incident, Reason.SIGNALS_MEASURED, f"{text}{problem}")


def votes(state: State, incident: str) -> Mapping[EntityRef, Vote]:
    """What metrics say for each entity as the cause; empty where nothing was measured."""
    return {vote.entity: vote for vote in rank_all(state, incident)}


def certainty(state: State, incident: str) -> float:
    """How surely the metrics around an incident show more than accidents, 0 to 1.

    0 where a look at a calm world would show something as odd one time in twenty.
    """
    looking = state.looking.get(incident)
    found = looking.look.findings if looking and looking.look else ()
    chance = max((finding.chance for finding in found), default=0.0)
    by_accident = (1.0 - chance) / chance if chance else 1.0
    return max(0.0, 1.0 - by_accident / ACCIDENTS_MAX)


def rank_all(state: State, incident: str) -> tuple[Vote, ...]:
    """Every measured entity, the likeliest cause first; empty where nothing was measured."""
    looking = state.looking.get(incident)
    if looking is None or looking.look is None:
        return ()
    found = looking.look.findings
    calls = calls_near(state.config.service_map, {finding.entity: None for finding in found})
    return net_impact.rank(found, calls, looking.look.complaints)


def near(state: State, incident: Incident) -> tuple[EntityRef, ...]:
    """The entities with signals around an incident, nearest first, then others where few exist.

    Maps are incomplete: what no edge leads to may be guilty all the same.
    """
    service_map = state.config.service_map
    members = state.members.get(incident.id)
    starts = list(members.entities) if members else []
    if incident.cause is not None:
        starts.append(incident.cause)
    found: dict[EntityRef, None] = {}
    others = service_map.entities if len(service_map.entities) <= SMALL_MAP else ()
    for ref in (*_around(service_map, starts), *others):
        if len(found) >= ENTITIES_MAX:
            break
        entity = service_map.entities.get(ref)
        if entity is not None and ref not in found and is_measured(state.config, entity):
            found[ref] = None
    return tuple(found)


def complaints(state: State, incident: str) -> tuple[Complaint, ...]:
    """Who complains and about what: the entities of the incident's alerts, by declared matchers."""
    says = [
        (compile_all(signal.complaints), signal.kind)
        for each in state.config.signals
        for signal in each.signals
        if signal.complaints
    ]
    found: dict[Complaint, None] = {}
    firing = state.members[incident].firing if incident in state.members else {}
    for fingerprint in list(firing)[:ALERTS_ASKED_MAX]:
        active = state.alerts[fingerprint]
        kinds: list[SignalKind | None] = [
            kind for matches, kind in says if matches(active.alert.labels)
        ]
        for kind in kinds or [None]:
            found[Complaint(entity=active.entity, kind=kind)] = None
    return tuple(found)


def calls_near(
    service_map: ServiceMap, entities: Mapping[EntityRef, None]
) -> dict[EntityRef, tuple[EntityRef, ...]]:
    """What calls what around these entities: their callees, through those that are not measured."""
    calls: dict[EntityRef, tuple[EntityRef, ...]] = {}
    waiting = [(ref, 0) for ref in sorted(entities)]
    while waiting:
        ref, distance = waiting.pop()
        if ref in calls or len(calls) >= net_impact.WALK_MAX:
            continue
        calls[ref] = tuple(service_map.dependencies.get(ref, ()))
        if distance < WALK_HOPS:
            waiting.extend(
                (below, 0 if below in entities else distance + 1) for below in calls[ref]
            )
    return calls


def _around(service_map: ServiceMap, starts: list[EntityRef]) -> list[EntityRef]:
    """The entities around these, both ways, nearest first."""
    seen = dict.fromkeys(starts)
    level = list(seen)
    for _ in range(NEAR_HOPS):
        following: list[EntityRef] = []
        for ref in level:
            ways = (service_map.dependencies.get(ref, ()), service_map.dependants.get(ref, ()))
            for other in (*ways[0], *ways[1]):
                if other not in seen and len(seen) < net_impact.WALK_MAX:
                    seen[other] = None
                    following.append(other)
        level = following
    return list(seen)


def _plan(state: State, identifier: str, looking: Looking, due: datetime) -> None:
    if looking.asked < LOOKS_MAX and (looking.due is None or due < looking.due):
        looking.due = due
        if due not in looking.timers:
            looking.timers.append(due)
            state.schedule(due, Timer.LOOK, identifier)
