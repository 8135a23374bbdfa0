"""What the demonstration's Prometheus claims, asked from outside the agent: an independent view."""

import json
import urllib.request
from dataclasses import dataclass

from deploy.demo.programs import ANSWER_S_MAX


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One alert by its name and the host it is about."""

    alertname: str
    host: str


def firing(url: str) -> frozenset[Claim]:
    """The alerts that fire now at this Prometheus; those without a host are left out."""
    with urllib.request.urlopen(f"{url}/api/v1/alerts", timeout=ANSWER_S_MAX) as answer:
        alerts = json.load(answer)["data"]["alerts"]
    return frozenset(
        Claim(alert["labels"]["alertname"], alert["labels"]["host"])
        for alert in alerts
        if alert["state"] == "firing" and "host" in alert["labels"]
    )
