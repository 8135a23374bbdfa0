"""Claims about rules made of objectives: what Prometheus itself works out of them.

Every case is played by `promtool test rules`: the arithmetic, the resets of counters and the gaps
are Prometheus' own.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from agent.cli.slo import as_yaml
from agent.model.alert_windows import USUAL
from agent.model.slo import Alert, BadOfTotal, BudgetingMethod, Query, Slo, Threshold
from agent.reporting.service_level.rules import groups_of, length
from deploy.demo.programs import find

SHOP = Slo(
    service="shop",
    name="answers",
    objective=99.0,
    period=timedelta(days=7),
    indicator=BadOfTotal(
        bad=Query(text='sum(rate(requests{code=~"5.."}[{{.window}}]))'),
        total=Query(text="sum(rate(requests[{{.window}}]))"),
    ),
    method=BudgetingMethod.RATIO_TIMESLICES,
    page=Alert(name="ShopBurns", labels={"team": "shop"}),
)
OF = '{sloth_id="shop-answers", sloth_service="shop", sloth_slo="answers"%s}'


@dataclass(frozen=True, slots=True)
class Expected:
    """What a figure is at some minute; None: it has no value."""

    record: str
    minute: int
    value: float | None
    window: str = ""

    within: float = 1e-9

    def test(self) -> dict[str, object]:
        """As promtool wants it."""
        more = f', sloth_window="{self.window}"' if self.window else ""
        if self.value is None:
            return {"expr": self.record, "eval_time": f"{self.minute}m", "exp_samples": []}
        return {
            "expr": f"abs({self.record} - {self.value!r}) < bool {self.within!r}",
            "eval_time": f"{self.minute}m",
            "exp_samples": [{"labels": OF % more, "value": 1}],
        }


def _objections(
    folder: Path,
    slo: Slo,
    series: dict[str, str],
    *expected: Expected,
    pages_at: Sequence[tuple[int, bool]] = (),
) -> str:
    """What promtool objects to when it plays the series against the rules; else nothing."""
    rules = folder / "rules.yaml"
    rules.write_text(as_yaml(list(groups_of(slo, USUAL))))
    alerts = [
        {
            "alertname": "ShopBurns",
            "eval_time": f"{minute}m",
            "exp_alerts": [_paged(slo)] if is_paged else [],
        }
        for minute, is_paged in pages_at
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [each.test() for each in expected],
        "alert_rule_test": alerts,
    }
    test = folder / "test.yaml"
    test.write_text(
        yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [case]})
    )
    told = subprocess.run(
        [find("promtool"), "test", "rules", test], capture_output=True, text=True, check=False
    )
    return "" if told.returncode == 0 else told.stdout + told.stderr


def _paged(slo: Slo) -> dict[str, object]:
    about = "shop answers SLO error budget burn rate"
    labels = {
        **{"sloth_id": slo.id, "sloth_service": slo.service, "sloth_slo": slo.name},
        **{"sloth_severity": "page", "team": "shop"},
    }
    annotations = {
        "summary": f"{about} is over expected.",
        "title": f"(page) {about} is too fast.",
    }
    return {"exp_labels": labels, "exp_annotations": annotations}


RATIO_5M = "slo:sli_error:ratio_rate5m"


def test_one_in_a_hundred_burns_the_budget_of_one_per_cent_evenly(tmp_path: Path) -> None:
    """Burn rate 1, nothing left of the budget, and nobody is woken."""
    series = {'requests{code="200"}': "0+99x120", 'requests{code="500"}': "0+1x120"}
    assert "" == _objections(
        tmp_path,
        SHOP,
        series,
        Expected(RATIO_5M, 60, 0.01, "5m"),
        Expected("slo:objective:ratio", 60, 0.99),
        Expected("slo:error_budget:ratio", 60, 0.01),
        Expected("slo:current_burn_rate:ratio", 60, 1.0, "5m"),
        pages_at=[(110, False)],
    )


def test_a_service_without_a_single_error_has_none(tmp_path: Path) -> None:
    """The series of errors is not there before the first one: that is zero, not unknown."""
    series = {'requests{code="200"}': "0+60x120"}
    assert "" == _objections(tmp_path, SHOP, series, Expected(RATIO_5M, 60, 0.0, "5m"))


def test_an_hour_without_traffic_does_not_make_the_month_unknown(tmp_path: Path) -> None:
    """While nothing is asked there is no ratio; what was measured before goes on to count."""
    series = {
        'requests{code="200"}': "0+80x60 4800x120",
        'requests{code="500"}': "0+20x60 1200x120",
    }
    assert "" == _objections(
        tmp_path,
        SHOP,
        series,
        Expected(RATIO_5M, 50, 0.2, "5m"),
        Expected(RATIO_5M, 120, None, "5m"),
        Expected("slo:sli_error:ratio_rate1w", 170, 0.2, "1w"),
    )


def test_a_counter_that_begins_anew_counts_on(tmp_path: Path) -> None:
    """A restart of the service is no negative traffic, and no error."""
    series = {
        'requests{code="200"}': "0+90x30 0+90x60",
        'requests{code="500"}': "0+10x30 0+10x60",
    }
    assert "" == _objections(tmp_path, SHOP, series, Expected(RATIO_5M, 60, 0.1, "5m"))


def test_who_burns_fast_over_both_windows_is_told_and_who_stopped_is_not(tmp_path: Path) -> None:
    """Half of all answers fail for an hour: a page; soon after the end of it there is none."""
    series = {
        'requests{code="200"}': "0+100x60 6000+50x60 9000+100x60",
        'requests{code="500"}': "0+0x60 0+50x60 3000+0x60",
    }
    month = replace(SHOP, period=timedelta(days=30))
    assert "" == _objections(
        tmp_path, month, series, pages_at=[(55, False), (118, True), (160, False)]
    )


@pytest.mark.parametrize(
    ("method", "slice_target", "bad"),
    [
        (BudgetingMethod.OCCURRENCES, None, 600 / 6600),
        (BudgetingMethod.RATIO_TIMESLICES, None, 0.5),
        (BudgetingMethod.TIMESLICES, 95.0, 0.5),
    ],
)
def test_each_method_counts_as_its_name_says(
    tmp_path: Path, method: BudgetingMethod, slice_target: float | None, bad: float
) -> None:
    """A quiet hour in which all fails and a busy one in which nothing does: a tenth of the events,
    half of the mean of ratios, half of the slices."""
    busy = replace(SHOP, method=method, slice_target=slice_target)
    series = {
        'requests{code="200"}': "0+0x60 0+100x60",
        'requests{code="500"}': "0+10x60 600+0x60",
    }
    recorded = "slo:sli_error:ratio_rate1w"
    assert "" == _objections(
        tmp_path, busy, series, Expected(recorded, 120, bad, "1w", within=0.05)
    )


def test_a_threshold_is_looked_at_every_minute(tmp_path: Path) -> None:
    """Six slow minutes of thirty are a fifth."""
    slow = replace(
        SHOP,
        indicator=Threshold(
            metric=Query(text="max_over_time(latency[{{.window}}])"), operator="<=", value=0.3
        ),
    )
    series = {"latency": "0.1x40 0.9 0.1x80"}
    assert "" == _objections(
        tmp_path, slow, series, Expected("slo:sli_error:ratio_rate30m", 60, 0.2, "30m", within=0.03)
    )


@pytest.mark.parametrize(
    ("days", "text"), [(1, "1d"), (7, "1w"), (28, "4w"), (30, "30d"), (90, "90d")]
)
def test_lengths_are_said_as_prometheus_does(days: int, text: str) -> None:
    """In the largest unit that it is a whole number of."""
    assert length(timedelta(days=days)) == text
