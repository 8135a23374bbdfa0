"""What was approved is what is played, with the collections that it uses."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from agent.config.collections import Collections
from agent.config.contents import contents_of
from agent.model.remediation import Outcome, RunSpec
from agent.runtime.ansible.executor import AnsibleExecutor
from tests.runtime.ansible.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={"path": {"type": "path"}}, supports_check_mode=True)
open(module.params["path"], "w").close()
module.exit_json(changed=True)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collecting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A stage with a collection, `acme.tools`, of one module."""
    folder = tmp_path_factory.mktemp("collecting")
    modules = folder / "installed/ansible_collections/acme/tools/plugins/modules"
    modules.mkdir(parents=True)
    (folder / "remediations").mkdir()
    (modules / "mark.py").write_text(MODULE)
    executor = AnsibleExecutor(
        folder / "remediations",
        folder / "work",
        settings={"ANSIBLE_COLLECTIONS_PATH": str(folder / "installed")},
        collections=Collections([folder / "installed"]),
    )
    await executor.start()
    yield Stage(executor, folder / "remediations", folder / "work")
    await executor.stop()


def approved(stage: Stage, mark: Path) -> RunSpec:
    """A spec of the remediation and its collection as they are now."""
    stage.remediation(f"- acme.tools.mark: {{path: {mark}}}")
    installed = Collections([stage.remediations.parent / "installed"])
    contents = contents_of(stage.remediations / "play", installed)
    return replace(stage.spec(contents.digest), contents=contents.parts)


def change(stage: Stage) -> None:
    """Change one byte of the collection."""
    module = stage.remediations.parent / "installed/ansible_collections/acme/tools"
    with (module / "plugins/modules/mark.py").open("a") as file:
        file.write("#")


async def test_a_collection_is_played_as_approved(collecting: Stage, tmp_path: Path) -> None:
    """The digest is of the very collection that Ansible takes."""
    result = await collecting.play(approved(collecting, tmp_path / "mark"))
    assert (Outcome.CHANGED, True) == (result.outcome, (tmp_path / "mark").exists())


async def test_a_changed_collection_is_not_laid_out(collecting: Stage, tmp_path: Path) -> None:
    """Changed between approval and layout: refused, and the collection is named."""
    spec = approved(collecting, tmp_path / "mark")
    change(collecting)
    prepared = await collecting.executor.prepare(spec)
    assert prepared.check_problem is not None
    assert "collection acme.tools changed" in prepared.check_problem


async def test_a_changed_collection_is_not_played(collecting: Stage, tmp_path: Path) -> None:
    """Changed between layout and start: nothing is started, and the collection is named."""
    prepared = await collecting.executor.prepare(approved(collecting, tmp_path / "mark"))
    change(collecting)
    result = await collecting.launch(prepared)
    assert Outcome.REFUSED == result.outcome
    assert "collection acme.tools changed" in result.summary
    assert not (tmp_path / "mark").exists()


async def test_a_changed_copy_is_not_played(collecting: Stage, tmp_path: Path) -> None:
    """Changed where it lay ready: nothing is started, and the file is named."""
    prepared = await collecting.executor.prepare(approved(collecting, tmp_path / "mark"))
    copy = collecting.work / prepared.run / "project" / "playbook.yml"
    copy.write_text(copy.read_text() + "#")
    result = await collecting.launch(prepared)
    assert Outcome.REFUSED == result.outcome
    assert "playbook.yml changed" in result.summary
    assert not (tmp_path / "mark").exists()
