"""Why policy says what it says: every check with its answer, and what a change would be told.

Asked by people; changes nothing. Not here: what follows from the answer (`changes.life`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.core.changes import templates
from agent.core.changes.decide import check_parameters
from agent.core.changes.targets import hosts_of
from agent.core.facts import change_type
from agent.core.policy import known, ruling
from agent.core.policy.attempts import target_key
from agent.core.policy.judge import CHECKS, judgement
from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType
from agent.model.policy import Conflict, Decision
from agent.model.remediation import ParameterValue
from agent.model.risk import Risk
from agent.model.service import EntityRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check: what it promises, and what is against it; None: nothing."""

    check: str
    promise: str
    against: Decision | None
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Policy's answer at a moment with everything that it follows from."""

    at: datetime
    type: ChangeType
    type_text: str
    """Which template covers a standard change, or why none does; empty for the others."""
    decision: Decision
    checks: tuple[Checked, ...]
    """All of them, also below the one that decides; none where policy could not be asked."""
    rules: tuple[ruling.Tried, ...]
    risk: Risk | None
    conflicts: tuple[Conflict, ...]
    facts: tuple[tuple[str, str], ...]


def explain(state: State, change: Change, at: datetime) -> Explanation:
    """What policy says of the change at this moment, and why."""
    settled, text = templates.settled_at(state, change, at)
    answer = judgement(state, settled, at)
    checks: list[Checked] = []
    has_decided = False
    for check in CHECKS if answer.asked is not None else ():
        against = check.ask(answer.asked) if answer.asked is not None else None
        decides = against is not None and not has_decided
        has_decided |= decides
        checks.append(
            Checked(check=check.name, promise=check.promise, against=against, decides=decides)
        )
    seen = answer.seen
    return Explanation(
        at=at,
        type=settled.type,
        type_text=text,
        decision=answer.decision,
        checks=tuple(checks),
        rules=ruling.tried(state, settled, at, seen.facts) if seen else (),
        risk=seen.risk if seen else None,
        conflicts=seen.conflicts if seen else (),
        facts=known.in_words(seen.facts) if seen else (),
    )


def imagined(
    state: State,
    *,
    remediation: str,
    entity: EntityRef,
    parameters: Mapping[str, ParameterValue],
    by: str,
    type: ChangeType | None,
    incident: str | None,
    at: datetime,
) -> Change | str:
    """The change that such a request would make, though it makes none; or why it would make none.

    Parameters that are left out are taken as given.
    """
    known_remediation = state.config.remediations.get(remediation)
    if known_remediation is None:
        return f"there is no remediation {remediation}"
    hosts = hosts_of(state.config.service_map, entity, known_remediation)
    if not hosts:
        return f"{entity} is not on the map, or has no host or group to act on"
    optional = tuple(
        replace(each, required=each.required and each.name in parameters)
        for each in known_remediation.parameters
    )
    checked = check_parameters(state, replace(known_remediation, parameters=optional), parameters)
    if isinstance(checked, str):
        return checked
    change = Change(
        id="WHAT-IF-0",
        state=ChangeState.DRAFT,
        type=change_type(state, remediation, type),
        title=known_remediation.title,
        remediation=remediation,
        digest=known_remediation.digest,
        entity=entity,
        hosts=hosts,
        parameters=checked,
        requested_by=f"person:{by}",
        rule_author=None,
        requested_at=at,
        binding="",
        incident=incident,
    )
    attempts = state.attempts.get(target_key(change))
    return replace(change, attempt=1 + (attempts.failed if attempts else 0))
