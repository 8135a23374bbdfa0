"""What is truly so in the simulated world: which services are down, and what hosts went through.

Runs are counted here, at the host, and not from anything that the agent wrote down.
"""

from dataclasses import dataclass, field
from datetime import datetime

from agent.sim.town import SERVICES


@dataclass(slots=True)
class Service:
    """One service as it is."""

    is_down: bool = False
    is_slow: bool = False
    episode: int = 0
    """Counts outages, so that the end of an old one does not end a newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A playbook began to run on a host."""

    at: datetime
    run: str
    remediation: str
    entity: str
    host: str
    phase: str


@dataclass(slots=True)
class Hosts:
    """All playbooks that ever ran here."""

    starts: list[Start] = field(default_factory=list)
    running: dict[str, Start] = field(default_factory=dict)
    """By run."""

    def begin(self, start: Start) -> str | None:
        """A playbook begins; answers with what is wrong about that."""
        wrong = None
        if any(other.run == start.run for other in self.starts):
            wrong = f"{start.run} was started a second time"
        for other in self.running.values():
            if other.host == start.host or other.entity == start.entity:
                wrong = f"{start.run} began on {start.host} while {other.run} was running there"
        self.starts.append(start)
        self.running[start.run] = start
        return wrong

    def end(self, run: str) -> bool:
        """A playbook is over; False where it was before."""
        return self.running.pop(run, None) is not None


def all_well() -> dict[str, Service]:
    """Every service, up."""
    return {name: Service() for name in SERVICES}
