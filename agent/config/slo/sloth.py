"""Sloth's specs: `version: prometheus/v1` and the Kubernetes resource PrometheusServiceLevel.

https://sloth.dev/specs: an objective is in per cent; events are `error_query` of `total_query`, or
a ratio is given whole. The figure of a period is the mean of its five-minute ratios, which OpenSLO
calls RatioTimeslices. Plug-ins are programs of sloth's own and are refused.
"""

from datetime import timedelta
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from agent.config.schema import validate
from agent.config.slo.objective import Foreign, Read, query
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.slo import Alert, BadOfTotal, BadRatio, BudgetingMethod, Indicator, Slo

CRD = "sloth.slok.dev/v1"
VERSION = "prometheus/v1"
Labels = dict[str, str]


def _either(snake: str, camel: str) -> AliasChoices:
    """Both spellings are in use."""
    return AliasChoices(snake, camel)


class Events(Foreign):
    """Bad events of all events."""

    error_query: str = Field(min_length=1, validation_alias=_either("error_query", "errorQuery"))
    total_query: str = Field(min_length=1, validation_alias=_either("total_query", "totalQuery"))


class Raw(Foreign):
    """A ratio of bad events that somebody worked out."""

    error_ratio_query: str = Field(
        min_length=1, validation_alias=_either("error_ratio_query", "errorRatioQuery")
    )


class Sli(Foreign):
    """What is measured."""

    events: Events | None = None
    raw: Raw | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_plug_in(cls, value: Any) -> Any:
        if isinstance(value, dict) and "plugin" in value:
            raise ValueError("a plug-in of sloth is a program of its own; write the query instead")
        return value

    @model_validator(mode="after")
    def _one(self) -> "Sli":
        if (self.events is None) == (self.raw is None):
            raise ValueError("either `events` or `raw` says what is measured")
        return self


class OneAlert(Foreign):
    """A page or a ticket."""

    disable: bool = False
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)


class Alerting(Foreign):
    """What is raised when the budget burns."""

    name: str = ""
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)
    page: OneAlert = Field(default=OneAlert(), validation_alias=_either("page_alert", "pageAlert"))
    ticket: OneAlert = Field(
        default=OneAlert(), validation_alias=_either("ticket_alert", "ticketAlert")
    )

    @model_validator(mode="after")
    def _named(self) -> "Alerting":
        if not self.name and not (self.page.disable and self.ticket.disable):
            raise ValueError("an alert needs a `name`, or both have to be disabled")
        return self


class Objective(Foreign):
    """How much must be good."""

    name: str = Field(min_length=1)
    description: str = ""
    objective: float = Field(gt=0, le=100)
    labels: Labels = Field(default_factory=dict)
    sli: Sli
    alerting: Alerting


class Service(Foreign):
    """A service with its objectives."""

    version: str = VERSION
    service: str = Field(min_length=1)
    labels: Labels = Field(default_factory=dict)
    slos: list[Objective] = Field(min_length=1)


def read(document: Document, period: timedelta, findings: list[Finding]) -> list[Read]:
    """The objectives of one document, each over that period; what is wrong goes to the findings."""
    value = document.value
    assert isinstance(value, dict)
    at: Loc = ()
    if value.get("apiVersion") == CRD:
        at, value = ("spec",), value.get("spec") or {}
    elif value.get("version") != VERSION:
        text = f'version "{value.get("version")}" is not known, only {VERSION}.'
        findings.append(document.finding(("version",), text))
        return []
    spec = validate(Service, document, value, at=at)
    if isinstance(spec, list):
        findings += spec
        return []
    found: list[Read] = []
    for number, each in enumerate(spec.slos):
        place = (*at, "slos", number)
        indicator = _indicator(document, (*place, "sli"), each.sli, findings)
        if indicator is not None:
            slo = _slo(spec, each, indicator, period)
            found.append(Read(slo, document, (*place, "name")))
    return found


def _indicator(document: Document, at: Loc, sli: Sli, findings: list[Finding]) -> Indicator | None:
    if sli.events is not None:
        place = (*at, "events")
        bad = query(document, place, sli.events.error_query, findings)
        total = query(document, place, sli.events.total_query, findings)
        return BadOfTotal(bad=bad, total=total) if bad and total else None
    assert sli.raw is not None
    ratio = query(document, (*at, "raw"), sli.raw.error_ratio_query, findings)
    return BadRatio(ratio=ratio) if ratio else None


def _slo(spec: Service, each: Objective, indicator: Indicator, period: timedelta) -> Slo:
    return Slo(
        service=spec.service,
        name=each.name,
        objective=each.objective,
        period=period,
        indicator=indicator,
        method=BudgetingMethod.RATIO_TIMESLICES,
        description=each.description,
        labels={**spec.labels, **each.labels},
        page=_alert(each.alerting, each.alerting.page),
        ticket=_alert(each.alerting, each.alerting.ticket),
    )


def _alert(alerting: Alerting, one: OneAlert) -> Alert | None:
    if one.disable:
        return None
    return Alert(
        name=alerting.name,
        labels={**alerting.labels, **one.labels},
        annotations={**alerting.annotations, **one.annotations},
    )
