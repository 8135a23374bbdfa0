"""Reviews of incidents: gathered from history and state, and written as Markdown.

What a review holds is worked out in `agent.reporting.review`.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.model.change import Change
from agent.model.incident import NO_CLEAR_EVIDENCE, Incident
from agent.reporting.review import Review, Story, review
from agent.web.occurrences import occurrences_of
from agent.web.site import Site
from agent.web.views.words import money, span

TEMPLATES = Path(__file__).parent / "templates"
SIMILAR_MAX = 5
SEARCHED_MAX = 100
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#])")


async def review_of(site: Site, incident: Incident) -> Review:
    """The review as it can be told now."""
    state, store = site.loop.state, site.store
    changes: list[Change] = []
    for name in incident.changes:
        change = state.changes.get(name) or await store.change(name)
        if change is not None:
            changes.append(change)
    problem = None
    if incident.problem is not None:
        known = state.problems.get(incident.problem)
        problem = known or await store.problem(incident.problem)
    return review(
        Story(
            incident=incident,
            timeline=await store.timeline(incident.id),
            alerts=await occurrences_of(site, incident.id),
            changes=changes,
            problem=problem,
            similar=await _similar(site, incident),
            service_map=state.config.service_map,
            now=site.clock.now(),
        )
    )


def as_markdown(told: Review) -> str:
    """The review as text that reads well as it stands; what came from outside is no markup."""
    return _environment().get_template("review.md").render(review=told)


async def _similar(site: Site, incident: Incident) -> list[Incident]:
    """Others of its pattern, the newest first."""
    if incident.pattern in (None, NO_CLEAR_EVIDENCE) or incident.cause is None:
        return []
    found = await site.store.incidents(entity=incident.cause, limit=SEARCHED_MAX)
    alike = [one for one in found if one.pattern == incident.pattern and one.id != incident.id]
    return [one for one in alike if one.started_at < incident.started_at][:SIMILAR_MAX]


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - it makes Markdown; `plain` takes the markup out
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(plain=_plain, span=_span, moment=_moment, money=money)
    return made


def _plain(text: str) -> str:
    """Words from outside on one line, so that they mark nothing up."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _span(length: timedelta | None) -> str:
    return "not known" if length is None else span(length)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
