"""The demonstration does what it tells: both failures, from the alert to the verified remediation.

Real hosts, a real Prometheus, the real agent and real Ansible runs. Both acts are played once;
the tests look at what came of them.
"""

import asyncio
import io
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from agent.model.change import ChangeType, Closure
from agent.model.incident import IncidentState
from agent.model.policy import Verdict
from agent.model.remediation import Outcome
from agent.web.api_reports import ServiceAvailability
from deploy.demo import hosts as demo_hosts
from deploy.demo import monitoring as demo_monitoring
from deploy.demo.acts import ACTS, Played, Teller, play_on_hosts, tell_downtime
from deploy.demo.agent_view import AgentView
from deploy.demo.narrator import COLUMNS, Narrator
from deploy.demo.prometheus_view import Claim, fired_s
from deploy.demo.story import Records
from deploy.demo.world import raised

PLAYED_S_MAX = 180.0
DOWNTIME_TOLERANCE_S = 2.0
"""Prometheus looks once a second, and its word is a second on the way at most."""

ORDER = ("nginx", "redis")
CAUSES = {"nginx": "component:default/nginx-app1", "redis": "resource:default/redis"}
SYMPTOMS = {
    "nginx": {"component:default/checkout-app1"},
    "redis": {"component:default/checkout-app1", "component:default/checkout-app2"},
}
LOGINS = {
    "nginx": {"app1": 1, "app2": 0, "app3": 0},
    "redis": {"app1": 0, "app2": 0, "app3": 1},
}
SEEN_BY = {
    "component:default/nginx-app1": Claim("ServiceDown", "app1"),
    "component:default/checkout-app1": Claim("CheckoutFailing", "app1"),
    "component:default/checkout-app2": Claim("CheckoutFailing", "app2"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Everything that the tests look at."""

    acts: Mapping[str, Played]
    availability: Mapping[str, ServiceAvailability]
    fired_s: Mapping[str, float]
    text: str

    def only(self, act: str) -> Records:
        """The records of an act that has one incident."""
        (records,) = self.acts[act].records
        return records


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def performance() -> AsyncIterator[Performance]:
    """Both acts, played in about forty seconds."""
    if reason := demo_hosts.why_not() or demo_monitoring.why_not():
        pytest.skip(reason)
    # a short path: SSH's control sockets live below it
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    try:
        async with asyncio.timeout(PLAYED_S_MAX):
            yield await _performed(folder)
    finally:
        shutil.rmtree(folder)


async def _performed(folder: Path) -> Performance:
    paper = io.StringIO()
    narrator = Narrator(console=Console(file=paper, width=COLUMNS))
    async with raised(folder, narrator, tickets=False) as world:
        view, began = AgentView(world.agent.url), datetime.now(UTC)
        acts = {}
        for act in ACTS:
            acts[act.service] = await play_on_hosts(
                act,
                hosts=world.hosts,
                monitoring=world.monitoring,
                teller=Teller(view, world.inbox, narrator),
                narrator=narrator,
            )
            await tell_downtime(view, narrator, acts[act.service].records)
        report = view.availability(began, datetime.now(UTC))
        return Performance(
            acts=acts,
            availability={row.entity: row for row in report.services},
            fired_s={ref: fired_s(world.monitoring.url, claim) for ref, claim in SEEN_BY.items()},
            text=paper.getvalue(),
        )


@pytest.mark.parametrize("act", ORDER)
def test_one_failure_is_one_incident_with_its_cause(performance: Performance, act: str) -> None:
    """Whoever suffers is a symptom: the cause is what was stopped, and it is the only incident."""
    incident = performance.only(act).incident.incident

    assert CAUSES[act] == incident.cause
    assert {CAUSES[act], *SYMPTOMS[act]} == set(incident.entities)
    assert incident.causes[0].evidence_for


@pytest.mark.parametrize("act", ORDER)
def test_the_standard_rule_allows_one_change(performance: Performance, act: str) -> None:
    """There is one change, and policy's rule for standard changes let it run."""
    (change,) = performance.only(act).incident.changes

    assert change.decision is not None
    assert (ChangeType.STANDARD, Verdict.ALLOWED) == (change.type, change.decision.verdict)
    assert change.decision.rule == "standard-changes"
    assert CAUSES[act] == change.entity


@pytest.mark.parametrize("act", ORDER)
def test_one_run_changes_the_right_host_and_no_other(performance: Performance, act: str) -> None:
    """The agent says so, and the logs of the hosts' own SSH servers say the same."""
    (run,) = performance.only(act).incident.runs

    assert run.result is not None
    assert Outcome.CHANGED == run.result.outcome
    assert [host for host, count in LOGINS[act].items() if count] == [
        stats.host for stats in run.result.stats
    ]
    assert LOGINS[act] == performance.acts[act].logins


@pytest.mark.parametrize("act", ORDER)
def test_what_helped_is_verified_and_said_to_be_automation(
    performance: Performance, act: str
) -> None:
    """The change closes as a success only by its signal, and the incident is not a person's."""
    records = performance.only(act)
    (change,) = records.incident.changes

    assert Closure.SUCCESS == change.closure
    assert {"verifying", "verified"} <= {str(item.reason) for item in records.changes[0].timeline}
    assert IncidentState.CLOSED == records.incident.incident.state
    assert records.incident.incident.automated


@pytest.mark.parametrize("entity", SEEN_BY)
def test_downtime_is_what_prometheus_saw(performance: Performance, entity: str) -> None:
    """The availability report agrees with an independent count of the same failures."""
    seen = performance.fired_s[entity]

    assert seen > 0
    assert performance.availability[entity].down_s == pytest.approx(seen, abs=DOWNTIME_TOLERANCE_S)
    assert performance.availability[entity].unknown_s == 0


def test_who_was_spared_was_never_down(performance: Performance) -> None:
    """The nginx of the other host served all the time."""
    spared = performance.availability["component:default/nginx-app2"]

    assert (0, 0, ()) == (spared.down_s, spared.degraded_s, spared.incidents)


def test_all_stages_are_told_in_eighty_columns(performance: Performance) -> None:
    """A newcomer reads the whole way of a failure, in a terminal of any size."""
    lines = performance.text.splitlines()
    stages: Sequence[str] = (
        *("broken", "alert", "incident", "cause", "change", "policy", "message", "run"),
        *("verifying", "resolved", "verified", "closed", "seen", "downtime"),
    )

    assert [] == [line for line in lines if len(line) > COLUMNS]
    assert [] == [name for name in stages if f" s  {name} " not in performance.text]
