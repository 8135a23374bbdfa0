"""`watchkeeper rules import-rulebook`: what it prints, writes and answers."""

import os
from pathlib import Path

from tests.cli.conftest import command

HERE = Path(__file__).parent
FOLDER = HERE.parent / "config" / "rulebook"
SHOP, REFUSED = str(FOLDER / "shop.yml"), str(FOLDER / "refused.yml")
MAPS = ("--map", "playbooks/restart.yml=restart-service", "--map", "shop.ops.clean_up=clean")


async def test_rules_are_printed_where_no_folder_is_named() -> None:
    """Notes go to the other stream, so that the rules can be piped."""
    done = await command("rules", "import-rulebook", SHOP, "--author", "jonas", *MAPS)
    assert done.code == 0, done.err
    assert done.out.startswith("# Imported from shop.yml")
    assert "note: " in done.err
    assert "4 rules" in done.err


async def test_what_a_person_has_to_write_is_said(tmp_path: Path) -> None:
    """A folder for each unknown playbook, and an answer that a script can see."""
    written = ("--author", "jonas", "--output", str(tmp_path))
    done = await command("rules", "import-rulebook", SHOP, *written)
    assert done.code == 1, done.err
    assert "remediations/clean-up stands for shop.ops.clean_up and is still to be" in done.err
    assert sorted(path.name for path in (tmp_path / "remediations" / "clean-up").iterdir()) == [
        "README.md",
        "playbook.yml",
        "remediation.yaml",
    ]
    again = await command("rules", "import-rulebook", SHOP, *written)
    assert again.code == 1
    assert "exists already; nothing was written" in again.err


async def test_nothing_is_written_where_something_is_refused(tmp_path: Path) -> None:
    """Unless it is said that a part will do."""
    whole = ("rules", "import-rulebook", REFUSED, "--author", "jonas", "--output", str(tmp_path))
    done = await command(*whole)
    assert (done.code, os.listdir(tmp_path)) == (2, [])
    part = await command(*whole, "--partial")
    assert part.code == 1
    assert "left out: " in part.err
    assert (tmp_path / "rules" / "refused.yaml").exists()


async def test_a_map_that_is_none_is_refused() -> None:
    """With what was wrong about it."""
    done = await command(
        "rules", "import-rulebook", SHOP, "--author", "jonas", "--map", "restart.yml"
    )
    assert done.code == 1
    assert '--map: "restart.yml" is not PLAYBOOK=REMEDIATION' in done.err
