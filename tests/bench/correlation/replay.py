"""Play a stream into the real core, by the stream's own clock, and keep what became of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import AlertRecord
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry, TimeElapsed, What
from agent.model.incident import Incident, IncidentState
from agent.model.transition import Record
from tests.bench.correlation.stream import Line, Stream
from tests.bench.correlation.world import World, alert_of

MOMENT = timedelta(microseconds=1)
SILENCE = timedelta(hours=1)
"""How long the clock goes on after the last alert."""


@dataclass(slots=True, kw_only=True)
class Told:
    """What the agent said of one incident, as it stood when it closed."""

    id: str
    opened_at: float
    alerts: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    problem: str | None = None


def replay(stream: Stream) -> list[Told]:
    """The incidents that the agent makes of a stream, in the order in which they closed."""
    player = _Player(World(stream))
    for line in stream.lines:
        player.hear(line)
    player.rest(SILENCE)
    return player.told()


class _Player:
    """Feeds entries and listens to the records."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = State.empty()
        self._at = datetime.fromtimestamp(0, tz=UTC)
        self._lines: dict[tuple[str, datetime], list[str]] = {}
        self._incidents: dict[str, Incident] = {}
        self._closed: dict[str, None] = {}
        self._belongs: dict[tuple[str, datetime], str | None] = {}
        self._enter(ConfigLoaded(config=world.config), self._at)

    def hear(self, line: Line) -> None:
        """One line of the stream, at its time."""
        alert = alert_of(line)
        self._lines.setdefault((alert.fingerprint, alert.starts_at), []).append(line.id)
        self._wait(alert.starts_at)
        self._enter(
            AlertsReceived(source=line.source or "stream", alerts=(alert,)), alert.starts_at
        )

    def rest(self, silence: timedelta) -> None:
        """Nothing more is said for a while."""
        self._wait(self._at + silence)

    def told(self) -> list[Told]:
        """What became of everything."""
        for active in self._state.alerts.values():
            self._belongs[active.alert.fingerprint, active.alert.starts_at] = active.incident
        told = {identifier: self._tell(identifier) for identifier in self._closed}
        for occurrence, incident in self._belongs.items():
            if incident is not None:
                into = self._goes_on_in(incident)
                told.setdefault(into, self._tell(into)).alerts += self._lines[occurrence]
        return [one for one in told.values() if one.alerts]

    def _tell(self, identifier: str) -> Told:
        incident = self._incidents[identifier]
        return Told(
            id=identifier,
            opened_at=incident.opened_at.timestamp(),
            causes=[self._world.name(cause.entity) for cause in incident.causes],
            problem=getattr(incident, "pattern", None),
        )

    def _goes_on_in(self, identifier: str) -> str:
        while into := self._incidents[identifier].merged_into:
            identifier = into
        return identifier

    def _wait(self, until: datetime) -> None:
        while (due := self._state.next_due()) is not None and due <= until:
            self._enter(TimeElapsed(), max(due, self._at))

    def _enter(self, what: What, at: datetime) -> None:
        self._at = max(at, self._at)
        entry = Entry(number=self._state.last_number + 1, at=self._at, what=what)
        for record in step(self._state, entry).records:
            self._listen(record)

    def _listen(self, record: Record) -> None:
        match record:
            case AlertRecord():
                self._belongs[record.fingerprint, record.starts_at] = record.incident
            case Incident():
                self._incidents[record.id] = record
                if record.state is IncidentState.CLOSED:
                    self._closed[record.id] = None
            case _:
                pass
