"""Writing what was discovered: one file of our own, whole or not at all, and nothing else."""

from pathlib import Path

import pytest

from agent.config.load import load_settings
from agent.config.schema_settings import Settings
from agent.errors import ConfigError, PermanentError
from agent.runtime.clock import SystemClock
from agent.runtime.discover import Discoverer, open_discoverer, source_of

CATALOGUE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart}
spec: {type: service, dependsOn: [component:stock]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: stock}
---
apiVersion: v1
kind: Service
metadata: {name: other-tools-yaml}
"""


async def discoverer(settings: Settings) -> Discoverer:
    """A discoverer that reads files only."""
    async with open_discoverer(settings, SystemClock()) as made:
        return made


def rules_of(tmp_path: Path) -> Settings:
    """Settings with a rules folder, and a catalogue beside it."""
    (tmp_path / "rules" / "maps").mkdir(parents=True)
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    (tmp_path / "config.yaml").write_text("rules: rules\n")
    return load_settings(tmp_path / "config.yaml")


async def test_the_file_of_a_source_is_written_and_read_again(tmp_path: Path) -> None:
    """What was written is in force after a reload, and the same discovery changes nothing."""
    made = await discoverer(rules_of(tmp_path))
    path = made.write(made.propose_files(tmp_path / "catalogue.yaml"))

    assert tmp_path / "rules" / "maps" / "discovered-files-catalogue.yaml" == path
    assert made.propose_files(tmp_path / "catalogue.yaml").is_empty
    assert [path.name] == [each.name for each in path.parent.iterdir()]


async def test_a_file_that_a_person_wrote_is_never_touched(tmp_path: Path) -> None:
    """Not even under our own name."""
    made = await discoverer(rules_of(tmp_path))
    own = tmp_path / "rules" / "maps" / "discovered-files-catalogue.yaml"
    proposal = made.propose_files(tmp_path / "catalogue.yaml")
    by_hand = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: mine}\n"
    own.write_text(by_hand)

    with pytest.raises(PermanentError, match="a person wrote"):
        made.propose_files(tmp_path / "catalogue.yaml")
    with pytest.raises(PermanentError, match="a person wrote"):
        made.write(proposal)
    assert by_hand == own.read_text()


async def test_nothing_is_written_that_the_loader_refuses(tmp_path: Path) -> None:
    """The findings say what is wrong; the folder stays as it was."""
    made = await discoverer(rules_of(tmp_path))
    proposal = made.propose_files(tmp_path / "catalogue.yaml")
    late = tmp_path / "rules" / "maps" / "late.yaml"
    late.write_text("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: cart}\n")

    with pytest.raises(ConfigError, match="described a second time"):
        made.write(proposal)
    assert [late] == list(late.parent.iterdir())


async def test_a_folder_of_catalogues(tmp_path: Path) -> None:
    """Every descriptor below it counts; other YAML in it is nobody's mistake."""
    made = await discoverer(rules_of(tmp_path))
    folder = tmp_path / "repositories" / "cart"
    folder.mkdir(parents=True)
    (folder / "catalog-info.yaml").write_text(CATALOGUE)
    proposal = made.propose_files(folder.parent)

    assert ["component:default/cart", "component:default/stock"] == [
        each.ref for each in proposal.entities
    ]
    assert "files-cart" == source_of(folder / "catalog-info.yaml")


async def test_who_is_not_known_is_told_who_is(tmp_path: Path) -> None:
    """Without a metrics source there is nobody to ask for calls."""
    made = await discoverer(rules_of(tmp_path))

    with pytest.raises(PermanentError, match="prometheus"):
        await made.propose("istio")
    with pytest.raises(PermanentError, match="no source of the map is called 'isto'"):
        await made.propose("isto")
