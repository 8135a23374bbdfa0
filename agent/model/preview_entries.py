"""What can happen to a preview: a part of the closed union in `model.entry`."""

from dataclasses import dataclass

from agent.model.preview import Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPreviewed:
    """Check mode showed what a run of this change would do; None where it was ended unheard."""

    effect: str
    change: str
    preview: Preview | None
