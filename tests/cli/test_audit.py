"""Claims about the commands for auditors: what they print, write, and answer scripts."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.cli.conftest import Shell, command
from tests.runtime.audit.records import Log
from tests.web.test_audit import a_run

RUN_S_MAX = 60


async def test_a_log_is_checked_exported_and_proved_from_its_folder(tmp_path: Path) -> None:
    """Without an agent; the exit code says whether all is in order."""
    log = Log(tmp_path)
    log.add(5)
    outside = tmp_path / "outside.txt"
    outside.write_text(log.notes[0])
    folder = ("--data", str(tmp_path))
    good = await command("audit", "verify", *folder, "--checkpoints", str(outside))
    assert (0, "5 events are in order") == (good.code, good.out[:21])
    proof = json.loads((await command("audit", "prove", "3", *folder)).out)
    assert (3, 5) == (proof["event"], proof["size"])
    older = json.loads((await command("audit", "prove", "--from", "2", *folder)).out)
    assert (2, 5) == (older["from"], older["size"])
    target = tmp_path / "evidence.zip"
    assert 0 == (await command("audit", "export", str(target), *folder)).code
    with zipfile.ZipFile(target) as made:
        assert "evidence/verify_audit.py" in made.namelist()
    assert 1 == (await command("audit", "export", str(target), *folder)).code
    log.cut()
    bad = await command("audit", "verify", *folder, "--checkpoints", str(outside))
    assert (1, "NOT IN ORDER") == (bad.code, bad.err[:12])


async def test_a_bundle_can_be_checked_alone(shell: Shell, tmp_path: Path) -> None:
    """The zip has all that the verifier needs, and it finds a changed word."""
    change = await a_run(shell.agent)
    await shell.agent.publisher.look()
    target = tmp_path / "bundle.zip"
    said = await shell("audit", "bundle", change, "--output", str(target))
    assert (0, f"{change}: 5 proved events") == (said.code, said.out[: len(change) + 17])
    folder = tmp_path / "bundle"
    with zipfile.ZipFile(target) as made:
        made.extractall(folder)
    assert "PLAY [targets]" in (folder / "output-RUN-1.txt").read_text()
    assert 0 == _alone(folder).returncode
    proofs = folder / "proofs.json"
    proofs.write_text(proofs.read_text().replace("RunFinished", "RunFinishes"))
    assert "NOT IN ORDER" in _alone(folder).stderr


async def test_the_population_check_answers_scripts(shell: Shell) -> None:
    """0 where nothing is left over; a table for spreadsheets; the figures of changes too."""
    await a_run(shell.agent)
    said = await shell("audit", "population", "--period", "30d", "--zone", "Europe/Berlin")
    assert (0, True) == (said.code, "Every run has its change" in said.out)
    assert "start,end,part,kind" in (await shell("audit", "population", "--csv")).out
    report = await shell("report", "changes", "--period", "30d")
    assert (0, True) == (report.code, "component:default/db" in report.out)
    assert "entity,origin" in (await shell("report", "changes", "--csv")).out


async def test_a_name_is_erased(shell: Shell) -> None:
    """And a second time there is none."""
    await a_run(shell.agent)
    assert 0 == (await shell("audit", "forget", "operator-anna", role="admin")).code
    assert 1 == (await shell("audit", "forget", "operator-anna", role="admin")).code


def _alone(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify_audit.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
