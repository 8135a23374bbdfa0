"""What is shipped works as it stands: the example rules, and those of the demonstration."""

import re
from datetime import UTC, datetime
from pathlib import Path

import promql_parser
import pytest

from agent.config.check import check
from agent.config.load import load_config
from agent.config.schema_settings import Settings
from agent.config.yaml_lines import parse_documents
from agent.core.causes.queries import fill, placeholders

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 12, 20, 12, tzinfo=UTC)


def settings(rules: Path) -> Settings:
    """Settings with these rules and the shipped remediations."""
    return Settings(rules=rules, remediations=ROOT / "remediations")


def test_example_rules_are_in_order() -> None:
    """The shipped rules have neither findings nor warnings."""
    report = check(settings(ROOT / "rules"))
    assert (report.findings, report.warnings) == ((), ())


def test_example_calendars_freeze_the_holidays() -> None:
    """Shortly before the holidays the example's freeze is on, and maintenance is known."""
    calendars = {each.name: each for each in load_config(settings(ROOT / "rules"), AT).calendars}
    frozen = [w.summary for w in calendars["freeze"].windows if w.interval.contains(AT)]
    assert frozen == ["Holiday freeze"]
    assert calendars["maintenance"].windows


def test_example_signals_ask_queries_that_are_promql() -> None:
    """Each shipped template, with odd values of a map in it, is a query of one vector."""
    config = load_config(settings(ROOT / "rules"), AT).config
    odd = 'a"b\\c-1.d'
    asked = [
        fill(signal.query, dict.fromkeys(placeholders(signal.query), odd))
        for document in config.signals
        for signal in document.signals
    ]

    assert len(asked) >= 15
    for query in asked:
        promql_parser.parse(query)


def test_demonstration_rules_are_in_order() -> None:
    """The business process of the demonstration rests, at last, on its three hosts."""
    demonstration = settings(ROOT / "deploy/demo/rules")
    assert check(demonstration).warnings == ()
    service_map = load_config(demonstration, AT).config.service_map
    below = {ref for ref, _ in service_map.below("component:default/order-intake", 9)}
    assert below >= {f"resource:default/app{number}" for number in (1, 2, 3)}
    assert service_map.groups == {
        "checkouts": ("component:default/checkout-app1", "component:default/checkout-app2"),
        "shop-web": ("component:default/nginx-app1", "component:default/nginx-app2"),
    }
    host = service_map.entities["resource:default/app2"].host
    assert host is not None
    assert (host.user, host.address, host.port) == ("root", "app2", 22)


@pytest.mark.parametrize("page", ["docs/rules.md", "rules/notify/README.md"])
def test_yaml_of_the_pages_is_in_order(page: str, tmp_path: Path) -> None:
    """Every YAML block of a page about rules loads, all of them together."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "page.yaml").write_text("---\n".join(blocks))
    (tmp_path / "rules" / "maintenance.ics").write_bytes(
        (ROOT / "rules/calendars/maintenance.ics").read_bytes()
    )
    (document,) = parse_documents(SETTINGS, "config.yaml")
    report = check(
        Settings.model_validate(document.value).model_copy(
            update={"rules": tmp_path / "rules", "remediations": ROOT / "remediations"}
        )
    )
    assert blocks
    assert report.findings == ()


SETTINGS = b"""
receivers: [{name: on-call, apprise: ["json://localhost"]}]
connectors: [{name: redmine, type: redmine, url: "http://127.0.0.1:3000"}]
prometheus: {url: "http://127.0.0.1:9090"}
"""
