"""Who somebody is, whose change it is, and which part of the map a word is about.

Not here: in which role somebody may speak (`core.changes.voices`).
"""

from collections.abc import Iterable

from agent.core.state import State
from agent.model.change import Change
from agent.model.service import EntityRef

PARTS_WALKED_MAX = 20
"""A system is looked for this many levels above an entity."""


def person_of(name: str) -> str:
    """The bare identity: `ann` of `person:ann`, `user:default/Ann` and `ann` alike.

    Errs towards taking two names for one person: that only asks for one more pair of eyes.
    """
    return name.strip().rpartition("/")[2].rpartition(":")[2].casefold()


def own_of(state: State, change: Change) -> dict[str, str]:
    """Who may not approve this change, each with the reason: four eyes are those of others."""
    policy = state.config.policy
    remediation = state.config.remediations.get(change.remediation)
    own: dict[str, str] = {}
    if change.requested_by.startswith("person:"):
        own[person_of(change.requested_by)] = "asked for it"
    if change.rule_author:
        own.setdefault(person_of(change.rule_author), "wrote the rule that asked for it")
    if remediation is not None:
        own.setdefault(person_of(remediation.author), "wrote the remediation")
    for edit in policy.edits if policy else ():
        author = person_of(edit.author)
        if author == person_of(edit.approved_by or edit.author):
            own.setdefault(author, "wrote the policy, and nobody else agreed to that edit")
    return own


def covers(state: State, scopes: Iterable[str], ref: EntityRef) -> bool:
    """Whether one of the scopes takes in this entity; no scope at all takes in everything."""
    given = tuple(scopes)
    return not given or any(_matches(state, scope, ref) for scope in given)


def _matches(state: State, scope: str, ref: EntityRef) -> bool:
    kind, _, name = scope.partition(":")
    entity = state.config.service_map.entities.get(ref)
    if entity is None or not name:
        return False
    match kind:
        case "entity":
            return _is_called(ref, name)
        case "owner":
            return entity.owner is not None and _is_called(entity.owner, name)
        case "system":
            return any(_is_called(above, name) for above in _wholes(state, ref))
        case _:
            return False


def _wholes(state: State, ref: EntityRef) -> list[EntityRef]:
    """The entity and what it is a part of, upwards."""
    found: list[EntityRef] = []
    following: EntityRef | None = ref
    while following is not None and following not in found and len(found) < PARTS_WALKED_MAX:
        found.append(following)
        entity = state.config.service_map.entities.get(following)
        following = entity.part_of if entity else None
    return found


def _is_called(ref: EntityRef, name: str) -> bool:
    return name in (ref, ref.rpartition("/")[2])
