"""Every mistake is told with its place and a way out: one file a mistake, golden texts beside it.

`UPDATE_GOLDEN=1` writes the texts anew; read the difference before keeping it.
"""

import os
from pathlib import Path

import pytest

from agent.config.check import check, summary
from agent.config.load import load_settings
from agent.errors import ConfigError

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))
SETTINGS = """\
receivers: [{name: on-call, apprise: ["json://localhost"]}]
connectors: [{name: redmine, type: redmine, url: "http://127.0.0.1:3000"}]
prometheus: {url: "http://127.0.0.1:9090"}
"""
PLAYBOOK = "- name: Do nothing\n  hosts: targets\n  gather_facts: false\n  tasks:\n"
PLAYBOOK += "    - debug: {msg: '{{ agent_input }}'}\n"


def lay_out(folder: Path, mistake: Path) -> None:
    """A folder that is in order but for the mistake; the prefix of its name says where it goes."""
    remediation = folder / "remediations" / "restart-service"
    remediation.mkdir(parents=True)
    (folder / "rules").mkdir()
    (remediation / "playbook.yml").write_text(PLAYBOOK)
    (remediation / "rollback.yml").write_text(PLAYBOOK)
    places = {
        "config": "config.yaml",
        "remediation": "remediations/restart-service/remediation.yaml",
    }
    place = places.get(mistake.stem.split("_")[0], f"rules/{mistake.name}")
    (folder / "config.yaml").write_text(SETTINGS)
    (remediation / "remediation.yaml").write_bytes((HERE / "restart_service.yaml").read_bytes())
    (folder / place).write_bytes(mistake.read_bytes())


def told() -> str:
    """What an operator is told about the current folder."""
    try:
        return str(check(load_settings(Path("config.yaml"))))
    except ConfigError as error:
        return summary(error.findings)


@pytest.mark.parametrize("mistake", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_place_and_way_out(
    mistake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told about a mistake is what its golden text says."""
    lay_out(tmp_path, mistake)
    monkeypatch.chdir(tmp_path)
    text = told() + "\n"
    golden = mistake.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert golden.read_text() == text
    assert "hunter2" not in text
    assert "12345" not in text


def test_without_a_mistake_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that the mistakes are put into is in order by itself."""
    lay_out(tmp_path, HERE / "good_rules.yaml")
    monkeypatch.chdir(tmp_path)
    assert told().startswith("All is well. ")
