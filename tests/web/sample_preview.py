"""What check mode showed of the sample's change that waits for approval."""

from datetime import datetime, timedelta

from agent.model.preview import Preview, PreviewState, TaskEffect, TaskPreview


def sample_preview(now: datetime, hostile: str) -> Preview:
    """A task that would change something, said in hostile words, and one that is not checked."""
    return Preview(
        state=PreviewState.COMPLETE,
        text="of the tasks 1 would change something, 1 cannot be checked",
        at=now - timedelta(minutes=3),
        tasks=(
            TaskPreview(
                host="db1",
                task=hostile,
                module="ansible.builtin.copy",
                effect=TaskEffect.WOULD_CHANGE,
                diff=f"-before\n+{hostile}",
                text=hostile,
            ),
            TaskPreview(
                host="db1",
                task="Restart",
                module="ansible.builtin.command",
                effect=TaskEffect.NOT_CHECKED,
                text="service postgresql restart",
            ),
        ),
        unchanged=3,
    )
