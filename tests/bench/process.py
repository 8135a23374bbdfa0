"""What a process and all its descendants cost, read from /proc.

CPU is in seconds, memory in bytes. Not for stopping anything (`servers`).
"""

import os
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
SETTLE_EVERY_S = 0.25
SETTLED_SHARE = 0.04
"""A tree that uses less than this share of one core counts as idle."""


def tree(pid: int) -> list[int]:
    """The process and its living descendants."""
    found = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        try:
            tasks = list((PROC / str(current) / "task").iterdir())
        except FileNotFoundError:
            continue
        for task in tasks:
            try:
                waiting += [int(child) for child in (task / "children").read_text().split()]
            except FileNotFoundError:
                continue
    return found


def cpu_s(pid: int) -> float:
    """CPU used so far by the tree, children that have ended and were waited for included."""
    ticks = 0
    for member in tree(pid):
        try:
            stat = (PROC / str(member) / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in parentheses may hold spaces: fields are counted after its end.
        fields = stat.rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Resident memory summed over the tree: pages shared after a fork count each time."""
    return _memory(pid, "status", "VmRSS:")


def pss_bytes(pid: int) -> int:
    """Resident memory with shared pages divided among their users: what the tree really takes."""
    return _memory(pid, "smaps_rollup", "Pss:")


def _memory(pid: int, file: str, key: str) -> int:
    total = 0
    for member in tree(pid):
        try:
            lines = (PROC / str(member) / file).read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith(key))
    return total


def settle(pid: int, *, within_s: float) -> float:
    """Wait until the tree is idle; the seconds this took, `within_s` where it never was."""
    started = time.monotonic()
    before = cpu_s(pid)
    while (waited := time.monotonic() - started) < within_s:
        time.sleep(SETTLE_EVERY_S)
        now = cpu_s(pid)
        if now - before <= SETTLED_SHARE * SETTLE_EVERY_S:
            return waited
        before = now
    return within_s
