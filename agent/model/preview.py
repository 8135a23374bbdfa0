"""What check mode showed of a change before anybody approved it: a promise of Ansible, not ours.

Not here: playing it (`runtime.ansible`), or asking for it (`core.changes.preview`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TASKS_MAX = 200
"""A preview names this many tasks; the others are counted."""
DIFF_CHARS_MAX = 4_000
"""Of one task on one host."""
DIFFS_CHARS_MAX = 20_000
"""Of a whole preview."""
TEXT_CHARS_MAX = 500
"""Of what a task said."""


class TaskEffect(StrEnum):
    """What a task would do to a host."""

    WOULD_CHANGE = "would_change"
    NOT_CHECKED = "not_checked"
    """It has no check mode, or was left out in it: nobody knows."""
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPreview:
    """One task on one host, where there is something to say. Text is scrubbed and bounded."""

    host: str
    task: str
    module: str
    effect: TaskEffect
    diff: str = ""
    """Unified diffs, as Ansible gave them; empty where it gave none."""
    text: str = ""
    """What the task said, or the command that would run."""


class PreviewState(StrEnum):
    """How far a preview can be relied upon."""

    ASKED = "asked"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """It failed, did not reach a host, or ran out of time: what is shown is not all."""
    UNSUPPORTED = "unsupported"
    """The remediation's author says that check mode does not tell what a run does."""
    OFF = "off"
    """Policy does not want previews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What check mode with diff showed on the real hosts; it never counts as a run."""

    state: PreviewState
    text: str
    """In one line, for people."""
    at: datetime | None = None
    """When it ended; the hosts may be different since."""
    digest: str = ""
    """Of what was played in check mode."""
    tasks: tuple[TaskPreview, ...] = ()
    unchanged: int = 0
    """How often a task found nothing to do on a host."""
    skipped: int = 0
    """How often a condition of the playbook left a task out."""
    omitted: int = 0
    """Tasks that are not named, since there were too many."""
