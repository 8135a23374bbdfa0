"""The conversations with AWX, each a generator that the one HTTP client drives.

By the public API documents, version 2. Nothing is ever relaunched, and no launch is repeatable.
Not here: what they are for (`executor`).
"""

import json
from collections.abc import Mapping, Sequence

from agent.connector import JSON, Exchange, Request, answer
from agent.runtime.awx.shapes import (
    EVENTS,
    JOB,
    JOBS,
    LAUNCHED,
    NAMES,
    PROJECT,
    TEMPLATE,
    Event,
    Job,
    Launched,
    Project,
    Template,
)

API = "/api/v2"
EVENTS_PAGE = 200
JOBS_LOOKED_AT = 200
"""A launch whose answer was lost is looked for among so many of the template's newest jobs."""
NOT_ALLOWED = 405


def template(number: int) -> Exchange[Template]:
    """One job template."""
    response = yield Request(method="GET", path=f"{API}/job_templates/{number}/")
    return answer(TEMPLATE, response, f"job template {number}")


def project(number: int) -> Exchange[Project]:
    """One project."""
    response = yield Request(method="GET", path=f"{API}/projects/{number}/")
    return answer(PROJECT, response, f"project {number}")


def names(inventory: int, kind: str, wanted: Sequence[str]) -> Exchange[frozenset[str]]:
    """Which of these names the inventory's `hosts`, switched on, or `groups` have."""
    query = {"name__in": ",".join(wanted), "page_size": str(len(wanted))}
    path = f"{API}/inventories/{inventory}/{kind}/"
    response = yield Request(method="GET", path=path, query=query)
    page = answer(NAMES, response, f"{kind} of inventory {inventory}")
    return frozenset(each.name for each in page.results if each.enabled)


def launch(number: int, wish: Mapping[str, object]) -> Exchange[Launched]:
    """Start a job of a template; the answer may be lost, the job not."""
    path = f"{API}/job_templates/{number}/launch/"
    body = json.dumps(wish).encode()
    response = yield Request(method="POST", path=path, headers=JSON, body=body)
    return answer(LAUNCHED, response, f"launch of job template {number}")


def job(number: int) -> Exchange[Job]:
    """One job."""
    response = yield Request(method="GET", path=f"{API}/jobs/{number}/")
    return answer(JOB, response, f"job {number}")


def find(template: int, variable: str, mark: str) -> Exchange[tuple[Job, ...]]:
    """Those of a template's newest jobs whose extra variable has exactly this value."""
    query = {
        "unified_job_template": str(template),
        "order_by": "-id",
        "page_size": str(JOBS_LOOKED_AT),
    }
    response = yield Request(method="GET", path=f"{API}/jobs/", query=query)
    page = answer(JOBS, response, f"jobs of job template {template}")
    return tuple(each for each in page.results if _variable(each, variable) == mark)


def events(number: int, after: int) -> Exchange[tuple[Event, ...]]:
    """What happened in a job after the event counted `after`, as far as it fits on a page."""
    query = {"order_by": "counter", "counter__gt": str(after), "page_size": str(EVENTS_PAGE)}
    response = yield Request(method="GET", path=f"{API}/jobs/{number}/job_events/", query=query)
    return answer(EVENTS, response, f"events of job {number}").results


def cancel(number: int) -> Exchange[bool]:
    """Ask that a job end; False where AWX says that it cannot be cancelled any more."""
    path = f"{API}/jobs/{number}/cancel/"
    response = yield Request(method="POST", path=path, headers=JSON, body=b"{}", repeatable=True)
    return response.status != NOT_ALLOWED


def _variable(job: Job, name: str) -> object:
    try:
        variables = json.loads(job.extra_vars or "{}")
    except ValueError:
        return None
    return variables.get(name) if isinstance(variables, dict) else None
