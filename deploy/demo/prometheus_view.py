"""What the demonstration's Prometheus claims, asked from outside the agent: an independent view."""

import urllib.parse
from dataclasses import dataclass

from deploy.demo.programs import get_json


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One alert by its name and the host it is about."""

    alertname: str
    host: str


def firing(url: str) -> frozenset[Claim]:
    """The alerts that fire now at this Prometheus; those without a host are left out."""
    alerts = get_json(f"{url}/api/v1/alerts")["data"]["alerts"]
    return frozenset(
        Claim(alert["labels"]["alertname"], alert["labels"]["host"])
        for alert in alerts
        if alert["state"] == "firing" and "host" in alert["labels"]
    )


def fired_s(url: str, claim: Claim) -> float:
    """For how many seconds this Prometheus has seen the alert fire; it looks once a second."""
    alerts = f'ALERTS{{alertstate="firing",alertname="{claim.alertname}",host="{claim.host}"}}'
    query = urllib.parse.urlencode({"query": f"sum(count_over_time({alerts}[1h]))"})
    (sample,) = get_json(f"{url}/api/v1/query?{query}")["data"]["result"]
    return float(sample["value"][1])
