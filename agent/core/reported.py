"""Changes of others: what they are called on our map, and the newest of them by place.

Whether one is to blame is not asked here: see `causes.suspects`.
"""

from agent.model.reported import ENTITY_NAME, ChangeReport, ReportedChange
from agent.model.service import EntityRef, ServiceMap

ENTITIES_MAX = 20
"""A repository that more entities are built from says little about any of them."""


class Reported:
    """Look-up tables: names of other tools to entities, and entities to their reported changes."""

    def __init__(self, service_map: ServiceMap) -> None:
        self._entities = service_map.entities
        self._named: dict[tuple[str, str], list[EntityRef]] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._at: dict[EntityRef, dict[str, None]] = {}
        for ref, entity in service_map.entities.items():
            for annotation, name in entity.known_as.items():
                self._named.setdefault((annotation, name.lower()), []).append(ref)

    def named(self, report: ChangeReport) -> tuple[EntityRef, ...]:
        """The entities that carry one of the names of the report; bounded."""
        found: dict[EntityRef, None] = {}
        for annotation, name in report.names.items():
            if annotation == ENTITY_NAME and name.lower() in self._entities:
                found[name.lower()] = None
            found.update(dict.fromkeys(self._named.get((annotation, name.lower()), ())))
        return tuple(found)[:ENTITIES_MAX]

    def known(self, source: str, key: str) -> str | None:
        """The id under which this change was heard of before."""
        return self._keys.get((source, key))

    def at(self, entity: EntityRef) -> tuple[str, ...]:
        """Ids of the changes that were made there."""
        return tuple(self._at.get(entity, ()))

    def add(self, change: ReportedChange) -> None:
        """One more, or the same with more known of it."""
        self._keys[change.source, change.key] = change.id
        for entity in change.entities:
            self._at.setdefault(entity, {})[change.id] = None

    def drop(self, change: ReportedChange) -> None:
        """It is not remembered any more."""
        self._keys.pop((change.source, change.key), None)
        for entity in change.entities:
            ids = self._at.get(entity, {})
            ids.pop(change.id, None)
            if not ids:
                self._at.pop(entity, None)
