"""What the warm process does ahead of every play, with the Ansible that is installed."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agent.model.remediation import Outcome, RunLine
from agent.runtime.ansible import supervisor
from agent.runtime.ansible.primed import MODULES
from tests.runtime.ansible.conftest import Stage

PROGRAM = """
import json, os
from agent.runtime.ansible.primed import prime
prime()
os.wait()
from ansible import constants
from ansible.plugins import loader
print(json.dumps({
    "packed": sorted(os.listdir(f"{constants.DEFAULT_LOCAL_TMP}/ansiballz_cache")),
    "ssh is described": constants.config.has_configuration_definition("connection", "ssh"),
    "vars plug-ins found": loader.vars_loader._paths is not None,
}))
"""


def test_plug_ins_are_read_and_modules_packed(tmp_path: Path) -> None:
    """Each step still does what it is for: an Ansible that moved its parts would show here."""
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    packed = [f"ansible.modules.{name}-ZIP_DEFLATED" for name in MODULES]
    names = [name for name in found.pop("packed") if not name.endswith(".lock")]
    assert packed == [name.removesuffix("-none") for name in names]
    assert {"ssh is described": True, "vars plug-ins found": True} == found


def test_what_was_made_ready_comes_along_as_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that gets another folder for temporary files finds there what lay in the old one."""
    (tmp_path / "ready" / "cache").mkdir(parents=True)
    (tmp_path / "ready" / "cache" / "module").write_text("packed")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "ready"))
    supervisor._call("os:getpid", {"tempfile:tempdir": str(tmp_path / "own")})
    assert tempfile.tempdir == str(tmp_path / "own")
    (tmp_path / "own" / "cache" / "module").write_text("changed by a run")
    assert (tmp_path / "ready" / "cache" / "module").read_text() == "packed"


async def test_a_play_says_nothing_of_what_was_done_ahead(stage: Stage) -> None:
    """Its output is that of a play that did everything itself: no warning is added."""
    lines: list[RunLine] = []
    digest = stage.remediation("- ansible.builtin.command: {argv: ['true']}")
    result = await stage.play(stage.spec(digest), lines.append)
    assert result.outcome is Outcome.CHANGED
    assert [] == [line.text for line in lines if "warn" in line.text.lower()]
