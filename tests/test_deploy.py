"""What it takes to run us, and to watch us, holds against the tools that read it."""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from agent.config.load import load_settings
from tests.source import ROOT, modules

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "alerts" / "watchkeeper.yaml"
DASHBOARD = DEPLOY / "grafana" / "watchkeeper.json"
NAME = re.compile(r"\bwatchkeeper_[a-z_]+\b")
SERIES = ("_bucket", "_sum", "_count")
TOOL_S_MAX = 60


def metrics() -> set[str]:
    """Every metric that some module of ours makes, by the names it has in Prometheus."""
    made = set()
    for module in modules("agent"):
        for node in module.nodes:
            is_call = isinstance(node, ast.Call) and node.args
            first = node.args[0] if isinstance(node, ast.Call) and is_call else None
            if isinstance(first, ast.Constant) and NAME.fullmatch(str(first.value)):
                made.add(str(first.value))
    return made | {name + suffix for name in made for suffix in SERIES}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A tool's judgement; skips with its name where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=TOOL_S_MAX,
        check=False,
    )


def test_alert_rules_are_understood_by_prometheus() -> None:
    """Every expression, duration and template of our alerts is one to Prometheus."""
    judged = run("promtool", "check", "rules", ALERTS)

    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_alert_rules_fire_on_what_they_are_for() -> None:
    """Each alert fires on its case, and a quiet agent wakes nobody."""
    judged = run("promtool", "test", "rules", ROOT / "tests" / "deploy" / "alerts_test.yaml")

    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_alert_has_a_test_and_a_way_out() -> None:
    """Whoever is woken finds the alert in the operating manual, with what to do."""
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    names = [rule["alert"] for rule in rules]
    tests = (ROOT / "tests" / "deploy" / "alerts_test.yaml").read_text()
    manual = (ROOT / "docs" / "operating.md").read_text()

    assert [name for name in names if name not in tests] == []
    assert [name for name in names if f"`{name}`" not in manual] == []


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=["alerts", "dashboard"])
def test_what_watches_us_asks_for_metrics_that_exist(file: Path) -> None:
    """A metric that was renamed would leave an alert that never fires."""
    asked = set(NAME.findall(file.read_text()))

    assert asked
    assert set() == asked - metrics()


def test_the_dashboard_shows_every_metric() -> None:
    """What is measured is looked at: there is no metric without a panel."""
    shown = DASHBOARD.read_text()
    made = {name for name in metrics() if not name.endswith(SERIES)}

    assert sorted(name for name in made if name not in shown) == []


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    """Grafana moves what overlaps; it shall look as it was drawn."""
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_example_prometheus_configuration_is_one() -> None:
    """The file that the README points at can be used as it stands."""
    judged = run("promtool", "check", "config", DEPLOY / "examples" / "prometheus.yml")

    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_example_alertmanager_configuration_is_one() -> None:
    """The webhook's side as well."""
    judged = run("amtool", "check-config", DEPLOY / "examples" / "alertmanager.yml")

    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_example_settings_load(tmp_path: Path) -> None:
    """The example has no key that does not exist, and names rules that do."""
    shutil.copy(DEPLOY / "examples" / "config.yaml", tmp_path)
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    for name in ("zabbix", "redmine", "on-call", "prometheus", "mira"):
        _write(tmp_path / "secrets" / name, "json://localhost/a-secret-of-a-good-length-for-tests")
    _write(tmp_path / "ssh" / "known_hosts", "")
    _write(tmp_path / "ssh" / "id_ed25519", "")

    settings = load_settings(tmp_path / "config.yaml")

    assert [source.name for source in settings.sources] == ["zabbix"]
    assert [connector.name for connector in settings.connectors] == ["redmine"]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
