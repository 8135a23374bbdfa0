"""From checked documents to the values that the core decides with.

Not here: any check; what arrives here has passed `schema_rules` and `relations`.
"""

from agent.config.documents import Rules, Written
from agent.config.schema_autonomy import AutonomySpec, limits, promotion
from agent.config.schema_rules import (
    CorrelationSpec,
    HeartbeatSpec,
    InhibitRuleSpec,
    RecurrenceSpec,
    RemediationRuleSpec,
    RouteSpec,
    TargetsSpec,
    ThrottleSpec,
    TicketingSpec,
    WatchSpec,
)
from agent.model.alert import Severity
from agent.model.autonomy import AutonomyLimits, Mode
from agent.model.change import ChangeType
from agent.model.incident import Priority, Targets
from agent.model.rule import (
    DEFAULT_TARGETS,
    Correlation,
    Heartbeat,
    InhibitRule,
    ParameterSource,
    Recurrence,
    RemediationRule,
    Route,
    TargetOf,
    Throttle,
    ThrottleKind,
    Ticketing,
    Watch,
)


def remediation_rule(written: Written[RemediationRuleSpec]) -> RemediationRule:
    """The rule that this document says."""
    spec = written.spec
    return RemediationRule(
        name=written.name,
        author=written.author,
        when=spec.when,
        also=tuple(spec.also),
        within=spec.within,
        remediation=spec.remediation,
        target=TargetOf(spec.target),
        parameters={
            name: ParameterSource(value=source.value, label=source.label)
            for name, source in sorted(spec.parameters.items())
        },
        change=ChangeType(spec.change) if spec.change else None,
        settle=spec.settle,
        mode=Mode(spec.mode),
        promotion=promotion(spec.promotion) if spec.promotion else None,
        throttle=_throttle(spec.throttle) if spec.throttle else None,
    )


def _throttle(spec: ThrottleSpec) -> Throttle:
    spans = {
        ThrottleKind.ONCE_WITHIN: spec.once_within,
        ThrottleKind.ONCE_AFTER: spec.once_after,
        ThrottleKind.ACCUMULATE_WITHIN: spec.accumulate_within,
    }
    ((kind, span),) = [(kind, span) for kind, span in spans.items() if span is not None]
    return Throttle(
        kind=kind, span=span, group_by=tuple(spec.group_by), threshold=spec.threshold or 1
    )


def autonomy(rules: Rules) -> AutonomyLimits:
    """What the one document says, or the defaults."""
    written = rules.one(AutonomySpec)
    return limits(written.spec if written else AutonomySpec())


def inhibit_rule(written: Written[InhibitRuleSpec]) -> InhibitRule:
    """The rule that this document says."""
    spec = written.spec
    return InhibitRule(
        name=written.name, source=spec.source, target=spec.target, equal=tuple(spec.equal)
    )


def heartbeat(written: Written[HeartbeatSpec]) -> Heartbeat:
    """The heartbeat that this document says."""
    spec = written.spec
    return Heartbeat(
        name=written.name,
        matchers=spec.match,
        within=spec.within,
        severity=Severity(spec.severity),
    )


def correlation(rules: Rules) -> Correlation:
    """What the one document says, or the defaults."""
    written = rules.one(CorrelationSpec)
    spec = written.spec if written else CorrelationSpec()
    return Correlation(
        window=spec.window,
        hops=spec.hops,
        quiet=spec.quiet,
        flap_window=spec.flap_window,
        flap_begins=spec.flap_begins,
        flap_ends=spec.flap_ends,
        suspect_within=spec.suspect_within,
        storm=spec.storm,
        similar_labels=tuple(spec.similar_labels),
        peer_labels=tuple(spec.peer_labels),
        faint=spec.faint,
    )


def recurrence(rules: Rules) -> Recurrence:
    """What the one document says, or the defaults."""
    written = rules.one(RecurrenceSpec)
    spec = written.spec if written else RecurrenceSpec()
    return Recurrence(
        incidents=spec.incidents,
        within=spec.within,
        cost=spec.cost,
        absent_for=spec.absent_for,
    )


def targets(rules: Rules) -> dict[Priority, Targets]:
    """The targets of all priorities: the default ones where the document names none."""
    written = rules.one(TargetsSpec)
    said = written.spec.priorities if written else {}
    return {
        **DEFAULT_TARGETS,
        **{
            Priority[name]: Targets(response=target.response, restoration=target.restoration)
            for name, target in said.items()
        },
    }


def route(written: Written[RouteSpec]) -> Route:
    """The route that this document says."""
    spec = written.spec
    return Route(
        name=written.name,
        receiver=spec.receiver,
        when=spec.when,
        group_by=tuple(spec.group_by),
        group_wait=spec.group_wait,
        group_interval=spec.group_interval,
        repeat_interval=spec.repeat_interval,
    )


def ticketing(written: Written[TicketingSpec]) -> Ticketing:
    """The ticketing that this document says."""
    return Ticketing(name=written.name, connector=written.spec.connector, when=written.spec.when)


def watch(written: Written[WatchSpec]) -> Watch:
    """The watch that this document says."""
    spec = written.spec
    return Watch(
        name=written.name,
        query=spec.query,
        labels=dict(sorted(spec.labels.items())),
        annotations=dict(sorted(spec.annotations.items())),
        every=spec.every,
        hold=spec.hold,
        keep_firing=spec.keep_firing,
        clear=spec.clear,
    )
