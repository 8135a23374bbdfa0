"""A bad morning at a shop, told by the real decision function: what the pages are tried on.

Some of its labels are hostile: whoever shows them has to keep them text.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from agent.model.alert import Alert
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
    Run,
    RunState,
)
from agent.model.entry import AlertsReceived, ChangeReported, SilenceAdded, What
from agent.model.incident import TimelineItem
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.policy import Approval, Decision, Verdict
from agent.model.problem import (
    Fix,
    KnownError,
    Occurrence,
    Problem,
    ProblemState,
    Proposal,
    Record,
    Workaround,
)
from agent.model.reason import Reason
from agent.model.remediation import (
    Host,
    HostStats,
    Outcome,
    Phase,
    Remediation,
    RunLine,
    RunResult,
)
from agent.model.reported import ChangeReport, Progress
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.silence import Silence
from agent.runtime.intake import Intake, IntakeMetrics
from agent.runtime.tokens import Keyring, record_of
from agent.web.auth import Access
from agent.web.body import Bodies, Limits
from agent.web.metrics import HttpMetrics
from agent.web.session import Sessions
from agent.web.site import About, Site
from tests.web.memory import ManualClock, MemoryHistory, MemoryLoop
from tests.web.sample_preview import sample_preview

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HOSTILE = "<script>window.__xss=1</script><img src=x onerror=window.__xss=1>"
TOKENS = {"ada": ("admin",), "otto": ("operator",), "vera": ("viewer",)}
"""Who may sign in, with which roles."""


def token_of(name: str) -> str:
    """The token of one of them: the same in every run, and long enough to be one."""
    return "wk_" + hashlib.sha256(name.encode()).hexdigest()


class RunningClock(ManualClock):
    """A wall clock that a test moves, beside seconds that run: streams need them."""

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Sample:
    """The agent of a bad morning."""

    loop: MemoryLoop
    history: MemoryHistory
    clock: RunningClock


def site_of(sample: Sample, *, tokens_required: bool = False) -> Site:
    """The site over a sample, as the composition root would make it."""
    registry, limits = CollectorRegistry(), Limits()
    keyring = Keyring(
        record_of(token_of(name), name=name, roles=roles, at=NOW) for name, roles in TOKENS.items()
    )
    return Site(
        loop=sample.loop,
        store=sample.history,
        intake=Intake(sample.loop, IntakeMetrics(registry)),
        clock=sample.clock,
        parsers={},
        guarded_sources=frozenset(),
        access=Access(is_loopback=True, tokens_required=tokens_required),
        keyring=keyring,
        tokens=sample.history,
        sessions=Sessions(keyring),
        limits=limits,
        bodies=Bodies(limits, sample.clock.monotonic),
        metrics=HttpMetrics(registry),
        registry=registry,
        about=About(version="0", started_at=NOW, problems=tuple),
    )


def _matches(**labels: str) -> tuple[tuple[Matcher, ...], ...]:
    return (
        tuple(
            Matcher(name=name, operator=MatchOperator.EQUAL, value=value)
            for name, value in labels.items()
        ),
    )


def _entity(kind: EntityKind, name: str, title: str = "", **more: object) -> Entity:
    ref = f"{kind}:default/{name}"
    return Entity(ref=ref, kind=kind, name=name, title=title, **more)  # type: ignore[arg-type]


def shop() -> ServiceMap:
    """Two domains: a shop on two web servers, a database and a cache; and an office."""
    system, component, resource = EntityKind.SYSTEM, EntityKind.COMPONENT, EntityKind.RESOURCE
    commerce, office = "domain:default/commerce", "domain:default/office"
    team = "group:default/payments-team"
    database = "resource:default/orders-db"
    entities = [
        _entity(EntityKind.DOMAIN, "commerce", "Commerce", owner="group:default/board"),
        _entity(EntityKind.DOMAIN, "office", "Office"),
        _entity(EntityKind.GROUP, "payments-team", "Payments team"),
        _entity(EntityKind.GROUP, "board", "Board"),
        _entity(
            system, "checkout", "Checkout", part_of=commerce, tier=1, objective=99.9, owner=team,
            depends_on=("component:default/checkout-api",),
        ),
        _entity(
            system, "catalogue", "Catalogue", part_of=commerce, tier=2, objective=99.5,
            depends_on=("component:default/catalogue-api",),
        ),
        _entity(
            component, "checkout-api", "Checkout API", part_of="system:default/checkout", tier=1,
            depends_on=(database, "resource:default/sessions"), owner=team,
            matches=_matches(service="checkout"), type="service",
        ),
        _entity(
            component, "catalogue-api", "Catalogue API", part_of="system:default/catalogue",
            depends_on=(database,), matches=_matches(service="catalogue"), type="service",
        ),
        _entity(
            resource, "orders-db", "Orders database", type="database", owner=team, tier=1,
            matches=_matches(service="orders-db"), part_of="system:default/checkout",
            host=Host(name="db1", address="127.0.0.11", port=2211),
        ),
        _entity(
            resource, "sessions", "Session cache", type="cache",
            matches=_matches(service="sessions"), part_of="system:default/checkout",
        ),
        _entity(system, "mail", "Mail", part_of=office, tier=3, matches=_matches(service="mail")),
        _entity(system, "meeting-rooms", "Meeting rooms", part_of=office),
    ]  # fmt: skip
    return ServiceMap.of({entity.ref: entity for entity in entities})


def alert(name: str, minutes_ago: float, /, summary: str = "", **labels: str) -> Alert:
    """An alert that began so long ago."""
    everything: Mapping[str, str] = {"alertname": name, **labels}
    return Alert(
        fingerprint=fingerprint(everything),
        labels=everything,
        annotations={"summary": summary} if summary else {},
        starts_at=NOW - timedelta(minutes=minutes_ago),
        generator_url="http://prometheus.example/graph?g0.expr=up",
    )


async def bad_morning() -> Sample:
    """A database that takes two services down, mail that grumbles, and hostile words."""
    remediation = Remediation(
        name="restart-service",
        title="Restart one service of a host",
        digest="sha256:" + "4f1c" * 16,
        author="person:grace",
        has_rollback=True,
    )
    config = Config(
        digest="sample", service_map=shop(), remediations={remediation.name: remediation}
    )
    clock, history = RunningClock(NOW - timedelta(hours=2)), MemoryHistory()
    sample = Sample(MemoryLoop(config, clock, history), history, clock)
    for minutes_ago, what in _happenings():
        clock.pass_by(NOW - timedelta(minutes=minutes_ago) - clock.now())
        await sample.loop.append(what)
    clock.pass_by(NOW - clock.now())
    _add_changes(sample)
    return sample


def _happenings() -> Iterator[tuple[float, What]]:
    down, errors = "The database refuses connections", "5xx above 20 %"
    deployed = ChangeReport(
        key="deployment/12",
        at=NOW - timedelta(minutes=19),
        summary="Deployment of orders-db",
        progress=Progress.SUCCEEDED,
        environment="production",
        version="main@f95f852",
        actor="anna",
        url="javascript:alert(1)",
        names={"entity": "resource:default/orders-db"},
    )
    yield 18, ChangeReported(source="github", report=deployed)
    alerts = (
        alert("DatabaseDown", 14, down, service="orders-db", severity="critical"),
        alert("HighErrorRate", 13, errors, service="checkout", severity="critical"),
        alert("HighErrorRate", 13, errors, service="catalogue", severity="warning"),
        alert("MailQueueLong", 9, "1,204 messages wait", service="mail", severity="warning"),
        alert(HOSTILE, 3, HOSTILE, team=HOSTILE, severity="info", url="javascript:alert(1)"),
    )
    for one in alerts:
        minutes_ago = (NOW - one.starts_at) / timedelta(minutes=1) - 0.5
        yield minutes_ago, AlertsReceived(source="prometheus", alerts=(one,))
    yield 1, SilenceAdded(silence=_silence())


def _add_changes(sample: Sample) -> None:
    first = min(sample.loop.state.incidents.values(), key=lambda one: one.opened_at)
    waiting = _change("CHG-902", ChangeState.AWAITING_APPROVAL, first.id, minutes_ago=4)
    waiting = replace(
        waiting,
        decision=Decision(
            verdict=Verdict.NEEDS_APPROVAL,
            reason=Reason.APPROVAL_NEEDED,
            text="A database of tier 1 needs the word of an SRE.",
            rule="tier-1-needs-approval",
            roles=("sre", "admin"),
            approvals=1,
        ),
        attempt=2,
        preview=sample_preview(NOW, HOSTILE),
        approvals=(
            Approval(
                by="grace", at=NOW, role="sre", binding="sha256:older", note="before the edit"
            ),
        ),
    )
    failed = replace(
        _change("CHG-901", ChangeState.CLOSED, first.id, minutes_ago=11),
        closure=Closure.FAILED,
        run="RUN-901",
        outcome_text="The service was restarted, but the alert did not clear within 2 min.",
        decision=Decision(
            verdict=Verdict.ALLOWED,
            reason=Reason.STANDARD_CHANGE,
            text="A standard change outside of any freeze.",
            rule="standard",
        ),
    )
    running = replace(
        _change("CHG-903", ChangeState.RUNNING, None, minutes_ago=1),
        entity="system:default/mail",
        title="Flush the mail queue",
        run="RUN-903",
    )
    for change in (failed, waiting, running):
        sample.history.keep([change])
        if change.is_open:
            sample.loop.state.changes[change.id] = change
        story = f"{change.requested_by} asked for {change.remediation}."
        asked = TimelineItem(
            at=change.requested_at, subject=change.id, reason=Reason.REQUESTED, text=story
        )
        sample.history.keep([asked])
    sample.loop.state.incidents[first.id] = known = replace(
        first,
        changes=("CHG-901", "CHG-902"),
        problem="PRB-1",
        workaround=Workaround(
            problem="PRB-1",
            cause="The connection pool leaks",
            text="Restart the database",
            record=Record(remediation="restart-service", tried=2, verified=1),
        ),
    )
    sample.history.keep([known])
    _add_runs(sample)
    sample.history.keep([_problem(first.id)])


def _problem(incident: str) -> Problem:
    return Problem(
        id="PRB-1",
        state=ProblemState.FIX_PLANNED,
        title="Orders database: DatabaseDown again and again",
        opened_at=NOW - timedelta(days=2),
        signature="resource:default/orders-db DatabaseDown",
        cause="resource:default/orders-db",
        incidents=("INC-77", "INC-78", incident),
        reason=Reason.RECURRED,
        occurrences=tuple(_occurrence(days) for days in (61, 40, 9, 8, 3, 2, 1)),
        proposal=Proposal(
            cause="resource:default/orders-db",
            times=6,
            of=7,
            evidence=("alerts itself", HOSTILE),
            workaround=Record(remediation="restart-service", tried=2, verified=1),
        ),
        known_error=KnownError(
            cause="The connection pool leaks",
            workaround="Restart the database",
            remediation="restart-service",
            by="grace",
            at=NOW - timedelta(days=1),
        ),
        fix=Fix(change="https://git.example.org/41", by="grace", at=NOW, note=HOSTILE),
    )


def _occurrence(days_ago: int) -> Occurrence:
    at = NOW - timedelta(days=days_ago)
    return Occurrence(
        incident=f"INC-{80 - days_ago}",
        started_at=at,
        ended_at=at + timedelta(minutes=12 + days_ago),
        cost=1200.0 * days_ago,
        tried=("restart-service",),
        helped=("restart-service",) if days_ago % 2 else (),
    )


def _change(identifier: str, state: ChangeState, incident: str | None, minutes_ago: int) -> Change:
    return Change(
        id=identifier,
        state=state,
        type=ChangeType.NORMAL,
        title="Restart postgresql on db1",
        remediation="restart-service",
        digest="sha256:" + "4f1c" * 16,
        entity="resource:default/orders-db",
        hosts=(Host(name="db1", address="127.0.0.11", port=2211),),
        parameters={"service": "postgresql", "note": HOSTILE},
        requested_by="rule:restart-what-is-down",
        rule_author="person:grace",
        requested_at=NOW - timedelta(minutes=minutes_ago),
        binding="sha256:" + "b1d2" * 16,
        incident=incident,
        trigger="0123456789abcdef",
    )


def _add_runs(sample: Sample) -> None:
    begun = NOW - timedelta(minutes=10)
    result = RunResult(
        outcome=Outcome.CHANGED,
        summary="1 host changed in 4 s.",
        stats=(HostStats(host="db1", ok=3, changed=1),),
        started_at=begun,
        ended_at=begun + timedelta(seconds=4),
    )
    over = Run(
        id="RUN-901", change="CHG-901", phase=Phase.REMEDIATE, state=RunState.FINISHED,
        requested_at=begun, launched_at=begun, result=result,
    )  # fmt: skip
    going = Run(
        id="RUN-903", change="CHG-903", phase=Phase.REMEDIATE, state=RunState.RUNNING,
        requested_at=NOW, launched_at=NOW - timedelta(seconds=20),
    )  # fmt: skip
    for run in (over, going):
        sample.history.keep([run])
    sample.loop.state.runs[going.id] = going
    tasks = (
        ("Look at the service", "ok: [db1]"),
        ("Restart the service", "changed: [db1]"),
        ("Restart the service", f'msg: "{HOSTILE}"'),
        ("Wait for its port", "ok: [db1]"),
    )
    for run in (over, going):
        sample.history.lines += [
            RunLine(run=run.id, number=number, at=begun, task=task, host="db1", text=text)
            for number, (task, text) in enumerate(tasks, start=1)
        ]


def _silence() -> Silence:
    matcher = Matcher(name="alertname", operator=MatchOperator.REGEX, value="Backup.*")
    return Silence(
        id="11111111-2222-3333-4444-555555555555",
        matchers=(matcher,),
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(hours=3),
        created_by="otto",
        comment="New tape library, see the plan",
        updated_at=NOW - timedelta(hours=1),
    )
