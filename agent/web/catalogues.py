"""The catalogue of the map in force, worked out once a map: for pages and for the API."""

from agent.model.service import EMPTY_MAP, ServiceMap
from agent.web.views.catalogue import Catalogue


class Catalogues:
    """Keeps the catalogue of the map that was asked for last; a map never changes."""

    def __init__(self) -> None:
        self._kept = Catalogue.of(EMPTY_MAP)

    def of(self, service_map: ServiceMap) -> Catalogue:
        """The catalogue of this map."""
        if self._kept.service_map is not service_map:
            self._kept = Catalogue.of(service_map)
        return self._kept
