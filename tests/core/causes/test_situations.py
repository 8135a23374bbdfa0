"""What an operator is told in ten situations that every correlation has to get right.

`UPDATE_GOLDEN=1` writes the texts anew; read the difference before keeping it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.state import State
from agent.model.incident import Incident, TimelineItem
from tests.core.causes.situations.stories import STORIES
from tests.core.play import START, Play

FOLDER = Path(__file__).parent / "situations"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_situation_is_explained_as_an_operator_needs_it(story: Callable[[], Play]) -> None:
    """The incidents, the causes with what speaks for and against them, and the story of why."""
    golden = FOLDER / f"{story.__name__}.txt"
    told = "\n".join(tell(story.__doc__ or "", story())) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(told)

    assert golden.read_text() == told


def tell(title: str, play: Play) -> Iterator[str]:
    """A situation as it is explained."""
    yield title
    for incident in play.state.incidents.values():
        yield ""
        yield from _incident(play.state, incident)
        for item in play.records:
            if isinstance(item, TimelineItem) and item.subject == incident.id:
                seconds = (item.at - START).total_seconds()
                yield f"  {seconds:4.0f} s  {item.reason.value}: {item.text}"


def _incident(state: State, incident: Incident) -> Iterator[str]:
    label = state.config.service_map.label
    where = ", ".join(map(label, incident.entities)) or "unknown places"
    yield f"{incident.id} ({incident.state}): {incident.title}"
    yield f"  alerts: {incident.alerts}, on {where}"
    for place, cause in enumerate(incident.causes, 1):
        yield f"  {place}. {label(cause.entity)}  {cause.score:.0%}"
        yield from (f"       + {text}" for text in cause.evidence_for)
        yield from (f"       - {text}" for text in cause.evidence_against)
