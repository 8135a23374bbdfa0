"""The company of the simulated world: its map, and the rule sets that come into force there.

Small on purpose: a shared database under a redundant pair, two services on one host, a circle-free
chain of different lengths, a service without a host, and labels that no entity answers to.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from agent.model.alert import Severity
from agent.model.autonomy import AutonomyLimits, Mode, Promotion
from agent.model.labels import Matcher, MatchOperator
from agent.model.policy import ConflictKind, Policy, PolicyRule, Verdict
from agent.model.remediation import Host, Parameter, ParameterType, Remediation, Verification
from agent.model.rule import (
    Config,
    Correlation,
    Heartbeat,
    InhibitRule,
    ParameterSource,
    Recurrence,
    RemediationRule,
    Route,
    Ticketing,
)
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.signal import Signal, SignalKind, SignalSet, Unit
from agent.model.standard import StandardChange

ON: Mapping[str, tuple[str, ...]] = {
    "shop": ("web1", "web2", "cache"),
    "web1": ("db",),
    "web2": ("db",),
    "db": (),
    "cache": (),
    "worker": ("queue", "db"),
    "queue": (),
    "mail": ("queue",),
}
"""What each service rests on."""

HOSTS: Mapping[str, str] = {
    "web1": "app1",
    "web2": "app2",
    "db": "app3",
    "cache": "app4",
    "worker": "app5",
    "queue": "app5",
}
"""Where each service runs; two of them share a host."""

SERVICES = tuple(ON)


def ref_of(service: str) -> str:
    """The entity of a service."""
    return f"component:default/{service}"


def _equal(name: str, value: str) -> Matcher:
    return Matcher(name=name, operator=MatchOperator.EQUAL, value=value)


def _entity(name: str) -> Entity:
    host = HOSTS.get(name)
    return Entity(
        ref=ref_of(name),
        kind=EntityKind.COMPONENT,
        name=name,
        depends_on=tuple(ref_of(lower) for lower in ON[name]),
        matches=((_equal("service", name),),),
        redundancy_group="web" if name in ("web1", "web2") else None,
        min_up=1 if name == "web1" else None,
        objective=99.0 if name == "mail" else None,
        objective_window=timedelta(hours=24) if name == "mail" else None,
        host=Host(name=host, address="127.0.0.1") if host else None,
        tier=1 if name == "shop" else None,
        owner="group:default/dba" if name == "db" else None,
    )


def _map(*without: str) -> ServiceMap:
    return ServiceMap.of({ref_of(name): _entity(name) for name in ON if name not in without})


_SERVICE = Parameter(name="service", type=ParameterType.STRING, pattern="[a-z][a-z0-9-]{0,30}")

RESTART = Remediation(
    name="restart-service",
    title="Restart a service",
    digest="sha256:restart-1",
    author="ann",
    parameters=(_SERVICE,),
    change_model="standard",
    has_rollback=True,
    verification=Verification(
        promql='up{host="$host"} == 1',
        stable_for=timedelta(seconds=10),
        within=timedelta(minutes=3),
        every=timedelta(seconds=10),
    ),
    timeout=timedelta(minutes=2),
    cooldown=timedelta(minutes=5),
    attempts_max=2,
)
FAILOVER = Remediation(
    name="fail-over",
    title="Fail over",
    digest="sha256:failover-1",
    author="bob",
    parameters=(_SERVICE,),
    change_model="normal",
    verification=Verification(stable_for=timedelta(seconds=20), every=timedelta(seconds=10)),
    timeout=timedelta(minutes=4),
    cooldown=timedelta(minutes=15),
    attempts_max=1,
)
REMEDIATIONS = {RESTART.name: RESTART, FAILOVER.name: FAILOVER}

ON_A_WORD = Promotion(precision=0.0, confidence=0.5, cases=0, minimum_uplift=-1.0)
"""What was demoted comes back by a signature: worlds are short."""


def _about_slowness(name: str, services: str, mode: Mode) -> RemediationRule:
    return RemediationRule(
        name=name,
        author="ann",
        when=f'alert.name == "ServiceSlow" && alert.labels.service in {services}',
        remediation=RESTART.name,
        parameters={"service": ParameterSource(label="service")},
        mode=mode,
        promotion=ON_A_WORD,
    )


RULES = (
    RemediationRule(
        name="restart-what-is-down",
        author="ann",
        when='alert.name == "ServiceDown" && alert.labels.service != "queue"',
        remediation=RESTART.name,
        parameters={"service": ParameterSource(label="service")},
        mode=Mode.AUTO,
        promotion=ON_A_WORD,
    ),
    RemediationRule(
        name="fail-the-queue-over",
        author="bob",
        when='alert.name == "ServiceDown" && alert.labels.service == "queue"',
        remediation=FAILOVER.name,
        parameters={"service": ParameterSource(label="service")},
        mode=Mode.AUTO,
        promotion=ON_A_WORD,
        settle=timedelta(seconds=30),
    ),
    _about_slowness("watch-slow-caches", '["cache", "mail"]', Mode.OBSERVE),
    _about_slowness("suggest-for-slow-webs", '["web1", "web2"]', Mode.SUGGEST),
    _about_slowness("ask-about-slow-databases", '["db", "worker"]', Mode.APPROVE),
    _about_slowness("restart-slow-queues", '["queue"]', Mode.AUTO),
)

APPROVERS = ("ann", "bob", "carol", "dave")
"""All of them hold the role `approver`; ann and bob also wrote the rules."""

TEMPLATE = StandardChange(
    name="restarts",
    remediation="restart-service",
    owner="ann",
    expires=date(2100, 1, 1),
    digest="template-1",
    failures=100,
    failures_of=100,
)
POLICY = Policy(
    digest="policy-1",
    standard=(TEMPLATE,),
    rules=(
        PolicyRule(name="standard", when='change.type == "standard"', verdict=Verdict.ALLOWED),
        PolicyRule(
            name="normal",
            when='change.type == "normal"',
            verdict=Verdict.NEEDS_APPROVAL,
            roles=("approver",),
            approval_expires=timedelta(hours=1),
        ),
        PolicyRule(
            name="emergency",
            when='change.type == "emergency"',
            verdict=Verdict.NEEDS_APPROVAL,
            roles=("approver",),
            approval_expires=timedelta(minutes=20),
        ),
    ),
    concurrency_max=1,
)
STRICTER = replace(
    POLICY,
    digest="policy-2",
    concurrency_max=2,
    rules=(POLICY.rules[0], replace(POLICY.rules[1], approvals=2), POLICY.rules[2]),
    windows_required=True,
    conflicts_defer=tuple(ConflictKind),
    standard=(replace(TEMPLATE, digest="template-2", uses=6, failures=2, failures_of=4),),
)

WATCHDOG = Heartbeat(
    name="watchdog", matchers=(_equal("alertname", "Watchdog"),), severity=Severity.WARNING
)
INHIBIT = InhibitRule(
    name="down-hides-slow",
    source=(_equal("alertname", "ServiceDown"),),
    target=(_equal("alertname", "ServiceSlow"),),
    equal=("service",),
)

SIGNALS = SignalSet(
    name="services",
    signals=(
        Signal(
            name="failed",
            kind=SignalKind.ERRORS,
            unit=Unit.RATIO,
            query='failed{service="$service"}',
            complaints=(_equal("alertname", "ServiceSlow"),),
        ),
    ),
)

BASE = Config(
    digest="town",
    service_map=_map(),
    correlation=Correlation(quiet=timedelta(minutes=5)),
    recurrence=Recurrence(incidents=2, within=timedelta(days=1), absent_for=timedelta(minutes=40)),
    inhibit_rules=(INHIBIT,),
    heartbeats=(WATCHDOG,),
    remediations=REMEDIATIONS,
    remediation_rules=RULES,
    autonomy=AutonomyLimits(starts=3, bulk_targets=4),
    policy=POLICY,
    calendars=("year",),
    routes=(
        Route(name="all", receiver="pager"),
        Route(name="owners", receiver="chat", group_by=("owner",)),
    ),
    ticketing=(Ticketing(name="all", connector="desk"),),
    signals=(SIGNALS,),
)

VARIANTS: Mapping[str, Config] = {
    config.digest: config
    for config in (
        BASE,
        replace(
            BASE,
            digest="town-stricter",
            policy=STRICTER,
            autonomy=AutonomyLimits(starts=1),
        ),
        replace(
            BASE,
            digest="town-patched",
            remediations={**REMEDIATIONS, RESTART.name: replace(RESTART, digest="sha256:2")},
            inhibit_rules=(),
            correlation=replace(BASE.correlation, quiet=timedelta(minutes=8)),
        ),
        replace(BASE, digest="town-without-cache", service_map=_map("cache"), heartbeats=()),
        replace(BASE, digest="town-lawless", policy=None, signals=()),
    )
}
"""The rule sets that a reload may bring into force, by digest."""

AT_REST = replace(BASE, digest="town-at-rest", heartbeats=())
"""What is in force when the world has healed: nothing has to beat for ever."""


def digest_on_disk(config: Config, remediation: str) -> str | None:
    """What an executor would find for a remediation."""
    known = config.remediations.get(remediation)
    return known.digest if known else None
