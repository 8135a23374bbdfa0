"""Claims about what is audited: each entry that matters once, with what it led to, and no other."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import verifier
from agent.core.state import State
from agent.core.step import step
from agent.model.change import Change, ChangeType, Run
from agent.model.change_entries import DelegationGiven
from agent.model.entry import AgentStarted, ApprovalGiven, ChangeRequested, Entry, IncidentResolved
from agent.model.interval import Interval
from agent.model.remediation import Host, Outcome
from agent.reporting.changes.population import Told
from agent.reporting.changes.violations import Launch
from agent.runtime.audit.events import TEXT_CHARACTERS_MAX
from agent.runtime.audit.log import append, events_about, first_kept, head_of, read_events, size_of
from agent.runtime.audit.names import commitment, forget
from agent.runtime.audit.played import known, last_told, played, runs_between
from agent.runtime.codec import encode_what
from agent.runtime.database import connect
from agent.runtime.journal import Batch
from agent.runtime.migrate import migrate
from agent.runtime.rebuild import rebuild
from agent.runtime.retention import Pruner, Retention
from agent.runtime.snapshot import Snapshots
from agent.runtime.store import Store
from agent.runtime.tokens import mint
from tests.core.play import SHOP, START, Play, ref
from tests.runtime.agents import StillClock, own
from tests.runtime.audit.records import Log


def written(folder: Path, entries: Sequence[Entry], batch_size: int = 3) -> sqlite3.Connection:
    """A database with these entries, as the loop writes them."""
    path = folder / "watchkeeper.db"
    migrate(path)
    connection, state = connect(path), State.empty()
    for start in range(0, len(entries), batch_size):
        batch = Batch()
        for entry in entries[start : start + batch_size]:
            batch.add(entry, encode_what(entry.what), step(state, entry))
        connection.execute("BEGIN")
        batch.write(connection)
        connection.execute("COMMIT")
    return connection


def said(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """All events, read."""
    return [json.loads(event.body) for event in read_events(connection)]


def a_change() -> Play:
    """An alert, an incident, a change by rule that helps; and one that a person asks for."""
    play = Play()
    down = play.fire("ServiceDown", service="web1")
    play.fire("HighLoad", service="db")
    play.play()
    play.wait(5)
    play.resolve(down)
    play.wait(30)
    play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref("db"),
            parameters={"service": "db"},
            by="bob",
            type=ChangeType.NORMAL,
        )
    )
    return play


def test_each_change_of_a_change_is_in_exactly_one_event(tmp_path: Path) -> None:
    """Whatever entry made a record of a change or run is one event, and holds that record."""
    play = a_change()
    state, wanted = State.empty(), []
    for entry in play.entries:
        records = step(state, entry).records
        wanted += [
            (entry.number, record.id, record.state.value)
            for record in records
            if isinstance(record, Change | Run)
        ]
    with closing(written(tmp_path, play.entries)) as connection:
        events = said(connection)
    found = [
        (event["entry"], record["id"], record["state"])
        for event in events
        for record in (*event.get("changes", ()), *event.get("runs", ()))
    ]

    assert sorted(wanted) == sorted(found)
    assert len(wanted) >= 9
    numbers = [event["entry"] for event in events]
    assert len(numbers) == len(set(numbers))


def test_ordinary_alerts_are_not_audited(tmp_path: Path) -> None:
    """An alert that leads to no change is the journal's alone."""
    play = Play()
    play.fire("HighLoad", service="db")
    play.fire("HighLoad", service="web1")
    play.wait(3600)
    with closing(written(tmp_path, play.entries)) as connection:
        assert ["ConfigLoaded"] == [event["kind"] for event in said(connection)]


def test_what_people_do_and_are_refused_is_audited(tmp_path: Path) -> None:
    """Also where it changed nothing: that somebody tried is what an auditor asks for."""
    play = a_change()
    binding = play.state.changes["CHG-2"].binding
    play.feed(ApprovalGiven(change="CHG-2", binding=binding, by="bob", roles=("approver",)))
    play.feed(ApprovalGiven(change="CHG-2", binding=binding, by="carla", roles=("approver",)))
    play.feed(IncidentResolved(incident="INC-404", by="dora"))
    with closing(written(tmp_path, play.entries)) as connection:
        events = said(connection)[-3:]
        people = dict(connection.execute("SELECT commitment, name FROM audit_people").fetchall())

    assert [("bob", "refusal"), ("carla", "none"), ("dora", "refusal")] == [
        (people[event["what"]["by"]], "refusal" if "refused" in event else "none")
        for event in events
    ]


def test_no_name_stands_in_the_tree(tmp_path: Path) -> None:
    """Not as a field, not in a text, not of who wrote the rule: a commitment does."""
    play = a_change()
    binding = play.state.changes["CHG-2"].binding
    play.feed(
        ApprovalGiven(change="CHG-2", binding=binding, by="carla", roles=("approver",), note="hm")
    )
    with closing(written(tmp_path, play.entries)) as connection:
        whole = b"".join(event.body for event in read_events(connection))
        rows = connection.execute("SELECT name, commitment, salt FROM audit_people").fetchall()

    assert ["ann", "bob", "carla"] == sorted(name for name, _, _ in rows)
    assert [] == [name for name, _, _ in rows if f'"{name}"'.encode() in whole]
    assert b"carla" not in whole
    assert [made for _, made, _ in rows] == [commitment(name, salt) for name, _, salt in rows]


def test_an_erased_name_leaves_the_log_in_order(tmp_path: Path) -> None:
    """The events are what they were; whose the commitment was, nobody can say any more."""
    log = Log(tmp_path)
    log.add(5)
    before = log.bodies()
    with closing(connect(log.path)) as connection:
        assert forget(connection, "anna")
        assert not forget(connection, "anna")
        assert before == log.bodies()
        checkpoint = verifier.open_checkpoint(log.notes[0], [log.signer.key])
        assert 5 == verifier.verify(before, [checkpoint]).size
        assert [] == connection.execute("SELECT * FROM audit_people").fetchall()


def test_a_change_is_found_with_its_runs(tmp_path: Path) -> None:
    """Everything about a change by its id, and nothing about another one."""
    with closing(written(tmp_path, a_change().entries)) as connection:
        kinds = [event.kind for event in events_about(connection, "CHG-1", 100)]
        assert "AlertsReceived" == kinds[0]
        assert {"RunPrepared", "RunStarted", "RunFinished"} < set(kinds)
        assert ["ChangeRequested"] == [e.kind for e in events_about(connection, "CHG-2", 100)]
        assert [] == events_about(connection, "CHG-3", 100)


def test_what_was_laid_out_is_in_the_event(tmp_path: Path) -> None:
    """Digest and hosts of each run as they were handed over; never where keys lie."""
    db = replace(
        SHOP.entities[ref("web1")],
        host=Host(name="app1", address="127.0.0.1", private_key_file="/keys/of/app1"),
    )
    entities = {**SHOP.entities, ref("web1"): db}
    play = Play(config=replace(Play().config, service_map=type(SHOP).of(entities)))
    play.fire("ServiceDown", service="web1")
    play.prepare()
    with closing(written(tmp_path, play.entries)) as connection:
        _, asked, prepared = said(connection)
    (spec,) = asked["laid_out"]

    assert ("sha256:1", ["app1"]) == (spec["digest"], [host["name"] for host in spec["hosts"]])
    assert "sha256:1" == prepared["what"]["digest"]
    assert "/keys/of/app1" not in json.dumps([asked, prepared])


def test_what_the_log_last_said_is_what_the_record_says(tmp_path: Path) -> None:
    """Of each change as it is now, and of each run what was laid out and found on the disk."""
    play = a_change()
    with closing(written(tmp_path, play.entries)) as connection:
        told = last_told(connection, ["CHG-1", "CHG-2", "CHG-3"])
        launches = played(connection, ["RUN-1", "RUN-9"])
        assert {"CHG-1", "CHG-2"} == known(connection, ["CHG-1", "CHG-2", "CHG-3"])
        everything = Interval(START, START + timedelta(days=1))
        assert {"RUN-1"} == runs_between(connection, everything)

    assert {
        name: Told.of(change) for name, change in play.state.changes.items() if name in told
    } == told
    assert {"RUN-1": Launch(run="RUN-1", digest="sha256:1", hosts=("app1",))} == launches


def test_long_texts_stand_by_their_hash(tmp_path: Path) -> None:
    """A log of a thousand lines does not swell the tree, and still cannot be exchanged."""
    play = Play()
    play.feed(IncidentResolved(incident="INC-1", by="ann", note="x" * (TEXT_CHARACTERS_MAX + 1)))
    with closing(written(tmp_path, play.entries)) as connection:
        note = said(connection)[-1]["what"]["note"]

    assert TEXT_CHARACTERS_MAX + 1 == note["characters"]
    assert 64 == len(note["sha256"])


def test_how_far_automation_may_go_is_audited(tmp_path: Path) -> None:
    """A rule that is demoted by itself stands in the log with why, in the words of its story."""
    play = Play()
    play.fire("ServiceDown", service="web1")
    play.play(Outcome.FAILED)
    play.play(Outcome.FAILED)
    play.wait(60)
    with closing(written(tmp_path, play.entries)) as connection:
        told = [
            (line["subject"], line["text"])
            for event in said(connection)
            for line in event.get("told", ())
            if line["reason"] == "mode_demoted"
        ]

    assert ("rule:restart-what-is-down", "from auto to suggest: CHG-1 harmful") in told


def test_who_is_lent_a_voice_is_a_person_too(tmp_path: Path) -> None:
    """Whom a delegation goes to stands in the log as a commitment, like everybody."""
    play = Play()
    given = DelegationGiven(
        by="ann",
        to="eve",
        roles=("approver",),
        starts_at=START,
        ends_at=START + timedelta(days=1),
    )
    play.feed(given)
    with closing(written(tmp_path, play.entries)) as connection:
        what = said(connection)[-1]["what"]
        people = dict(connection.execute("SELECT commitment, name FROM audit_people").fetchall())

    assert ("ann", "eve") == (people[what["by"]], people[what["delegate"]])
    assert "to" not in what


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_the_tree_does_not_depend_on_how_entries_were_written(
    tmp_path: Path, batch_size: int
) -> None:
    """One by one or all together: nothing but the salts differs."""
    with closing(written(tmp_path, a_change().entries, batch_size)) as connection:
        events = [event.body for event in read_events(connection)]
        found = verifier.verify(events, ())
        assert (len(events), head_of(connection).root) == (size_of(connection), found.root)


def test_a_transaction_that_fails_leaves_no_event(tmp_path: Path) -> None:
    """The event and what it tells of are there together, or neither is."""
    log = Log(tmp_path)
    log.add(2)
    play = Play()
    play.feed(AgentStarted(version="1", last_alive=None))
    batch, state = Batch(), State.empty()
    for entry in play.entries:
        batch.add(entry, encode_what(entry.what), step(state, entry))
    with closing(connect(log.path)) as connection:
        connection.execute("BEGIN")
        batch.write(connection)
        assert 4 == size_of(connection)
        connection.execute("ROLLBACK")
        assert (2, 0) == (size_of(connection), _count(connection, "journal"))


def test_a_rebuild_leaves_the_audit_log_alone(tmp_path: Path) -> None:
    """It says what this agent did then, not what another version would make of the journal."""
    with closing(written(tmp_path, a_change().entries)) as connection:
        before = [event.body for event in read_events(connection)]
        changes = _count(connection, "changes")
    rebuild(tmp_path / "watchkeeper.db", Snapshots(tmp_path / "snapshots"), step)
    with closing(connect(tmp_path / "watchkeeper.db")) as connection:
        assert before == [event.body for event in read_events(connection)]
        assert changes == _count(connection, "changes")


async def test_tokens_are_audited_without_the_token(tmp_path: Path) -> None:
    """Who may do what from when on, and by whose hand; and when it ended."""
    log = Log(tmp_path)
    database = own(log.path)
    token, record = mint(name="dora", roles=("approver",), at=START)
    store = Store(database)
    await store.add_token(record, by="anna")
    await store.remove_token(record.id, by="anna", at=START)
    await store.remove_token(record.id, by="anna", at=START)
    database.close()
    made, removed = (json.loads(body) for body in log.bodies())

    assert ("TokenMade", ["approver"]) == (made["kind"], made["what"]["roles"])
    assert ("TokenRemoved", record.id) == (removed["kind"], removed["what"]["token"])
    assert token.encode() not in b"".join(log.bodies())


async def test_what_retention_lets_go_can_be_vouched_for(tmp_path: Path) -> None:
    """The texts of old events go, and what is kept verifies against every later checkpoint."""
    log, clock = Log(tmp_path), StillClock()
    log.add(10)
    log.add(600)
    clock.move(timedelta(days=30, seconds=300))
    database = own(log.path)
    pruner = Pruner(database, Snapshots(tmp_path / "s"), clock, Retention(audit=timedelta(days=30)))
    await pruner.prune()
    database.close()
    with closing(connect(log.path)) as connection:
        assert (300, 610) == (first_kept(connection), size_of(connection))
        assert [300] == [event.number for event in read_events(connection, 299, 1)]
        assert 1 == _count(connection, "audit_checkpoints")
        assert [] == events_about(connection, "INC-299", 1)
        connection.execute("BEGIN")
        append(connection, [])
        connection.execute("COMMIT")


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)
