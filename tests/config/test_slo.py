"""Claims about reading objectives: three dialects that mean the same, and what is refused where."""

from datetime import timedelta

import pytest

from agent.config.slo import Objectives, objectives_of
from agent.config.yaml_lines import parse_documents
from agent.model.slo import (
    BadOfTotal,
    BadRatio,
    BudgetingMethod,
    GoodOfTotal,
    GoodRatio,
    Query,
    Threshold,
)

MONTH = timedelta(days=30)
BAD, GOOD, TOTAL = (f"sum(rate({name}[{{{{.window}}}}]))" for name in ("bad", "good", "all"))

SLOTH = f"""
version: prometheus/v1
service: shop
labels: {{team: a}}
slos:
  - name: answers
    objective: 99.9
    labels: {{tier: "1"}}
    sli: {{events: {{error_query: "{BAD}", total_query: "{TOTAL}"}}}}
    alerting:
      name: Burns
      labels: {{to: ops}}
      page_alert: {{labels: {{loud: "yes"}}}}
      ticket_alert: {{disable: true}}
"""
CRD = f"""
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {{name: shop}}
spec:
  service: shop
  slos:
    - name: answers
      objective: 99.9
      sli: {{raw: {{errorRatioQuery: "{BAD} / {TOTAL}"}}}}
      alerting: {{pageAlert: {{disable: true}}, ticketAlert: {{disable: true}}}}
"""
OPENSLO = f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: answers}}
spec:
  service: shop
  indicatorRef: good-answers
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}, {{targetPercent: 95}}]
---
apiVersion: openslo/v1
kind: SLI
metadata: {{name: good-answers}}
spec:
  ratioMetric:
    counter: true
    good: {{metricSource: {{type: Prometheus, spec: {{query: "{GOOD}"}}}}}}
    total: {{metricSource: {{type: Prometheus, spec: {{query: "{TOTAL}"}}}}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {{name: ours}}
spec: {{type: Prometheus}}
"""


def _read(text: str, period: timedelta = MONTH) -> Objectives:
    return objectives_of(parse_documents(text.encode(), "slo.yaml"), period)


def _findings(text: str) -> list[str]:
    return [str(finding).splitlines()[0] for finding in _read(text).findings]


def test_sloths_spec_is_read() -> None:
    """Labels and alerts come together from all levels; the period is the one asked for."""
    (slo,) = _read(SLOTH).slos

    assert (slo.id, slo.objective, slo.period) == ("shop-answers", 99.9, MONTH)
    assert slo.indicator == BadOfTotal(bad=Query(text=BAD), total=Query(text=TOTAL))
    assert slo.method is BudgetingMethod.RATIO_TIMESLICES
    assert slo.labels == {"team": "a", "tier": "1"}
    assert slo.page is not None
    assert (slo.page.name, slo.page.labels) == ("Burns", {"to": "ops", "loud": "yes"})
    assert slo.ticket is None


def test_sloths_kubernetes_resource_is_read() -> None:
    """The same under `spec`, in camel case; without alerts it needs no name for them."""
    (slo,) = _read(CRD).slos

    assert slo.indicator == BadRatio(ratio=Query(text=f"{BAD} / {TOTAL}"))
    assert (slo.page, slo.ticket) == (None, None)


def test_openslo_is_read_with_its_indicator_from_elsewhere() -> None:
    """Every objective is one of its own; other kinds are known and passed over."""
    found = _read(OPENSLO)

    assert found.findings == []
    assert [(slo.id, slo.objective) for slo in found.slos] == [
        ("shop-answers-0", 99.9),
        ("shop-answers-1", 95),
    ]
    assert found.slos[0].indicator == GoodOfTotal(good=Query(text=GOOD), total=Query(text=TOTAL))
    assert found.slos[0].method is BudgetingMethod.OCCURRENCES


def test_a_threshold_and_a_raw_ratio_are_read() -> None:
    """`op` and `value` stand at the objective; `rawType` says which way a ratio counts."""
    inside = OPENSLO.partition("---")[0].replace("indicatorRef: good-answers", "indicator: SLI")
    metric = '{metricSource: {spec: {query: "x[{{.window}}]"}}}'
    threshold = _read(
        inside.replace("SLI", f"{{spec: {{thresholdMetric: {metric}}}}}").replace(
            "[{target: 0.999}, {targetPercent: 95}]", "[{op: lte, value: 3, target: 0.9}]"
        )
    )
    raw = _read(
        inside.replace("SLI", f"{{spec: {{ratioMetric: {{rawType: success, raw: {metric}}}}}}}")
    )

    query = Query(text="x[{{.window}}]")
    assert [slo.indicator for slo in threshold.slos] == [
        Threshold(metric=query, operator="<=", value=3)
    ]
    assert {slo.indicator for slo in raw.slos} == {GoodRatio(ratio=query)}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (SLOTH.replace("99.9", "101"), "slo.yaml:7:16: slos[0].objective: must be at most 100.0"),
        (SLOTH.replace("name: Burns", 'name: ""'), "slo.yaml:11:7: slos[0].alerting: an alert"),
        (SLOTH.replace("service: shop", 'service: ""'), "slo.yaml:3:10: service:"),
        (
            SLOTH.replace("{events", "{plugin: {id: x}, events"),
            "9:10: slos[0].sli: a plug",
        ),
        (SLOTH.replace("[{{.window}}]", "[5m]"), "slo.yaml:9:19: the query does not say its"),
        (SLOTH.replace("/v1", "/v9"), 'slo.yaml:2:10: version "prometheus/v9" is not known'),
        (SLOTH + "---" + SLOTH, 'slo.yaml:20:11: "shop-answers" stands already at slo.yaml:6.'),
        (OPENSLO.replace("30d", "28d"), "slo.yaml:8:16: is over 4w, the rules over 4w2d."),
        (OPENSLO.replace("good-answers}", "other}"), 'slo.yaml:7:17: there is no SLI "good-answ'),
        (OPENSLO.replace("Prometheus, spec", "Datadog, spec"), '"datadog" answers no PromQL'),
        (OPENSLO.replace("kind: SLI", "kind: SLX"), 'kind "SLX" is none of OpenSLO'),
        ("a: b", "slo.yaml:1:1: this is no service level objective"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, finding: str) -> None:
    """A mistake is found where it stands, and nothing is made of it."""
    assert [each for each in _findings(text) if finding in each] != []
