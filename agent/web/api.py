"""Every route of the API in one table; the console adds its own (`agent.web.pages`)."""

from agent.web import (
    alertmanager,
    alertmanager_silences,
    api_access,
    api_autonomy,
    api_calendars,
    api_changes,
    api_corrections,
    api_discovery,
    api_explain,
    api_incidents,
    api_map,
    api_problems,
    api_reported,
    api_reports,
    api_review,
    api_self,
    api_sources,
    api_suggestions,
)
from agent.web.routes import Route

API_ROUTES: tuple[Route, ...] = (
    *alertmanager.ROUTES,
    *alertmanager_silences.ROUTES,
    *api_sources.ROUTES,
    *api_incidents.ROUTES,
    *api_corrections.ROUTES,
    *api_changes.ROUTES,
    *api_calendars.ROUTES,
    *api_autonomy.ROUTES,
    *api_map.ROUTES,
    *api_problems.ROUTES,
    *api_reported.ROUTES,
    *api_suggestions.ROUTES,
    *api_discovery.ROUTES,
    *api_reports.ROUTES,
    *api_review.ROUTES,
    *api_explain.ROUTES,
    *api_access.ROUTES,
    *api_self.ROUTES,
)
