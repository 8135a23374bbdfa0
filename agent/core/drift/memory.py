"""What is remembered to compare the map with the alerts: plain data, all of it bounded.

Not here: what is fed into it (`observe`), and what it comes to (`suggest`).
"""

from dataclasses import dataclass, field
from datetime import datetime

from agent.model.service import EntityRef
from agent.model.suggestion import Nowhere

EPISODES_MAX = 500
"""The newest are kept: what is older says little of the map as it is."""
ENTITIES_MAX = 30
"""An episode of more entities is a storm: that two of them are in it says nothing of the two."""
INCIDENTS_MAX = 20
NOWHERE_MAX = 100
NAMES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Entities that began to alert near to each other in time, in one incident or in several."""

    at: datetime
    """The first beginning that was heard of."""
    incidents: tuple[str, ...]
    onsets: dict[EntityRef, float]
    """Seconds from `at` to the beginning of each; never changed, only replaced as a whole."""
    is_storm: bool = False


@dataclass(slots=True, kw_only=True)
class Drift:
    """All that is remembered. Its parts are values: a copy of the containers is a picture."""

    episodes: list[Episode] = field(default_factory=list)
    heard: dict[EntityRef, None] = field(default_factory=dict)
    """Entities of the map at which an alert was ever placed."""
    nowhere: dict[str, Nowhere] = field(default_factory=dict)

    def picture(self) -> "Drift":
        """As it is now, whatever happens next."""
        return Drift(
            episodes=list(self.episodes), heard=dict(self.heard), nowhere=dict(self.nowhere)
        )
