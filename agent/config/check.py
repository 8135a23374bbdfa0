"""Everything that operators wrote, read and checked at once: all findings, not only the first.

Not here: putting it into force (`load`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.config import translate
from agent.config.calendars.found import Found, find_calendars
from agent.config.canonical import digest_of
from agent.config.documents import Rules, read_rules
from agent.config.policy import policy
from agent.config.relations import Known, relation_findings
from agent.config.remediations import Registry, read_remediations
from agent.config.schema_calendar import CalendarSpec
from agent.config.schema_policy import ChangePolicySpec, StandardChangeSpec
from agent.config.schema_rules import (
    HeartbeatSpec,
    InhibitRuleSpec,
    RemediationRuleSpec,
    RouteSpec,
    TicketingSpec,
    WatchSpec,
)
from agent.config.schema_settings import Settings
from agent.config.schema_signals import SignalsSpec
from agent.config.service_map import Drawing, circle_warnings, draw
from agent.config.shadowed import remediation_shadows
from agent.config.signals import signal_set
from agent.errors import Finding
from agent.model.rule import Config
from agent.model.service import ServiceMap

FINDINGS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found. Findings keep the agent from starting, warnings do not."""

    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    counts: Mapping[str, int]
    """How many of each kind there are, for people."""

    def __str__(self) -> str:
        if self.findings:
            return summary(self.findings)
        warnings = [f"{warning} (a warning)" for warning in self.warnings]
        counts = ", ".join(f"{name}: {count}" for name, count in self.counts.items() if count)
        return "\n".join([*warnings, f"All is well. {counts or 'There are no rules yet.'}"])


def summary(findings: Sequence[Finding]) -> str:
    """All findings as people are told them, one a line, and what follows from them."""
    lines = [str(finding) for finding in findings[:FINDINGS_SHOWN_MAX]]
    if len(findings) > FINDINGS_SHOWN_MAX:
        lines.append(f"... and {len(findings) - FINDINGS_SHOWN_MAX} more.")
    word = "finding" if len(findings) == 1 else "findings"
    return "\n".join([*lines, f"{len(findings)} {word}; nothing was started."])


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was read, and what came of it."""

    findings: tuple[Finding, ...]
    config: Config | None
    """None where there are findings."""
    calendars: tuple[Found, ...]
    rules: Rules = field(repr=False)
    drawing: Drawing = field(repr=False)


def check(settings: Settings) -> Report:
    """Read everything that these settings name and report on it; puts nothing into force."""
    examined = examine(settings)
    rules = examined.rules
    warnings = circle_warnings(examined.drawing)
    return Report(
        findings=examined.findings,
        warnings=tuple(
            sorted(
                [
                    *warnings,
                    *_idle_warnings(rules),
                    *_shadows(rules),
                    *_unread_warnings(examined.calendars),
                ]
            )
        ),
        counts=_counts(rules, examined.config),
    )


def examine(settings: Settings, instead: Mapping[Path, bytes] | None = None) -> Examined:
    """Read and check rules, remediations and calendars; nothing is raised, all is collected.

    `instead` gives contents that files of the rules folder would have.
    """
    rules = read_rules(settings.rules, instead) if settings.rules else Rules()
    registry = read_remediations(settings.remediations) if settings.remediations else Registry()
    drawing = draw(rules.descriptors)
    service_map = drawing.service_map()
    known = Known(settings=settings, service_map=service_map, registry=registry)
    calendars, calendar_findings = find_calendars(rules, settings, service_map)
    findings = {
        *rules.findings,
        *registry.findings,
        *drawing.findings,
        *relation_findings(rules, known),
        *calendar_findings,
    }
    return Examined(
        findings=tuple(sorted(findings)),
        config=None if findings else _config(rules, service_map, registry),
        calendars=calendars,
        rules=rules,
        drawing=drawing,
    )


def _config(rules: Rules, service_map: ServiceMap, registry: Registry) -> Config:
    config = Config(
        digest="",
        correlation=translate.correlation(rules),
        recurrence=translate.recurrence(rules),
        targets=translate.targets(rules),
        inhibit_rules=tuple(map(translate.inhibit_rule, rules.of(InhibitRuleSpec))),
        heartbeats=tuple(map(translate.heartbeat, rules.of(HeartbeatSpec))),
        remediations=dict(sorted(registry.remediations.items())),
        remediation_rules=tuple(map(translate.remediation_rule, rules.of(RemediationRuleSpec))),
        autonomy=translate.autonomy(rules),
        policy=policy(rules),
        calendars=tuple(each.name for each in rules.of(CalendarSpec)),
        routes=tuple(map(translate.route, rules.of(RouteSpec))),
        ticketing=tuple(map(translate.ticketing, rules.of(TicketingSpec))),
        watches=tuple(map(translate.watch, rules.of(WatchSpec))),
        signals=tuple(map(signal_set, rules.of(SignalsSpec))),
    )
    # Of the map only what was written counts; the rest of it follows from that.
    digest = digest_of((service_map.entities, config))
    return replace(config, digest=digest, service_map=service_map)


def _idle_warnings(rules: Rules) -> list[Finding]:
    """Rules that could never do anything."""
    if rules.one(ChangePolicySpec):
        return []
    return [
        rule.finding((), "there is no ChangePolicy, so this rule can never run anything.")
        for rule in rules.of(RemediationRuleSpec)
    ]


def _shadows(rules: Rules) -> list[Finding]:
    return list(remediation_shadows(rules.of(RemediationRuleSpec)))


def _unread_warnings(calendars: Sequence[Found]) -> list[Finding]:
    """Subscriptions without a usable copy: until there is one, nothing runs."""
    return [
        Finding(
            file=each.document,
            line=1,
            column=1,
            message=f"{each.problem}: nothing runs before it is.",
        )
        for each in calendars
        if each.problem
    ]


def _counts(rules: Rules, config: Config | None) -> dict[str, int]:
    return {
        "entities": len(rules.descriptors),
        "remediations": len(config.remediations) if config else 0,
        "remediation rules": len(rules.of(RemediationRuleSpec)),
        "standard changes": len(rules.of(StandardChangeSpec)),
        "calendars": len(rules.of(CalendarSpec)),
        "inhibit rules": len(rules.of(InhibitRuleSpec)),
        "heartbeats": len(rules.of(HeartbeatSpec)),
        "watches": len(rules.of(WatchSpec)),
        "signals": sum(len(each.spec.signals) for each in rules.of(SignalsSpec)),
        "routes": len(rules.of(RouteSpec)),
        "ticketings": len(rules.of(TicketingSpec)),
    }
