"""A real Redmine with SQLite, on a copy of the installed database: each one starts afresh."""

import json
import os
import pwd
import shutil
import urllib.request
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from deploy.demo.programs import LOOPBACK, Program, answers, free_ports, missing

RUN_AS = "www-data"
INSTALLED = Path("/usr/share/redmine/config/environment.rb")
INSTALLED_DATABASE = Path(
    "/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default"
)
RECIPE = Path(__file__).parent / "redmine"
BOOT_S_MAX = 120.0
ISSUE_S_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What Redmine shows of a ticket."""

    status: str
    notes: tuple[str, ...]


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

    def issue(self, ref: str) -> Issue:
        """A ticket as the user "alex" sees it; raises URLError."""
        request = urllib.request.Request(
            f"{self.url}/issues/{ref}.json?include=journals",
            headers={"X-Redmine-API-Key": self.human_api_key},
        )
        with urllib.request.urlopen(request, timeout=ISSUE_S_MAX) as response:
            issue = json.load(response)["issue"]
        notes = (journal["notes"] for journal in issue["journals"])
        return Issue(status=issue["status"]["name"], notes=tuple(note for note in notes if note))

    def is_closed(self, ref: str) -> bool:
        """Whether Redmine says that the ticket is done with; raises URLError."""
        return self.issue(ref).status in self.closed_statuses


def why_no_redmine() -> str | None:
    """Why Redmine cannot run on this machine, in a sentence; None if it can."""
    if os.geteuid() != 0:
        return f"Redmine needs root, to run as {RUN_AS}"
    if not INSTALLED.exists() or not INSTALLED_DATABASE.exists():
        return "not installed: redmine with redmine-sqlite"
    return missing(("setpriv", "puma"))


class Ticketing:
    """Gives a Redmine from `async with` to its end; boots in about ten seconds.

    The folder becomes the property of another user, and has to be within the reach of that one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Redmine:
        """Start it; raises NotReadyError."""
        self._prepare()
        (port,) = free_ports(1)
        url = f"http://{LOOPBACK}:{port}"
        async with AsyncExitStack() as starting:
            program = await self._start(port)
            starting.push_async_callback(program.stop)
            await program.until_ready(lambda: answers(f"{url}/login"), limit_s=BOOT_S_MAX)
            facts = json.loads((self._folder / "facts.json").read_text())
            self._running = starting.pop_all()
        return Redmine(**{**facts, "closed_statuses": tuple(facts["closed_statuses"])}, url=url)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self._running.aclose()

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in ("Gemfile", "config.ru"):
            shutil.copy(RECIPE / name, self._folder)
        shutil.copy(INSTALLED_DATABASE, self._folder / "redmine.sqlite3")
        owner = pwd.getpwnam(RUN_AS)
        for path in (self._folder, *self._folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    async def _start(self, port: int) -> Program:
        folder = self._folder
        return await Program.start(
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
