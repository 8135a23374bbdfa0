"""Claims about changes over HTTP: who may say yes to what, and when it may run."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.agent import Agent, eventually
from tests.e2e.company import Company, rule
from tests.e2e.sender import alert

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = (
    *("approved", "own", "author", "elsewhere", "edited", "rejected", "late", "cancelled"),
    *("frozen", "windowed", "busy", "cooling", "hopeless", "policy"),
)
POLICY: dict[str, Any] = {
    "rules": [
        {"name": "standard", "when": 'change.type == "standard"', "decision": "allow"},
        {
            "name": "late",
            "when": 'service.name == "late"',
            "decision": "approve",
            "roles": ["approver"],
            "expires": "1s",
        },
        {"name": "normal", "when": "true", "decision": "approve", "roles": ["approver"]},
    ]
}
SLOW = rule(
    "RemediationRule",
    "mend-when-slow",
    {
        "when": 'alert.name == "Slow"',
        "remediation": "mend",
        "target": "alert",
        "mode": "auto",
        "change": "normal",
        "parameters": {"service": {"label": "service"}},
    },
    author="carla",
)
WORSE = rule(
    "RemediationRule",
    "worse",
    {
        "when": 'alert.name == "Hopeless"',
        "remediation": "worse",
        "target": "alert",
        "mode": "auto",
        "parameters": {"service": {"label": "service"}},
    },
    author="carla",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW_OPENS_IN = timedelta(seconds=2)
RUN_S_MAX = 15.0


def _calendar(name: str, *begins: datetime) -> str:
    """A file with an entry of one hour at each of these times."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for begin in begins:
        lines += [
            *("BEGIN:VEVENT", f"UID:{name}-{begin:%Y%m%d}", "DTSTAMP:20260101T000000Z"),
            *(f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", f"DTEND:{begin + HOUR:%Y%m%dT%H%M%SZ}"),
            *(f"SUMMARY:{name} of the test", "END:VEVENT"),
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _concerns(purpose: str, name: str) -> dict[str, Any]:
    spec = {"file": f"{purpose}.ics", "purposes": [purpose], "entities": [f"component:{name}"]}
    return rule("Calendar", purpose, spec)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agent]:
    """An agent with a policy that asks people; each test has a service of its own."""
    company = Company(folder=tmp_path_factory.mktemp("office"))
    company.found(
        *(SLOW, WORSE, rule("ChangePolicy", "policy", POLICY)),
        *(_concerns("freeze", "frozen"), _concerns("permit", "windowed")),
        services=SERVICES,
    )
    company.write_remediation("other")
    company.write_remediation("edited")
    company.write_remediation("worse", status=1, attempts={"max": 2, "window": "1h"})
    company.write_remediation("rare", cooldown="1h")
    now = datetime.now(UTC)
    (company.rules / "freeze.ics").write_text(_calendar("freeze", now - timedelta(minutes=1)))
    (company.rules / "permit.ics").write_text(_calendar("permit", now + DAY))
    async with Agent(company) as agent:
        yield agent


async def _wish(
    agent: Agent, service: str, *, who: str = "olga", type: str = "normal", what: str = "mend"
) -> dict[str, Any]:
    body = {"remediation": what, "entity": f"component:default/{service}", "type": type}
    return dict(await agent.post("/api/v1/changes", body | _for(service), who=who))


def _for(service: str) -> dict[str, Any]:
    return {"parameters": {"service": service}}


async def _word(
    agent: Agent, change: dict[str, Any], word: str, who: str, **body: str
) -> tuple[int, str]:
    """Status and reason of the answer to somebody's word about a change."""
    path = f"/api/v1/changes/{change['id']}/{word}"
    status, content = await agent.ask("POST", path, who=who, json=body)
    return status, content.get("reason", content.get("state"))


async def _say_yes(agent: Agent, change: dict[str, Any], who: str = "anna") -> tuple[int, str]:
    return await _word(agent, change, "approve", who, binding=change["binding"])


async def _look(agent: Agent, change: dict[str, Any]) -> dict[str, Any]:
    return dict((await agent.get(f"/api/v1/changes/{change['id']}"))["change"])


async def _closed(agent: Agent, change: dict[str, Any]) -> str:
    """How the change was closed."""
    seen = await eventually(
        lambda: _look(agent, change), lambda seen: seen["closure"], limit_s=RUN_S_MAX
    )
    return str(seen["closure"])


def _done(agent: Agent, service: str) -> list[str]:
    """What was done to the service, at the host."""
    lines = (line.split() for line in agent.company.effects())
    return [what for what, name in lines if name == service]


async def test_a_normal_change_runs_when_another_person_approves(office: Agent) -> None:
    """It waits, runs once after the approval of somebody with the role, and says who it was."""
    change = await _wish(office, "approved")
    before = (change["state"], _done(office, "approved"))

    said = await _say_yes(office, change)

    assert before == ("awaiting_approval", [])
    assert said[0] == 200
    assert await _closed(office, change) == "success"
    assert _done(office, "approved") == ["begin", "end"]
    assert [each["by"] for each in (await _look(office, change))["approvals"]] == ["anna"]


async def test_four_eyes_and_the_role_are_asked_for(office: Agent) -> None:
    """Who asked, who lacks the role, and who saw another binding is refused; nothing runs."""
    change = await _wish(office, "own", who="anna")

    answers = [
        await _say_yes(office, change, "anna"),
        await _say_yes(office, change, "root"),
        await _say_yes(office, change, "olga"),
        await _word(office, change, "approve", "carla", binding="0" * 64),
        await _word(office, change, "reject", "root", note="not like this"),
    ]

    assert [status for status, _ in answers] == [409, 409, 409, 409, 409]
    assert [reason for _, reason in answers] == [
        *("self_approval", "role_missing", "role_missing", "approval_void", "role_missing")
    ]
    assert (await _look(office, change))["state"] == "awaiting_approval"
    assert _done(office, "own") == []


async def test_the_author_of_a_rule_cannot_approve_what_it_asks_for(office: Agent) -> None:
    """Carla's rule proposes; carla is refused, anna is not, and the run counts once."""
    await office.post("/api/v2/alerts", [alert("author", "Slow")])
    change = await office.change_in("awaiting_approval", "author")

    refused, taken = await _say_yes(office, change, "carla"), await _say_yes(office, change)

    assert refused == (409, "self_approval")
    assert taken[0] == 200
    await eventually(
        lambda: _look(office, change), lambda c: c["state"] == "verifying", limit_s=RUN_S_MAX
    )
    ends = datetime.now(UTC).isoformat()
    await office.post("/api/v2/alerts", [alert("author", "Slow", endsAt=ends)])
    assert await _closed(office, change) == "success"
    assert _done(office, "author") == ["begin", "end"]


async def test_an_edited_playbook_voids_what_waits(office: Agent) -> None:
    """One byte of the playbook changes: the change is over, its approval is refused."""
    change = await _wish(office, "edited", what="edited")
    playbook = office.company.remediations / "edited" / "playbook.yml"

    playbook.write_text(playbook.read_text() + " ")

    assert await _closed(office, change) == "refused"
    assert (await _say_yes(office, change))[0] == 409
    assert _done(office, "edited") == []


async def test_a_rejected_change_never_runs(office: Agent) -> None:
    """After a no there is no yes."""
    change = await _wish(office, "rejected")

    no = await _word(office, change, "reject", "anna", note="not now")
    yes = await _say_yes(office, change, "carla")

    assert (no[0], yes) == (200, (409, "not_open"))
    assert await _closed(office, change) == "cancelled"
    assert _done(office, "rejected") == []


async def test_an_unanswered_question_expires(office: Agent) -> None:
    """Nobody said yes in time: the change is over, and a late yes is refused."""
    change = await _wish(office, "late")

    assert await _closed(office, change) == "expired"
    assert await _say_yes(office, change) == (409, "not_open")


async def test_a_cancelled_run_is_gone_and_has_no_later_effect(office: Agent) -> None:
    """Cancelled while it plays: no process of it lives, and its last task never happens."""
    office.company.hold("cancelled")
    change = await _wish(office, "cancelled", type="standard")
    await eventually(_seen(office, "cancelled"), lambda done: done == ["begin"], limit_s=RUN_S_MAX)

    said = await _word(office, change, "cancel", "olga")
    closure = await _closed(office, change)
    alive = [each for each in office.company.processes() if "mend.sh cancelled" in each]
    office.company.let_go("cancelled")
    waiting = await office.metric("watchkeeper_effects_waiting")

    assert (said[0], closure, alive, waiting) == (200, "cancelled", [], 0)
    assert _done(office, "cancelled") == ["begin"]


def _seen(agent: Agent, service: str) -> Any:
    async def look() -> list[str]:
        return _done(agent, service)

    return look


async def test_a_freeze_defers_and_says_until_when(office: Agent) -> None:
    """Even what policy allows does not start in a freeze."""
    change = await _wish(office, "frozen", type="standard")

    decision = change["decision"]
    assert (change["state"], decision["reason"]) == ("scheduled", "frozen")
    assert "freeze of the test" in decision["text"]
    assert _done(office, "frozen") == []


async def test_a_change_waits_for_its_window(office: Agent) -> None:
    """Approved before its window it waits; the window is moved, which voids the approval; approved
    for the new one, it runs when that opens."""
    change = await _wish(office, "windowed")
    said = await _say_yes(office, change)
    waiting, done = await _look(office, change), _done(office, "windowed")
    text = _calendar("permit", datetime.now(UTC) + WINDOW_OPENS_IN)
    (office.company.rules / "permit.ics").write_text(text)
    moved = await eventually(
        lambda: _look(office, change),
        lambda seen: seen["state"] == "awaiting_approval",
        limit_s=RUN_S_MAX,
    )
    again = await _say_yes(office, moved)

    closure = await _closed(office, change)

    assert (said, done) == ((200, "scheduled"), [])
    assert again[0] == 200
    assert waiting["decision"]["reason"] == "outside_window"
    assert closure == "success"


async def test_one_target_has_one_change_under_way(office: Agent) -> None:
    """A second remediation of the same service waits until the first is over, then runs."""
    office.company.hold("busy")
    first = await _wish(office, "busy", type="standard")
    second = await _wish(office, "busy", type="standard", what="other")
    waits = (second["state"], second["decision"]["reason"])
    office.company.let_go("busy")

    closures = [await _closed(office, first), await _closed(office, second)]

    assert waits == ("scheduled", "concurrency")
    assert closures == ["success", "success"]
    assert _done(office, "busy") == ["begin", "end", "begin", "end"]


async def test_what_does_not_help_becomes_a_problem(office: Agent) -> None:
    """Tried once by itself and once on a person's word; then a person has a problem."""
    await office.post("/api/v2/alerts", [alert("hopeless", "Hopeless")])
    asks = await eventually(lambda: _awaiting(office, "worse"), bool, limit_s=RUN_S_MAX)
    assert await _say_yes(office, asks[0]) == (200, "starting")

    problems = await eventually(lambda: _problems(office), bool, limit_s=RUN_S_MAX)

    assert [each["reason"] for each in problems] == ["breaker_opened"]
    assert _done(office, "hopeless") == ["begin", "end"] * 2


async def _awaiting(agent: Agent, what: str) -> list[dict[str, Any]]:
    found = (await agent.get("/api/v1/changes?state=awaiting_approval"))["items"]
    return [change for change in found if change["remediation"] == what]


async def _problems(agent: Agent) -> list[dict[str, Any]]:
    return [told["problem"] for told in await agent.get("/api/v1/problems")]


async def test_a_cooldown_defers_the_next_run(office: Agent) -> None:
    """A rule does not repeat within the cooldown what has just been done."""
    rare = rule(
        "RemediationRule",
        "rare",
        {
            "when": 'alert.name == "Rare"',
            "remediation": "rare",
            "target": "alert",
            "mode": "auto",
            "parameters": {"service": {"label": "service"}},
        },
        author="carla",
    )
    digest = (await office.get("/api/v1/config"))["digest"]
    office.company.write_rules("rare", rare)
    await eventually(
        lambda: office.get("/api/v1/config"), lambda c: c["digest"] != digest, limit_s=5
    )
    first = await _fire_and_mend(office)
    await office.post("/api/v2/alerts", [alert("cooling", "Rare")])
    second = await office.change_in("scheduled", "cooling")

    assert (first, second["decision"]["reason"]) == ("success", "cooldown")
    assert _done(office, "cooling") == ["begin", "end"]


async def _fire_and_mend(agent: Agent) -> str:
    await agent.post("/api/v2/alerts", [alert("cooling", "Rare")])
    change = await agent.change_in("verifying", "cooling")
    ends = datetime.now(UTC).isoformat()
    await agent.post("/api/v2/alerts", [alert("cooling", "Rare", endsAt=ends)])
    return await _closed(agent, change)


async def test_a_new_policy_asks_anew(office: Agent) -> None:
    """The policy changes while a change waits: the old binding is void, the new one shown can be
    approved, by whoever said yes to the old one too. An unreadable policy changes nothing."""
    double = {**POLICY, "rules": [*POLICY["rules"][:2], {**POLICY["rules"][2], "approvals": 2}]}
    change = await _wish(office, "policy")
    office.company.write_rules("policy", rule("ChangePolicy", "policy", double))
    shown = await eventually(
        lambda: _look(office, change),
        lambda seen: seen["decision"]["approvals"] == 2,
        limit_s=RUN_S_MAX,
    )
    (office.company.rules / "policy.yaml").write_text("kind: [")
    status = await eventually(
        lambda: office.get("/api/v1/config"), lambda seen: seen["problems"], limit_s=RUN_S_MAX
    )

    old = await _say_yes(office, change)
    new = [await _say_yes(office, shown, who) for who in ("anna", "carla")]

    assert "policy.yaml:2:1: this is no YAML" in status["problems"][0]
    assert old == (409, "approval_void")
    assert [status for status, _ in new] == [200, 200]
    assert await _closed(office, change) == "success"
