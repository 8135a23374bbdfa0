"""What a silence would mute, counted before it is made: for the page and for the API."""

from collections import Counter
from collections.abc import Sequence

from agent.core.matching import compile_all
from agent.core.state import ActiveAlert, State
from agent.model.labels import Matcher
from agent.web.slices import choose
from agent.web.views.silences import SilencePreview

SAMPLE_MAX = 20


async def preview_of(state: State, matchers: Sequence[Matcher]) -> SilencePreview:
    """What these matchers would mute of what fires now. Raises ValueError on a bad pattern."""
    holds = compile_all(matchers)
    hit = await choose(list(state.alerts.values()), lambda active: holds(active.alert.labels))
    names = dict.fromkeys(active.alert.name or "Alert without a name" for active in hit)
    return SilencePreview(
        alerts=len(hit),
        muted_already=sum(bool(active.suppressed_by) for active in hit),
        names=tuple(names)[:SAMPLE_MAX],
        incidents=tuple(sorted({active.incident for active in hit if active.incident})),
        owners=dict(sorted(Counter(_owner(state, active) for active in hit).items())),
        sample=tuple(active.alert.labels for active in hit[:SAMPLE_MAX]),
    )


def _owner(state: State, active: ActiveAlert) -> str:
    entity = state.config.service_map.entities.get(active.entity or "")
    if entity is None:
        return "unplaced"
    return entity.owner or "unowned"
