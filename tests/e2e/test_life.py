"""Claims about a life of the process: how it starts, what keeps it from starting, how it ends."""

import asyncio
import re
import signal
from typing import Any

import aiohttp
import pytest

from deploy.demo.programs import LOOPBACK
from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.sender import alert

RUN_S_MAX = 15.0
END_S_MAX = 5.0
FILE_BYTES_MAX = 600_000
POSTS_MAX = 200


async def _refused(agent: Agent) -> tuple[int, str]:
    """Exit code and words of an agent that does not start."""
    await agent.launch()
    try:
        return await agent.ended(), agent.said()
    finally:
        await agent.close()


async def test_without_any_configuration(company: Company) -> None:
    """In an empty home it serves, keeps its data there, shows one token, and ends in order."""
    agent = Agent(
        company,
        arguments=("--listen", company.address),
        environment={"HOME": str(company.folder)},
    )
    async with agent:
        await agent.post("/api/v2/alerts", [alert()], who=None)
        incidents = await agent.ask("GET", "/api/v1/incidents", who=None)
        token = agent.admin_token
        stranger = await agent.ask("POST", "/api/v1/incidents/INC-1/acknowledge", who=None)
        admin = await agent.ask(
            "POST",
            "/api/v1/incidents/INC-1/acknowledge",
            who=None,
            headers={"Authorization": f"Bearer {token}"},
        )
        code = await agent.stop()

    assert [each["id"] for each in incidents[1]["items"]] == ["INC-1"]
    assert (stranger[0], admin[0], code) == (401, 200, 0)
    assert (company.folder / ".local/state/watchkeeper/watchkeeper.db").is_file()


async def test_a_port_in_use_is_told_in_one_line(company: Company) -> None:
    """Somebody else listens: one line that names the address, exit code 1, no traceback."""
    company.found()
    server = await asyncio.start_server(lambda *_: None, *company.address.split(":"))
    async with server:
        code, said = await _refused(Agent(company))

    last = said.strip().splitlines()[-1]
    assert (code, "Traceback" in said) == (1, False)
    assert last.startswith("watchkeeper: ")
    assert company.address in last


async def test_an_address_that_is_none_is_told_in_one_line(company: Company) -> None:
    """A typing error on the command line: one line, exit code 1, no traceback."""
    code, said = await _refused(Agent(company, arguments=("--listen", "nowhere")))

    (line,) = said.strip().splitlines()
    assert code == 1
    assert line.startswith("watchkeeper: --listen: ")
    assert '"nowhere" is no address' in line


async def test_a_folder_has_one_agent(company: Company) -> None:
    """A second agent on the same folder says who has it and ends; the first goes on."""
    company.found()
    async with Agent(company) as first:
        code, said = await _refused(Agent(company))
        status, _ = await first.ask("GET", "/-/ready", who=None)

    assert (code, status, "Traceback" in said) == (1, 200, False)
    assert f"another watchkeeper (pid {first.process.pid}) uses this folder" in said


async def test_bad_rules_keep_it_from_starting(company: Company) -> None:
    """Everything wrong is told at once, with its place; nothing is started or created."""
    company.found(rule("Heartbeat", "odd", {"match": "alertname=", "within": "5x"}))
    (company.rules / "policy.yaml").write_text("kind: [")
    company.write_rules("map", {"apiVersion": "backstage.io/v1alpha1", "kind": "Compnent"})

    code, said = await _refused(Agent(company))

    places = set(re.findall(r"(\w+\.yaml):\d+:\d+: ", said))
    assert (code, places) == (2, {"map.yaml", "own.yaml", "policy.yaml"})
    assert not company.data.exists()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_an_end_in_the_middle_of_a_run(company: Company, end: signal.Signals) -> None:
    """The run dies with the agent, is marked at the next start, and never begins again."""
    company.found()
    company.hold("web")
    async with Agent(company) as agent:
        await agent.post("/api/v2/alerts", [alert()])
        await eventually(_effects(company), bool, limit_s=RUN_S_MAX)
        agent.process.send_signal(end)
        code = await agent.ended()
    alive = await eventually(_processes(company), lambda seen: not seen, limit_s=END_S_MAX)
    company.let_go("web")
    async with Agent(company) as agent:
        change = await eventually(
            agent.change, lambda seen: seen["state"] in ("unknown", "closed"), limit_s=RUN_S_MAX
        )
        story = await agent.get(f"/api/v1/changes/{change['id']}")

    assert (code, alive) == (0 if end is signal.SIGTERM else -end, [])
    assert company.effects() == ["begin web"]
    (run,) = story["runs"]
    assert (run["state"], (run["result"] or {}).get("outcome")) in {
        ("unknown", None),
        ("finished", "cancelled"),
    }


def _effects(company: Company) -> Any:
    async def look() -> list[str]:
        return company.effects()

    return look


def _processes(company: Company) -> Any:
    async def look() -> list[str]:
        return company.processes()

    return look


async def test_a_full_disk_loses_nothing_that_was_answered(company: Company) -> None:
    """What cannot be kept is refused with 503; the agent says why and ends. Once there is room
    again, every alert that was answered is there."""
    company.found(services=("other",))
    full = Agent(company, before=("prlimit", f"--fsize={FILE_BYTES_MAX}:{FILE_BYTES_MAX}", "--"))
    answered: list[str] = []
    statuses: set[int] = set()
    async with full:
        for number in range(POSTS_MAX):
            name = f"disk-{number}"
            body = [alert(name, "Full", annotations={"text": "x" * 20_000})]
            try:
                status, _ = await full.ask("POST", "/api/v2/alerts", json=body, who="olga")
            except aiohttp.ClientError:
                break
            statuses.add(status)
            if status == 200:
                answered.append(name)
        code = await full.ended()
    async with Agent(company) as roomy:
        kept = {each["labels"]["service"] for each in await roomy.get("/api/v2/alerts")}

    assert answered
    assert statuses <= {200, 503}
    assert set(answered) <= kept
    assert (code, "Traceback" in full.said()) == (1, False)
    assert "the journal cannot be written" in full.said().splitlines()[-1]


async def test_listening_is_what_ready_means(company: Company) -> None:
    """A bad rule file is told, and counted, but alerts are taken all the same."""
    company.found()
    async with Agent(company) as agent:
        (company.rules / "own.yaml").write_text("kind: [")
        status = await eventually(
            lambda: agent.get("/api/v1/config"), lambda seen: seen["problems"], limit_s=RUN_S_MAX
        )
        ready = await agent.ask("GET", "/-/ready", who=None)
        healed = rule("Heartbeat", "beat", {"match": 'alertname="Watchdog"', "within": "5m"})
        gauge = await agent.metric("watchkeeper_config_last_reload_successful")
        company.write_rules("own", healed)
        after = await eventually(
            lambda: agent.get("/api/v1/config"), lambda c: c["heartbeats"], limit_s=RUN_S_MAX
        )

    assert "own.yaml:2:1" in status["problems"][0]
    assert (gauge, ready) == (0, (200, "OK"))
    assert (after["heartbeats"], after["problems"]) == (1, [])
    assert '"event": "config.refused"' in agent.said()
    assert LOOPBACK in agent.url
