"""A recorded alert stream, played anew: for machines where no real hosts can be made.

The recording holds what a real Prometheus posted, in chapters such as "nginx stops"; `record.py`
makes it. Times are moved to the present when it is played, so that to the receiver it is live.
"""

import asyncio
import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded.jsonl"
POST_S_MAX = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One POST to an Alertmanager API: in which chapter, how long after its start, and what."""

    chapter: str
    chapter_began: datetime
    after: timedelta
    alerts: Sequence[Mapping[str, Any]]

    def to_line(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "chapter": self.chapter,
                "chapter_began": self.chapter_began.isoformat(),
                "after_s": round(self.after.total_seconds(), 3),
                "alerts": self.alerts,
            }
        )

    @classmethod
    def from_line(cls, line: str) -> "Post":
        """The post of a line made by `to_line`."""
        read = json.loads(line)
        return cls(
            chapter=read["chapter"],
            chapter_began=datetime.fromisoformat(read["chapter_began"]),
            after=timedelta(seconds=read["after_s"]),
            alerts=read["alerts"],
        )


class Recording:
    """The chapters of a recording, to be played in their order."""

    def __init__(self, path: Path = RECORDED) -> None:
        self._posts = [Post.from_line(line) for line in path.read_text().splitlines()]
        self._starts: dict[tuple[str, str], str] = {}
        self.chapters = tuple(dict.fromkeys(post.chapter for post in self._posts))

    async def play(self, chapter: str, url: str) -> None:
        """Post one chapter to URL/api/v2/alerts at its recorded pace.

        Raises URLError where nobody listens, and for an answer that is not a success.
        """
        began = datetime.now(UTC)
        for post in self._posts:
            if post.chapter == chapter:
                wait = began + post.after - datetime.now(UTC)
                await asyncio.sleep(max(0.0, wait.total_seconds()))
                await asyncio.to_thread(_send, url, self.moved(post, began).alerts)

    def moved(self, post: Post, began: datetime) -> Post:
        """The post as if its chapter had begun at `began`; earlier firings keep their start."""
        by = began - post.chapter_began
        return replace(post, alerts=[self._moved_alert(alert, by) for alert in post.alerts])

    def _moved_alert(self, alert: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
        # A firing and its end are one occurrence only while both name the same start.
        occurrence = (json.dumps(alert["labels"], sort_keys=True), alert["startsAt"])
        starts = self._starts.setdefault(occurrence, _moved_time(alert["startsAt"], by))
        return {**alert, "startsAt": starts, "endsAt": _moved_time(alert["endsAt"], by)}


def _moved_time(text: str, by: timedelta) -> str:
    return (datetime.fromisoformat(text) + by).isoformat().replace("+00:00", "Z")


def _send(url: str, alerts: Sequence[Mapping[str, Any]]) -> None:
    request = urllib.request.Request(
        f"{url}/api/v2/alerts",
        data=json.dumps(alerts).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=POST_S_MAX).close()
