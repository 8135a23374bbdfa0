"""Ending every process of a run for certain, on Linux, without privileges.

A process belongs to a run while it carries the run's tag in its environment, or sits in a session
with one that does. One that has shed the tag *and* opened a session of its own has left the run:
that is what a service does when an init script starts it with a clean environment.
Not here: when a run is to be ended (`supervisor`, `executor`).
"""

import contextlib
import ctypes
import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

TAG = "WATCHKEEPER_RUN"
SCAN_PAUSE_S = 0.01
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One living process of our own user, as /proc shows it."""

    pid: int
    parent: int
    session: int
    tag: str | None
    """The tag in its environment."""


def tag_of(run: str, work: Path) -> str:
    """What marks the processes of a run: two agents on one machine each have a `RUN-1`."""
    return f"{run}@{hashlib.sha256(str(work).encode()).hexdigest()[:16]}"


def become_subreaper() -> None:
    """Make every orphan below this process its own child, whatever session it opened."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends; ends at once when it already did."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(71)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def living() -> list[Process]:
    """Every process that can be seen and has not ended; a zombie has."""
    found = (_read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def _read(pid: int) -> Process | None:
    folder = Path("/proc", str(pid))
    try:
        # The name in parentheses may hold anything, so the fields count from its last one.
        state, parent, _, session = (
            (folder / "stat").read_text("latin-1").rpartition(")")[2].split(maxsplit=4)[:4]
        )
    except (OSError, ValueError):
        return None
    if state in "ZX":
        return None
    try:
        environment = (folder / "environ").read_bytes()
    except OSError:
        environment = b""
    prefix = TAG.encode() + b"="
    tag = next((e for e in environment.split(b"\0") if e.startswith(prefix)), None)
    return Process(
        pid=pid,
        parent=int(parent),
        session=int(session),
        tag=None if tag is None else tag[len(prefix) :].decode("utf-8", "replace"),
    )


class RunProcesses:
    """The processes of one run; remembers its sessions, since who opened one may end first."""

    def __init__(self, tag: str, *, reaps: bool = False) -> None:
        self._tag = tag
        # Only a process that has no other children may collect whatever ended.
        self._reaps = reaps
        self._sessions: set[int] = set()

    def look(self) -> list[Process]:
        """What of the run lives now."""
        everything = living()
        own = os.getsid(0)
        tagged = {process.pid for process in everything if process.tag == self._tag}
        self._sessions |= {p.session for p in everything if p.pid in tagged and p.session != own}
        return [
            process
            for process in everything
            if process.pid != os.getpid()
            and (process.pid in tagged or (not process.tag and process.session in self._sessions))
        ]

    def kill(self, budget_s: float) -> bool:
        """Kill until two looks in a row find nothing; False when some outlive `budget_s`."""
        deadline = time.monotonic() + budget_s
        clean = 0
        while time.monotonic() < deadline:
            remaining = self.look()
            clean = 0 if remaining else clean + 1
            if clean == 2:
                return True
            for process in remaining:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process.pid, signal.SIGKILL)
            if self._reaps:
                reap()
            time.sleep(SCAN_PAUSE_S)
        return False


def reap() -> bool:
    """Collect children that have ended; False when there are none at all, dead or alive."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return False
    return True
