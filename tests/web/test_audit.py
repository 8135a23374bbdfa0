"""Claims about evidence by API: it is whole, it can be checked, and what does not fit is shown."""

import base64
import json
from typing import Any

from agent import verifier
from agent.model.change import Run, RunState
from agent.model.entry import RunFinished, RunPrepared, RunStarted
from agent.model.remediation import Outcome, Phase, RunLine, RunResult
from agent.reporting.changes.population import Finding
from agent.runtime.codec import encode, to_micros
from agent.runtime.database import connect
from agent.runtime.projection import RUNS, number_of
from agent.web.pages import page_routes
from agent.web.server import Listener
from agent.web.views.audit import Place, audit_view
from tests.runtime.agents import START
from tests.web.conftest import Running

CHANGES = "/api/v1/changes"


async def a_run(agent: Running) -> str:
    """A change that an operator asked for and an approver let, and that ran; its id."""
    wish = {
        "remediation": "restart",
        "entity": "component:default/db",
        "parameters": {"service": "db"},
    }
    status, made = await agent.ask("POST", CHANGES, role="operator", json=wish)
    assert status == 201
    path = f"{CHANGES}/{made['id']}"
    status, _ = await agent.ask(
        "POST", f"{path}/approve", role="approver", json={"binding": made["binding"]}
    )
    assert status == 200
    run, state = agent.loop.state.changes[made["id"]].run, agent.loop.state
    prepare = next(iter(state.outbox.prepare.values()))
    await agent.loop.append(RunPrepared(effect=prepare.id, run=run, digest="d1"))
    launch = next(iter(state.outbox.launch.values()))
    await agent.loop.append(RunStarted(effect=launch.id, run=run))
    at = agent.site.clock.now()
    await agent.store.add_output([RunLine(run=run, number=1, at=at, text="PLAY [targets]")])
    result = RunResult(outcome=Outcome.CHANGED, summary="changed=1")
    await agent.loop.append(RunFinished(effect=launch.id, run=run, result=result))
    return str(made["id"])


async def test_the_evidence_of_a_change_is_whole_and_proved(agent: Running) -> None:
    """Decision, approval, run and output; each event leads to the root that was signed."""
    change = await a_run(agent)
    await agent.publisher.look()
    _, found = await agent.ask("GET", f"{CHANGES}/{change}/evidence")
    proofs = found["proofs"]
    checkpoint = verifier.open_checkpoint(found["checkpoint"], [verifier.Key.parse(found["key"])])

    assert ("allowed", "approver-anna") == (
        found["change"]["decision"]["verdict"],
        found["change"]["approvals"][0]["by"],
    )
    (run,) = found["runs"]
    assert ["PLAY [targets]"] == [line["text"] for line in run["lines"]]
    kinds = [json.loads(event["text"])["kind"] for event in proofs["events"]]
    assert {"ChangeRequested", "ApprovalGiven", "RunPrepared", "RunStarted", "RunFinished"} == {
        *kinds
    }
    assert {"operator-anna", "approver-anna", "carla"} >= {*found["people"].values()}
    assert (proofs["size"], proofs["root"]) == (checkpoint.size, _packed(checkpoint.root))
    for event in proofs["events"]:
        leaf = verifier.leaf_hash(event["text"].encode())
        path = [base64.b64decode(each) for each in event["path"]]
        head = verifier.root_by_inclusion(leaf, event["number"], proofs["size"], path)
        assert checkpoint.root == head
    assert "/secret/key" not in json.dumps(found)


async def test_what_came_after_the_checkpoint_is_told_apart(agent: Running) -> None:
    """Nobody vouched for it yet."""
    change = await a_run(agent)
    _, found = await agent.ask("GET", f"{CHANGES}/{change}/evidence")

    assert (0, [], None) == (
        found["proofs"]["size"],
        found["proofs"]["events"],
        found["checkpoint"],
    )
    assert 5 == len(found["proofs"]["unsigned"])


async def test_a_whole_record_has_no_findings(agent: Running) -> None:
    """One change, one run, each with the other, and nothing broke what was decided."""
    await a_run(agent)
    status, found = await agent.ask("GET", "/api/v1/audit/population?period=30d")

    assert (200, 1, 1) == (status, found["runs"], found["changes"])
    assert ([], [], []) == (found["remainders"], found["violations"], found["unknown"])


async def test_what_is_outside_of_the_record_is_found(agent: Running) -> None:
    """A run that somebody wrote into the record, output of none, and one that was taken out."""
    change = await a_run(agent)
    at = agent.site.clock.now()
    forged = Run(
        id="RUN-9", change="CHG-9", phase=Phase.REMEDIATE, state=RunState.FINISHED, requested_at=at
    )
    await agent.store.add_output([RunLine(run="RUN-8", number=1, at=at, text="hm")])
    _forge(agent, forged)
    _, found = await agent.ask("GET", "/api/v1/audit/population")

    assert {
        ("run_without_change", "RUN-9"),
        ("run_not_audited", "RUN-9"),
        ("output_without_run", "RUN-8"),
        ("output_without_run", "RUN-1"),
        ("change_without_run", change),
        ("audited_run_gone", "RUN-1"),
    } == {(each["kind"], each["subject"]) for each in found["remainders"]}


async def test_how_changes_fared(agent: Running) -> None:
    """Who asked, how often, and what waits; a spread of one value is none."""
    await a_run(agent)
    status, found = await agent.ask("GET", "/api/v1/reports/changes?period=30d")
    (row,) = found["services"]

    assert 200 == status
    assert ("component:default/db", "people", 1) == (
        row["entity"],
        row["origin"],
        row["deployments"],
    )
    assert {"count": 0, "median_s": None, "p90_s": None} == row["lead_time"]
    assert (1, 0, 0) == (
        found["all"]["by_type"]["normal"],
        found["all"]["unauthorised"],
        found["all"]["awaiting_approval"],
    )


async def test_the_log_stands_and_proves(agent: Running) -> None:
    """Size, root, key; an event by its path; an older tree as a beginning."""
    await agent.publisher.look()
    _, before = await agent.ask("GET", "/api/v1/audit")
    await a_run(agent)
    _, now = await agent.ask("GET", "/api/v1/audit")
    older = before["checkpoint_size"]
    _, path = await agent.ask("GET", f"/api/v1/audit/proof?older={older}")
    verifier.check_consistency(
        older,
        _unpacked(before["root"]),
        now["size"],
        _unpacked(now["root"]),
        list(map(_unpacked, path["path"])),
    )
    _, events = await agent.ask("GET", "/api/v1/audit/events?subject=CHG-1&limit=2")
    _, proof = await agent.ask("GET", f"/api/v1/audit/proof?event={events[0]['number']}")
    leaf = verifier.leaf_hash(events[0]["text"].encode())
    head = verifier.root_by_inclusion(
        leaf, events[0]["number"], proof["size"], list(map(_unpacked, proof["path"]))
    )
    assert _unpacked(now["root"]) == head
    assert 404 == (await agent.ask("GET", "/api/v1/audit/proof?event=999999"))[0]
    assert 404 == (await agent.ask("GET", "/api/v1/audit/proof"))[0]


async def test_a_name_can_be_erased_by_an_admin_alone(agent: Running) -> None:
    """Then evidence says no longer who; the events are the same."""
    change = await a_run(agent)
    wish: Any = {"json": {"name": "operator-anna"}}
    path = "/api/v1/audit/forget"

    assert 403 == (await agent.ask("POST", path, role="approver", **wish))[0]
    assert (200, {"was_known": True}) == await agent.ask("POST", path, role="admin", **wish)
    _, found = await agent.ask("GET", f"{CHANGES}/{change}/evidence")
    assert "operator-anna" not in found["people"].values()
    assert 5 == len(found["proofs"]["unsigned"])


async def test_a_period_that_is_none_is_refused(agent: Running) -> None:
    """With words for what is one."""
    for path in ("/api/v1/audit/population", "/api/v1/reports/changes"):
        assert 422 == (await agent.ask("GET", f"{path}?period=soon"))[0]
        assert 422 == (await agent.ask("GET", f"{path}?zone=Nowhere/Else"))[0]


def _forge(agent: Running, run: Run) -> None:
    """Write into the record of runs, and take another one out, as only an administrator could."""
    connection = connect(agent.site.audit._database.path)  # type: ignore[union-attr]
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM runs")
    row = (number_of(run.id), run.change, run.state, to_micros(run.requested_at), encode(run))
    RUNS.write(connection, [row])
    connection.execute("COMMIT")
    connection.close()


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unpacked(text: str) -> bytes:
    return base64.b64decode(text)


async def test_the_page_says_who_vouches_and_what_was_found(agent: Running) -> None:
    """In words: how much is signed, that nobody outside has it, and each finding with its link."""
    await a_run(agent)
    await agent.publisher.look()
    listener = Listener(agent.site, page_routes(), "127.0.0.1", 0)
    host, port = await listener.start()
    try:
        async with agent.client.get(f"http://{host}:{port}/audit") as got:
            calm = await got.text()
        at = agent.site.clock.now()
        await agent.store.add_output([RunLine(run="RUN-8", number=1, at=at, text="hm")])
        async with agent.client.get(f"http://{host}:{port}/audit") as got:
            found = await got.text()
    finally:
        await listener.stop()

    assert "All of them are signed" in calm
    assert "Nobody outside vouches for it." in calm
    assert "Nothing is outside of the record" in calm
    assert '<a href="/runs/RUN-8">RUN-8</a>' in found
    assert "output without run" in found


def test_the_view_tells_places_apart() -> None:
    """One that has the newest, one that is behind, and one that was not reached."""
    places = [
        Place(name="file", size=9, at=START, problem=""),
        Place(name="webhook", size=4, at=START, problem=""),
        Place(name="receiver", size=0, at=None, problem="away"),
    ]
    view = audit_view(
        size=10,
        root="r",
        key="k",
        signed=9,
        signed_at=START,
        places=places,
        problems=(),
        counted_runs=0,
        counted_changes=0,
        findings=(),
        unknown=(Finding(kind="unknown", subject="CHG-1", text=""),),
        now=START,
    )

    assert ["has the newest", "behind", "not reached"] == [each.state.text for each in view.places]
    assert "1 event not signed yet" == view.signed
    assert "1 thing can no longer be told" == view.unknown
