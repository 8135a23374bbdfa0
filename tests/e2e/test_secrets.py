"""Claims about secrets and files of a running agent: in no place but the one they were given in."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.programs import LOOPBACK, free_ports
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.desk import Desk
from tests.e2e.sender import alert

SEEN_S_MAX = 20.0
CANARIES = {
    "prometheus": "canary-prometheus-4d5f6a7b8c9d",
    "header": "canary-header-0a1b2c3d4e5f",
    "desk": "canary-desk-1f2e3d4c5b6a",
    "apprise": "canary-apprise-9z8y7x6w5v4u",
    "source": "canary-source-q1w2e3r4t5y6u7i8o9p0",
}
EXPLAINED = (
    *("/metrics", "/api/v1/config", "/api/v1/incidents", "/api/v1/changes", "/api/openapi.json"),
    *("/api/v1/incidents/INC-1", "/api/v1/changes/CHG-1", "/api/v1/runs/RUN-1"),
    *("/api/v1/runs/RUN-1/output", "/api/v2/status", "/api/v2/alerts", "/", "/incidents/INC-1"),
)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _command_lines() -> Iterator[tuple[str, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield f"{entry}/cmdline", (entry / "cmdline").read_bytes()
            except OSError:
                continue


def _wide(folder: Path) -> list[str]:
    """What others than the owner may touch."""
    others = stat.S_IRWXG | stat.S_IRWXO
    return [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & others]


async def test_secrets_stay_where_they_are(company: Company, desk: Desk) -> None:
    """Through alert, ticket, message and run, with tools that do not answer: no secret is in the
    data folder, log, answer or command line; below the data folder nothing is for others, even
    where the mask would allow it."""
    (nobody,) = free_ports(1)
    secrets = {**CANARIES, **{f"token of {name}": text for name, text in company.tokens.items()}}
    company.found(
        rule("Ticketing", "tickets", {"connector": "desk"}),
        rule("Route", "all", {"receiver": "people", "groupWait": "0s"}),
        rule("Watch", "Odd", {"query": "up == 0", "every": "500ms"}),
        connectors=[desk.connection() | {"secret": CANARIES["desk"]}],
        prometheus={
            "url": f"http://{LOOPBACK}:{nobody}",
            "token": CANARIES["prometheus"],
            "headers": {"X-Scope-OrgID": CANARIES["header"]},
        },
        receivers=[
            {
                "name": "people",
                "apprise": [f"json://user:{CANARIES['apprise']}@{LOOPBACK}:{nobody}/hook"],
            }
        ],
        sources=[{"name": "tool", "type": "alertmanager", "token": CANARIES["source"]}],
    )
    before = os.umask(0)
    try:
        agent = Agent(company)
        await agent.launch()
    finally:
        os.umask(before)
    async with agent:
        await agent.post("/api/v2/alerts", [alert()])
        await agent.change_in("verifying")
        await eventually(
            lambda: agent.metric("watchkeeper_notifications_total"), bool, limit_s=SEEN_S_MAX
        )
        seen = {path: str(await agent.ask("GET", path)).encode() for path in EXPLAINED}
        seen |= dict(_command_lines())
        wide = _wide(company.data)
        seen |= {str(path): path.read_bytes() for path in _files(company.data)}
    seen |= {str(path): path.read_bytes() for path in _files(company.data)}
    seen["log"] = agent.said().encode()

    found = [
        (name, place)
        for place, content in seen.items()
        for name, secret in secrets.items()
        if secret.encode() in content
    ]
    assert found == []
    assert wide == []
    assert len(desk.issues) == 1
