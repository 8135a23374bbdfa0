"""Where people find in the console what a ticket or a message speaks of.

Not here: the texts themselves (`core.sync`, `core.route`); the decisions do not know where we are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LINKS_MAX = 5


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of incidents under the one by which people reach the console; None: no links."""

    console: str | None

    def below(self, text: str, incidents: Iterable[str]) -> str:
        """The text with the address of each incident under it, a line each; bounded."""
        if self.console is None:
            return text
        root = self.console.rstrip("/")
        lines = [f"{root}/incidents/{incident}" for incident in list(incidents)[:LINKS_MAX]]
        return "\n".join([text.rstrip(), "", *lines]) if lines else text


NO_LINKS = Links(None)
