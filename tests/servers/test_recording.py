"""The recorded stream is what Prometheus posts, and stays so when it is played later."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.recording import Recording
from tests.servers.world import Recorder

CHAPTERS = ("nginx stops", "nginx returns", "redis stops", "redis returns")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_recording_tells_both_failures(chapter: str) -> None:
    """Each failure and each return has its chapter."""
    assert chapter in Recording().chapters


async def test_a_played_end_belongs_to_its_played_beginning(recorder: Recorder) -> None:
    """Played now, nginx fires now, and ends with the very start that it fired with."""
    recording = Recording()
    before = datetime.now(UTC)

    for chapter in CHAPTERS[:2]:
        await recording.play(chapter, f"http://{recorder.address}")

    nginx = [
        alert
        for received in recorder.received
        for alert in received.alerts
        if alert["labels"].get("service") == "nginx"
    ]
    starts = {datetime.fromisoformat(alert["startsAt"]) for alert in nginx}
    ends = [datetime.fromisoformat(alert["endsAt"]) for alert in nginx]
    assert len(starts) == 1
    assert before < starts.pop() < before + timedelta(seconds=10)
    assert ends[-1] < datetime.now(UTC) < ends[0]
