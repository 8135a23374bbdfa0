"""`watchkeeper map`: a difference on the screen, a file only when told to, YAML for a person."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.config.documents import Rules, take
from agent.config.yaml_lines import parse_documents
from agent.core.drift.memory import Episode
from tests.cli.conftest import Shell, command

CATALOGUE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec: {type: service, dependsOn: [component:stock]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: stock}
"""


async def test_discover_shows_first_and_writes_when_told(tmp_path: Path) -> None:
    """The second time there is nothing left to say."""
    maps = tmp_path / "rules" / "maps"
    maps.mkdir(parents=True)
    config, catalogue = tmp_path / "config.yaml", tmp_path / "catalogue.yaml"
    config.write_text("rules: rules\n")
    catalogue.write_text(CATALOGUE)
    asked = ("map", "discover", str(catalogue), "--config", str(config))
    shown = await command(*asked)

    assert 0 == shown.code, shown.err
    assert "+ component:default/cart -> component:default/stock  catalogue\n" in shown.out
    assert "Nothing was written; --write FOLDER writes it." in shown.out
    assert [] == list(maps.iterdir())
    written = await command(*asked, "--write", str(maps))
    assert [maps / "discovered-files-catalogue.yaml"] == list(maps.iterdir()), written.err
    assert "No difference.\n" == (await command(*asked)).out


async def test_suggestions_and_the_yaml_that_would_follow(shell: Shell) -> None:
    """What is printed for a person is what the loader takes."""
    await shell.agent.fire({"alertname": "Down", "host": "ghost\u001b[31m", "job": "node"})
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(30):
        onsets = {"component:default/sign": 0.0, "component:default/shop": 9.0} if day < 6 else {}
        episode = Episode(at=at + timedelta(days=day), incidents=(f"INC-{day}",), onsets=onsets)
        shell.agent.loop.state.drift.episodes.append(episode)
    told = await shell("map", "suggest")

    assert 0 == told.code, told.err
    assert "  component:default/shop -> component:default/sign\n" in told.out
    assert "6 times together, 0 and 0 times alone, of 30 (lift 5.0" in told.out
    assert "\x1b" not in told.out
    accepted = (await shell("map", "suggest", "--accept")).out
    assert "#   dependsOn: [component:default/sign]\n" in accepted
    rules = Rules()
    for document in parse_documents(accepted.encode(), "accepted"):
        take(rules, document)
    assert [] == rules.findings
    assert ["ghost-31m"] == [each.metadata.name for each, _ in rules.descriptors]
