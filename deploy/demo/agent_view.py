"""What the agent says of itself, asked over its API like any other client."""

import json
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter

from agent.model.incident import Incident
from agent.web.api_map import EntityView
from agent.web.api_reports import AvailabilityReport
from agent.web.api_views import ChangeDetail, IncidentDetail, Page, RunOutput
from deploy.demo.programs import ANSWER_S_MAX, get

T = TypeVar("T")

INCIDENTS = TypeAdapter(Page[Incident])
INCIDENT = TypeAdapter(IncidentDetail)
CHANGE = TypeAdapter(ChangeDetail)
OUTPUT = TypeAdapter(RunOutput)
REPORT = TypeAdapter(AvailabilityReport)
ENTITIES = TypeAdapter(Page[EntityView])


class AgentView:
    """Reads one agent. Everything raises URLError where it does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def incidents(self, since: datetime) -> tuple[Incident, ...]:
        """Incidents that opened since then, oldest first."""
        page = self._ask(INCIDENTS, "/api/v1/incidents")
        found = [incident for incident in page.items if incident.opened_at >= since]
        return tuple(sorted(found, key=lambda incident: incident.opened_at))

    def incident(self, identifier: str) -> IncidentDetail:
        """One incident with its story."""
        return self._ask(INCIDENT, f"/api/v1/incidents/{identifier}")

    def change(self, identifier: str) -> ChangeDetail:
        """One change with its story."""
        return self._ask(CHANGE, f"/api/v1/changes/{identifier}")

    def output(self, run: str) -> RunOutput:
        """What a run printed so far."""
        return self._ask(OUTPUT, f"/api/v1/runs/{run}/output")

    def availability(self, start: datetime, end: datetime) -> AvailabilityReport:
        """The report for a window."""
        query = urllib.parse.urlencode({"start": start.isoformat(), "end": end.isoformat()})
        return self._ask(REPORT, f"/api/v1/reports/availability?{query}")

    def titles(self) -> Mapping[str, str]:
        """What people call the entities of the map."""
        return {each.ref: each.title for each in self._ask(ENTITIES, "/api/v1/map/entities").items}

    def comment(self, token: str, text: str, incident: str) -> None:
        """Say something to an incident, as whoever has the token."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/incidents/{incident}/comment",
            data=json.dumps({"text": text}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        urllib.request.urlopen(request, timeout=ANSWER_S_MAX).close()

    def _ask(self, answer: TypeAdapter[T], path: str) -> T:
        return answer.validate_json(get(self.url + path))
