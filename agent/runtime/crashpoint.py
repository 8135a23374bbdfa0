"""Named places where a test can end the process as a power cut would.

Does nothing unless the environment names a point: `WATCHKEEPER_CRASHPOINT=loop.before_commit:3`
kills the process with SIGKILL when that place is passed for the third time.
"""

import os
import signal
from typing import Literal, get_args

CrashPoint = Literal[
    "intake.before_append",
    "loop.before_commit",
    "loop.after_commit",
    "perform.before",
    "perform.after_before_ack",
    "run.before_launch",
    "run.after_launch",
    "run.before_finished",
    "ticket.before_create",
    "ticket.after_create",
    "snapshot.before_replace",
    "shutdown.before_close",
]
"""Between what is durable and what is done: each is passed in exactly one place of the code."""

CRASH_POINTS: tuple[str, ...] = get_args(CrashPoint)
VARIABLE = "WATCHKEEPER_CRASHPOINT"


class _Fuse:
    """How many passes of the chosen point are left; -1 where none is chosen."""

    __slots__ = ("left", "name")

    def __init__(self, wish: str) -> None:
        self.name, _, count = wish.partition(":")
        self.left = int(count or 1) if self.name else -1
        if self.name and self.name not in CRASH_POINTS:
            raise ValueError(f"{VARIABLE}: unknown point {self.name!r}; known: {CRASH_POINTS}")


_fuse = _Fuse(os.environ.get(VARIABLE, ""))


def reach(name: CrashPoint) -> None:
    """Pass the point; the process ends here if it was chosen and this is the pass."""
    if _fuse.name == name:
        _fuse.left -= 1
        if _fuse.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
