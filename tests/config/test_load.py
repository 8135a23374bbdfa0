"""Loading: all or nothing, paths made whole, and a digest that follows what decides."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.config.load import load_config, load_settings
from agent.config.schema_settings import Settings
from agent.errors import ConfigError

AT = datetime(2026, 3, 1, tzinfo=UTC)
HEARTBEAT = """\
apiVersion: watchkeeper.io/v1
kind: Heartbeat
metadata: {name: watchdog}
spec: {match: 'alertname="Watchdog"', within: %s}
"""
ENTITY = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\n"


def digest(folder: Path, files: dict[str, str]) -> str:
    """The digest of a rules folder with these files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return load_config(Settings(rules=folder), AT).config.digest


def test_no_file_is_a_complete_configuration(tmp_path: Path) -> None:
    """Without config.yaml we listen on loopback, know no rules, and nothing may run."""
    settings = load_settings(None)
    config = load_config(settings, AT).config
    assert settings.listen == "127.0.0.1:8060"
    assert settings.data.is_absolute()
    assert (config.policy, config.service_map.entities, config.remediation_rules) == (None, {}, ())


def test_the_digest_does_not_follow_files_and_their_order(tmp_path: Path) -> None:
    """The same rules in other files, with other comments, decide alike."""
    one = {"a.yaml": HEARTBEAT % "5m", "b.yaml": ENTITY % "web" + "---\n" + ENTITY % "db"}
    other = {
        "sub/z.yml": ENTITY % "db" + "---\n# x\n" + HEARTBEAT % "300s",
        "c.yaml": ENTITY % "web",
    }
    assert digest(tmp_path / "one", one) == digest(tmp_path / "other", other)


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": HEARTBEAT % "6m", "b.yaml": ENTITY % "web"},
        {"a.yaml": HEARTBEAT % "5m", "b.yaml": ENTITY % "web2"},
        {"a.yaml": HEARTBEAT % "5m"},
    ],
)
def test_the_digest_follows_what_decides(files: dict[str, str], tmp_path: Path) -> None:
    """Any change of a rule or of the map is another digest."""
    first = digest(tmp_path / "first", {"a.yaml": HEARTBEAT % "5m", "b.yaml": ENTITY % "web"})
    assert first != digest(tmp_path / "second", files)


def test_hidden_files_and_foreign_folders_are_left_out(tmp_path: Path) -> None:
    """Editors' files, mappings of sources and scenarios are no rules."""
    plain = digest(tmp_path / "plain", {"a.yaml": ENTITY % "web"})
    more = {".a.yaml": "[", "sources/zabbix.yaml": "a: 1", "tests/x.yaml": "b: 1", "c.txt": "["}
    assert plain == digest(tmp_path / "more", {"a.yaml": ENTITY % "web", **more})


def test_a_mistake_in_one_file_keeps_all_out_of_force(tmp_path: Path) -> None:
    """Nothing of a folder is taken while any of it has a mistake; all of them are told."""
    with pytest.raises(ConfigError) as refused:
        digest(
            tmp_path / "rules", {"a.yaml": HEARTBEAT % "5x", "b.yaml": "[", "c.yaml": ENTITY % "w"}
        )
    files = [Path(finding.file).name for finding in refused.value.findings]
    assert files == ["a.yaml", "b.yaml"]


def test_a_folder_that_is_named_must_exist(tmp_path: Path) -> None:
    """A mistyped folder is a finding, not an agent without rules."""
    (tmp_path / "config.yaml").write_text("rules: rulez\n")
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(load_settings(tmp_path / "config.yaml"), AT)


def test_paths_start_at_the_config_file(tmp_path: Path) -> None:
    """Relative paths and default folders are taken from beside config.yaml."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "key").write_text("secret")
    (tmp_path / "config.yaml").write_text(
        "data: state\n"
        "connectors: [{name: r, type: redmine, url: 'http://r/', secret_file: key}]\n"
        "ansible: {private_key_file: key}\n"
    )
    settings = load_settings(tmp_path / "config.yaml")
    assert (tmp_path / "state", tmp_path / "rules") == (settings.data, settings.rules)
    assert settings.remediations is None
    assert tmp_path / "key" == settings.connectors[0].secret_file
    assert tmp_path / "key" == settings.ansible.private_key_file
    assert settings.connectors[0].url == "http://r"


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Printing settings prints no secret."""
    (tmp_path / "config.yaml").write_text(
        "prometheus: {url: 'http://p', token: hunter2, headers: {X-A: hunter2}}\n"
        "receivers: [{name: a, apprise: ['json://hunter2']}]\n"
    )
    assert "hunter2" not in repr(load_settings(tmp_path / "config.yaml"))


def test_an_empty_config_file_is_like_none(tmp_path: Path) -> None:
    """A file of comments only gives the defaults."""
    (tmp_path / "config.yaml").write_text("# nothing yet\n")
    assert Settings().limits == load_settings(tmp_path / "config.yaml").limits
