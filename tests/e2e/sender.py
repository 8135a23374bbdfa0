"""A monitoring that looks at the host of the company and says again and again what it sees.

It stands in for Prometheus where a test needs to know which of its words were answered.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from tests.e2e.company import Company

EVERY_S = 0.2
ANSWER_S_MAX = 5.0
LEASE = timedelta(minutes=4)


def alert(service: str = "web", name: str = "Down", **more: Any) -> dict[str, Any]:
    """An alert as Prometheus posts it; `more` are its other fields."""
    labels = {"alertname": name, "service": service, "severity": "critical"}
    return {"labels": labels | more.pop("labels", {}), **more}


def moment(at: datetime) -> str:
    """As Prometheus writes it."""
    return at.isoformat()


@dataclass(slots=True)
class Sender:
    """Posts `Down` for each service while it is down, and for a while that it is up again."""

    company: Company
    is_down: Callable[[str], bool]
    services: tuple[str, ...] = ("web",)
    acknowledged: set[str] = field(default_factory=set)
    """Services whose firing alert was answered with 2xx."""
    ended: set[str] = field(default_factory=set)
    """Services whose end was."""
    began: dict[str, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        """Post until cancelled; an agent that does not answer is told again."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                for service in self.services:
                    await self._say(session, service)
                await asyncio.sleep(EVERY_S)

    async def _say(self, session: aiohttp.ClientSession, service: str) -> None:
        now = datetime.now(UTC)
        is_down = self.is_down(service)
        if is_down:
            self.began.setdefault(service, now)
        if service not in self.began:
            return
        ends = now + LEASE if is_down else now
        times = {"startsAt": moment(self.began[service]), "endsAt": moment(ends)}
        headers = {"Authorization": f"Bearer {self.company.tokens['olga']}"}
        url = f"http://{self.company.address}/api/v2/alerts"
        try:
            async with session.post(url, json=[alert(service, **times)], headers=headers) as got:
                if got.status == 200:
                    (self.acknowledged if is_down else self.ended).add(service)
        except (aiohttp.ClientError, TimeoutError):
            return
