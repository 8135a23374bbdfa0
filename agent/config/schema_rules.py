"""What SREs write in the rules folder beside the service map: one `spec` for every `kind`.

Not here: whether what a document names exists (`relations`), or what it becomes (`translate`).
"""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from agent.config.durations import Duration
from agent.config.matchers import Matchers
from agent.config.schema import ConditionText, Spec
from agent.config.schema_autonomy import AutonomySpec, ModeName, PromotionSpec
from agent.config.schema_calendar import CalendarSpec
from agent.config.schema_policy import ChangePolicySpec, PlainValue, StandardChangeSpec
from agent.config.schema_remediation import ChangeModel
from agent.config.schema_signals import SignalsSpec
from agent.model.rule import Correlation, Heartbeat, Recurrence, Route

GroupKey = Literal["incident", "owner", "priority", "cause"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]
_ROUTE = Route(name="", receiver="")
_HEARTBEAT = Heartbeat(name="", matchers=())


class ParameterSourceSpec(Spec):
    """Where a parameter's value comes from: one of both."""

    label: str | None = Field(default=None, description="A label of the alert.")
    value: PlainValue | None = Field(default=None, description="This value.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.label is None) == (self.value is None):
            raise ValueError("exactly one of `label` and `value` must be set")
        return self


class ThrottleSpec(Spec):
    """How often a rule may act on what is alike; exactly one of the three spans."""

    once_within: Duration | None = Field(
        default=None, description="Acts at the first match, then rests for so long."
    )
    once_after: Duration | None = Field(
        default=None, description="Gathers for so long from the first match on, then acts."
    )
    accumulate_within: Duration | None = Field(
        default=None,
        description="Acts when `threshold` alerts matched within so long of the first.",
    )
    threshold: int | None = Field(
        default=None, ge=1, le=1000, description="For `accumulateWithin`: how many it takes."
    )
    group_by: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="Matches that agree in these facts, such as alert.labels.host, are alike; "
        "none: all are.",
    )

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        spans = (self.once_within, self.once_after, self.accumulate_within)
        if sum(span is not None for span in spans) != 1:
            raise ValueError(
                "exactly one of `onceWithin`, `onceAfter` and `accumulateWithin` must be set"
            )
        if any(span is not None and not span for span in spans):
            raise ValueError("the span must be more than 0s")
        if (self.accumulate_within is None) != (self.threshold is None):
            raise ValueError("`threshold` goes with `accumulateWithin`, and it with that")
        return self


class RemediationRuleSpec(Spec):
    """When this condition holds for an alert of an incident, propose that remediation."""

    when: ConditionText = Field(description="A condition over alert, service and incident.")
    also: list[ConditionText] = Field(
        default_factory=list,
        max_length=5,
        description="Conditions that must hold for other alerts that fire in the same incident, "
        "each for another one.",
    )
    within: Duration | None = Field(
        default=None,
        description="With `also`: how near in time all of those alerts must have begun.",
    )
    remediation: str = Field(description="Name of a folder under `remediations/`.")
    target: Literal["cause", "alert"] = Field(
        default="cause",
        description="`cause`: act on the probable cause, once it is this alert's entity; `alert`: "
        "act where the alert fires.",
    )
    parameters: dict[str, ParameterSourceSpec] = Field(
        default_factory=dict, description="A source for each parameter of the remediation."
    )
    change: ChangeModel | None = Field(
        default=None, description="Change type, instead of the one the remediation declares."
    )
    settle: Duration = Field(
        default=timedelta(0), description="How long the alert must be in its incident before."
    )
    mode: ModeName = Field(
        default="suggest",
        description="How far it goes by itself: `observe` only says what it would have done, "
        "`suggest` proposes that to people, `approve` asks for a change that a person approves, "
        "`auto` asks for one and policy decides.",
    )
    promotion: PromotionSpec | None = Field(
        default=None,
        description="What lets it go further than `mode`, by a person's signature; none: nothing.",
    )
    throttle: ThrottleSpec | None = Field(
        default=None, description="How often it may act on what is alike; none: on every alert."
    )

    @model_validator(mode="after")
    def _within_is_about_others(self) -> Self:
        if self.within is not None and not self.also:
            raise ValueError("`within` says how near `also` must be; there is no `also`")
        return self


class InhibitRuleSpec(Spec):
    """While a source alert fires, target alerts with equal labels are suppressed."""

    source: Matchers = Field(description="Matchers of the alert that explains the others.")
    target: Matchers = Field(description="Matchers of the alerts that are suppressed.")
    equal: list[str] = Field(
        default_factory=list, description="Labels that must have the same value in both."
    )


class HeartbeatSpec(Spec):
    """An alert that must always fire; its silence is an incident."""

    match: Matchers = Field(description="Matchers of the alert.")
    within: Duration = Field(
        default=_HEARTBEAT.within,
        description="Silence longer than this is a loss.",
    )
    severity: Literal["critical", "warning", "info"] = Field(
        default="critical", description="How bad the loss is."
    )


class CorrelationSpec(Spec):
    """How alerts become incidents. At most one document."""

    window: Duration = Field(
        default=Correlation().window,
        description="An alert may join an incident whose last alert is not older.",
    )
    hops: int = Field(
        default=Correlation().hops, ge=0, le=10, description="How far on the map it may be."
    )
    quiet: Duration = Field(
        default=Correlation().quiet,
        description="A resolved incident reopens within this time, and closes after it.",
    )
    suspect_within: Duration = Field(
        default=Correlation().suspect_within,
        description="A change that began earlier than this before an incident is no suspect.",
    )
    flap_window: Duration = Field(
        default=Correlation().flap_window,
        description="An alert's changes of state that are older do not count as flapping.",
    )
    flap_begins: float = Field(
        default=Correlation().flap_begins,
        ge=2,
        le=40,
        description="With more changes in that window, the newer weighing more, an alert flaps...",
    )
    flap_ends: float = Field(
        default=Correlation().flap_ends,
        ge=1,
        le=40,
        description="...until there are fewer. Not above `flapBegins`.",
    )
    storm: int = Field(
        default=Correlation().storm,
        ge=1,
        le=10_000,
        description="So many incidents opened within ten minutes are a storm: more are gathered "
        "in a summary; those with a critical alert from five times as many on.",
    )
    similar_labels: list[str] = Field(
        default_factory=lambda: list(Correlation().similar_labels),
        description="For alerts the map cannot place: those that are present must agree.",
    )
    peer_labels: list[str] = Field(
        default_factory=lambda: list(Correlation().peer_labels),
        description="Where an alert about a call names the other end; the first present counts.",
    )
    faint: float = Field(
        default=Correlation().faint,
        ge=0,
        le=1,
        description="Fewer signs than this share of the usual are no clear evidence; 0: never.",
    )

    @model_validator(mode="after")
    def _ends_below_its_begin(self) -> "CorrelationSpec":
        if self.flap_ends > self.flap_begins:
            raise ValueError("flapEnds must not be above flapBegins")
        return self


class RecurrenceSpec(Spec):
    """When incidents that come back become a problem. At most one document."""

    incidents: int = Field(
        default=Recurrence().incidents, ge=2, le=1000, description="This many alike..."
    )
    within: Duration = Field(default=Recurrence().within, description="...within this time.")
    cost: float | None = Field(
        default=None,
        gt=0,
        description="Or when their downtime cost this much together, by `cost-per-hour`.",
    )
    absent_for: Duration = Field(
        default=Recurrence().absent_for,
        description="A fix holds when nothing of the problem came back for this long.",
    )


class TargetSpec(Spec):
    """Targets of one priority."""

    response: Duration = Field(description="Until somebody has acknowledged.")
    restoration: Duration = Field(description="Until service is restored.")


class TargetsSpec(Spec):
    """Response and restoration targets. At most one document."""

    priorities: dict[Priority, TargetSpec] = Field(
        description="Targets by priority, `P1` to `P5`; those left out keep their default."
    )


class RouteSpec(Spec):
    """Who is told about which incidents, and how often. Every route that holds tells."""

    receiver: str = Field(description="Name of a receiver of config.yaml.")
    when: ConditionText | None = Field(
        default=None, description="A condition over incident and service; none: every incident."
    )
    group_by: list[GroupKey] = Field(
        default=["incident"],
        min_length=1,
        description="Incidents that agree in these are told of in one message.",
    )
    group_wait: Duration = Field(
        default=_ROUTE.group_wait, description="How long the first message waits for more."
    )
    group_interval: Duration = Field(
        default=_ROUTE.group_interval, description="Between two messages with something new."
    )
    repeat_interval: Duration = Field(
        default=_ROUTE.repeat_interval, description="Between two messages with nothing new."
    )


class TicketingSpec(Spec):
    """Which incidents get a ticket."""

    connector: str = Field(description="Name of a connector of config.yaml.")
    when: ConditionText | None = Field(
        default=None, description="A condition over incident and service; none: every incident."
    )


class WatchSpec(Spec):
    """A PromQL query that raises alerts of its own."""

    query: str = Field(description="Each series that it returns is an alert.")
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="Set on the alert, over those of the series; `alertname` is the name of the "
        "watch where it is not among them.",
    )
    annotations: dict[str, str] = Field(
        default_factory=dict, description="Text for people, set on the alert as it stands."
    )
    every: Duration = Field(default=timedelta(seconds=15), description="How often it is asked.")
    hold: Duration = Field(
        default=timedelta(0),
        alias="for",
        description="How long a series must be there before its alert fires.",
    )
    keep_firing: Duration = Field(
        default=timedelta(0), description="How long the alert stays after the series is gone."
    )
    clear: str | None = Field(
        default=None,
        description="A second query; once firing, the alert ends only when it returns the series.",
    )


SPECS: dict[str, type[Spec]] = {
    "RemediationRule": RemediationRuleSpec,
    "Autonomy": AutonomySpec,
    "ChangePolicy": ChangePolicySpec,
    "StandardChange": StandardChangeSpec,
    "Calendar": CalendarSpec,
    "InhibitRule": InhibitRuleSpec,
    "Heartbeat": HeartbeatSpec,
    "Correlation": CorrelationSpec,
    "Recurrence": RecurrenceSpec,
    "Targets": TargetsSpec,
    "Route": RouteSpec,
    "Ticketing": TicketingSpec,
    "Watch": WatchSpec,
    "Signals": SignalsSpec,
}
"""The kinds of the rules folder, beside Backstage's."""

AT_MOST_ONE = ("Autonomy", "Correlation", "Recurrence", "Targets")
SCENARIO_KIND = "Scenario"
"""Tests of rules live beside them; `watchkeeper test` reads those."""
