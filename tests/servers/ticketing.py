"""A real Redmine with SQLite, on a copy of the installed database: each session starts afresh."""

import json
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.programs import LOOPBACK, Program, answers, free_ports, missing

RUN_AS = "www-data"
INSTALLED = Path("/usr/share/redmine/config/environment.rb")
INSTALLED_DATABASE = Path(
    "/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default"
)
RECIPE = Path(__file__).parent / "redmine"
BOOT_S_MAX = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Redmine:
    """A running Redmine: one project with all trackers, one custom field, two people.

    `api_key` belongs to the user "watchkeeper", `human_api_key` to the user "alex"; both may do
    everything with tickets of the project. The mappings go from a name to its id.
    """

    url: str
    api_key: str
    human_api_key: str
    project: str
    external_id_field: int
    trackers: Mapping[str, int]
    statuses: Mapping[str, int]
    closed_statuses: tuple[str, ...]
    priorities: Mapping[str, int]


def why_no_redmine() -> str | None:
    """Why Redmine cannot run on this machine, in a sentence; None if it can."""
    if os.geteuid() != 0:
        return f"Redmine needs root, to run as {RUN_AS}"
    if not INSTALLED.exists() or not INSTALLED_DATABASE.exists():
        return "not installed: redmine with redmine-sqlite"
    return missing(("setpriv", "puma"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redmine() -> AsyncIterator[Redmine]:
    """A Redmine of this test session; it boots once, in about ten seconds."""
    if reason := why_no_redmine():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="redmine-"))
    try:
        program, url = await _boot(folder)
        try:
            await program.until_ready(lambda: answers(f"{url}/login"), limit_s=BOOT_S_MAX)
            facts = json.loads((folder / "facts.json").read_text())
            yield Redmine(**{**facts, "closed_statuses": tuple(facts["closed_statuses"])}, url=url)
        finally:
            await program.stop()
    finally:
        shutil.rmtree(folder)


def _prepare(folder: Path) -> None:
    for name in ("Gemfile", "config.ru"):
        shutil.copy(RECIPE / name, folder)
    shutil.copy(INSTALLED_DATABASE, folder / "redmine.sqlite3")
    owner = pwd.getpwnam(RUN_AS)
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)


async def _boot(folder: Path) -> tuple[Program, str]:
    _prepare(folder)
    (port,) = free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    program = await Program.start(
        *("setpriv", f"--reuid={RUN_AS}", f"--regid={RUN_AS}", "--clear-groups"),
        # a change of user drops the wish to die with us: say it once more
        *("--pdeathsig", "KILL", "--"),
        *("puma", "-e", "production", "-b", f"tcp://{LOOPBACK}:{port}", "-t", "1:4"),
        log=folder / "redmine.log",
        folder=folder,
        environment={
            "HOME": str(folder),
            "RAILS_ENV": "production",
            "REDMINE_INSTANCE": "default",
            "X_DEBIAN_SITEID": "default",
            "BUNDLE_GEMFILE": str(folder / "Gemfile"),
            "DATABASE_URL": f"sqlite3:{folder / 'redmine.sqlite3'}",
            "FACTS": str(folder / "facts.json"),
        },
    )
    return program, url
