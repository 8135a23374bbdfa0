"""A start: the newest usable snapshot, then every entry behind it. Nothing is performed here."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from agent.core.state import State
from agent.errors import PermanentError
from agent.model.change import RunState
from agent.model.effect import Effect, LaunchRun
from agent.model.entry import AlertsReceived, Entry
from agent.model.transition import Transition
from agent.runtime.codec import Resolve
from agent.runtime.journal import first_number, last_alive, read_config, read_entries
from agent.runtime.memory import building_memory
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import SnapshotError, read_snapshot

Step = Callable[[State, Entry], Transition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a start found."""

    state: State
    last_alive: datetime | None
    """When there was a sign of life last; None where nobody watched before."""
    tail_entries: int
    """How many entries were replayed on top of the snapshot."""
    tail_alerts: int
    unusable: tuple[str, ...]
    """Snapshots that were passed over, each with its reason."""

    @property
    def lost_runs(self) -> tuple[str, ...]:
        """Runs that were about to start or under way: nobody knows what they did."""
        launching = {
            effect.run for effect in self.state.outbox.all() if isinstance(effect, LaunchRun)
        }
        return tuple(
            run.id
            for run in self.state.runs.values()
            if run.state in (RunState.LAUNCHING, RunState.RUNNING) or run.id in launching
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What has to be performed again: all without an outcome, but never a launch."""
        return tuple(
            effect for effect in self.state.outbox.all() if not isinstance(effect, LaunchRun)
        )


def recover(database: Path, snapshots: Snapshots, step: Step) -> Recovered:
    """The state as of the last durable entry.

    Raises `PermanentError` where entries are missing that no usable snapshot accounts for.
    """
    connection = sqlite3.connect(database, isolation_level=None)
    with closing(connection), building_memory():
        resolve = cache(partial(read_config, connection))
        state, unusable = _newest(snapshots, resolve)
        oldest = first_number(connection)
        if oldest is not None and oldest > state.last_number + 1:
            raise PermanentError(
                f"{database}: the journal begins with entry {oldest}, and no usable snapshot "
                f"reaches it. Restore the folder from a backup. {' '.join(unusable)}"
            )
        entries, alerts = _replay(state, read_entries(connection, resolve, state.last_number), step)
        return Recovered(
            state=state,
            last_alive=last_alive(connection),
            tail_entries=entries,
            tail_alerts=alerts,
            unusable=tuple(unusable),
        )


def _newest(snapshots: Snapshots, resolve: Resolve) -> tuple[State, list[str]]:
    unusable: list[str] = []
    for path in snapshots.paths():
        try:
            return read_snapshot(path, resolve), unusable
        except SnapshotError as error:
            unusable.append(str(error))
    return State.empty(), unusable


def _replay(state: State, entries: Iterable[Entry], step: Step) -> tuple[int, int]:
    count = alerts = 0
    for entry in entries:
        assert entry.number == state.last_number + 1, "the journal has a hole"
        step(state, entry)
        count += 1
        if isinstance(entry.what, AlertsReceived):
            alerts += len(entry.what.alerts)
    return count, alerts
