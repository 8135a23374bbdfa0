"""The console: pages on the server, readable and operable without a script.

`page_routes` is everything; what a page shows is worked out in `agent.web.views`.
"""

from pathlib import Path

from agent.web.assets import STATIC, load_assets
from agent.web.live import live_route
from agent.web.pages.audit import AuditPages
from agent.web.pages.autonomy import AutonomyPages
from agent.web.pages.cab import CabPages
from agent.web.pages.changes import ChangePages
from agent.web.pages.corrections import CorrectionPages
from agent.web.pages.files import StaticFiles
from agent.web.pages.incidents import IncidentPages
from agent.web.pages.problems import ProblemPages
from agent.web.pages.render import Renderer
from agent.web.pages.services import ServicePages
from agent.web.pages.sign_in import SignInPages
from agent.web.pages.silences import SilencePages
from agent.web.pages.suggestions import SuggestionPages
from agent.web.routes import Route


def page_routes(static: Path = STATIC) -> tuple[Route, ...]:
    """All routes of the console; reads templates and files once, here."""
    assets = load_assets(static)
    renderer = Renderer(assets)
    return (
        *ServicePages(renderer).routes(),
        *SuggestionPages(renderer).routes(),
        *CabPages(renderer).routes(),
        *IncidentPages(renderer).routes(),
        *CorrectionPages(renderer).routes(),
        *ChangePages(renderer).routes(),
        *AutonomyPages(renderer).routes(),
        *AuditPages(renderer).routes(),
        *ProblemPages(renderer).routes(),
        *SilencePages(renderer).routes(),
        *SignInPages(renderer).routes(),
        *StaticFiles(assets, static).routes(),
        live_route(),
    )
