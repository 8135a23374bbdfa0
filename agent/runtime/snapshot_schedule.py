"""When a snapshot is taken, and the child process that writes it.

The child sees the memory as it was at the fork and writes in peace, while the loop goes on: writing
a hundred thousand alerts here would stop everybody for as long as it takes.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.core.state import State
from agent.model.entry import AlertsReceived, What
from agent.runtime.clock import Clock
from agent.runtime.log import logger
from agent.runtime.metrics import LoopMetrics
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import write_file

log = logger("snapshot")

SNAPSHOT_ENTRIES = 50_000
SNAPSHOT_ALERTS = 25_000
"""Replaying these takes a second or two. Where more fire, it is as many as those: writing them all
costs as much as deciding on a fifth of them, so a growing memory is written ever more rarely."""
SNAPSHOT_EVERY_S = 600.0
QUIET_S = 2.0
QUIET_SHARE = 8
"""After this silence an eighth of that is enough: nobody waits, and a start is the quicker."""
WRITE_TIMEOUT_S = 120.0
DONE = b"ok"


@dataclass(slots=True)
class _Writing:
    """A child that writes, and what it said so far."""

    temporary: Path
    child: int
    report: int
    begun: float
    said: bytes = b""


class SnapshotSchedule:
    """Counts what a start would have to replay, and has a snapshot written in time."""

    def __init__(
        self,
        snapshots: Snapshots,
        clock: Clock,
        metrics: LoopMetrics,
        *,
        tail_entries: int,
        tail_alerts: int,
    ) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._metrics = metrics
        self._tail_entries = tail_entries
        self._tail_alerts = tail_alerts
        self._taken_at = self._counted_at = clock.monotonic()
        self._writing: _Writing | None = None

    def count(self, what: What) -> None:
        """Take account of one more entry behind the last snapshot."""
        self._tail_entries += 1
        self._counted_at = self._clock.monotonic()
        if isinstance(what, AlertsReceived):
            self._tail_alerts += len(what.alerts)

    def is_due(self, state: State) -> bool:
        """Whether one should be taken as soon as everything decided is durable."""
        if self._writing is not None or not self._tail_entries:
            return False
        now = self._clock.monotonic()
        enough = max(SNAPSHOT_ALERTS, len(state.alerts))
        if now - self._counted_at >= QUIET_S:
            enough //= QUIET_SHARE
        return (
            self._tail_alerts >= enough
            or self._tail_entries >= SNAPSHOT_ENTRIES
            or now - self._taken_at >= SNAPSHOT_EVERY_S
        )

    def look_again_s(self) -> float | None:
        """In how many seconds silence may make one due; None where it would not."""
        if self._writing is not None or self._tail_alerts * QUIET_SHARE < SNAPSHOT_ALERTS:
            return None
        return QUIET_S

    def begin(self, state: State, wake: Callable[[], None]) -> None:
        """Have the state of this moment written; `wake` is called when there is news of it."""
        # First, so that one that cannot be written is not tried again at once.
        self._reset()
        temporary = self._snapshots.temporary(state)
        try:
            report, child_report = os.pipe()
        except OSError as error:
            self._complain(str(error))
            return
        try:
            child = os.fork()
        except OSError as error:
            os.close(report)
            os.close(child_report)
            self._complain(str(error))
            return
        if child == 0:
            _write_and_exit(temporary, state, child_report)
        os.close(child_report)
        os.set_blocking(report, False)
        self._writing = _Writing(temporary, child, report, self._clock.monotonic())
        asyncio.get_running_loop().add_reader(report, wake)

    def settle(self) -> None:
        """Keep what the child has written, if it is done."""
        writing = self._writing
        if writing is None or not _is_over(writing, self._clock.monotonic()):
            return
        self._drop()
        if writing.said != DONE:
            writing.temporary.unlink(missing_ok=True)
            self._complain(writing.said.decode(errors="replace") or "its writer died")
            return
        try:
            self._snapshots.keep(writing.temporary)
        except OSError as error:
            self._complain(str(error))
            return
        self._metrics.snapshots.observe(self._clock.monotonic() - writing.begun)

    def finish(self, state: State) -> None:
        """Write a last one here and now, if there is anything to replay."""
        self._drop()
        if not self._tail_entries:
            return
        try:
            self._snapshots.write(state)
        except OSError as error:
            self._complain(str(error))

    def _complain(self, problem: str) -> None:
        # No reason to stop: the journal holds everything, only the next start takes longer.
        self._metrics.snapshots_failed.inc()
        log.error("snapshot_failed", problem=problem)

    def _reset(self) -> None:
        self._tail_entries = self._tail_alerts = 0
        self._taken_at = self._clock.monotonic()

    def _drop(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            asyncio.get_running_loop().remove_reader(writing.report)
            os.close(writing.report)
            os.kill(writing.child, signal.SIGKILL)
            os.waitpid(writing.child, 0)


def _is_over(writing: _Writing, now: float) -> bool:
    with suppress(BlockingIOError):
        while piece := os.read(writing.report, 4096):
            writing.said += piece
        return True
    if now - writing.begun > WRITE_TIMEOUT_S:
        writing.said = b"it took too long"
        return True
    return False


def _write_and_exit(path: Path, state: State, report: int) -> None:
    """Never returns: the child must not run a line of what the parent was about to do."""
    said = DONE
    try:
        # The collector would write to every page of the memory, and have it copied.
        gc.disable()
        # What listens or locks must not outlive the parent in us.
        os.closerange(3, report)
        os.closerange(report + 1, os.sysconf("SC_OPEN_MAX"))
        write_file(path, state)
    except BaseException as error:
        said = repr(error).encode()
    with suppress(OSError):
        os.write(report, said)
    os._exit(0)
