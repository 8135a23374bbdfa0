"""What a run does and says when nothing is wrong with it, and when its hosts fail."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.model.remediation import Host, HostStats, Outcome, Phase, RunLine
from agent.runtime.ansible.events import LINE_CHARS_MAX, OUTPUT_LINES_MAX
from agent.runtime.ansible.executor import AnsibleExecutor
from tests.runtime.ansible.conftest import SECRET, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_change_is_told_with_task_host_and_recap(stage: Stage, tmp_path: Path) -> None:
    """A play that changes a host ends as `changed`; each line says whose it is."""
    digest = stage.remediation(
        "- name: leave a mark\n"
        "  ansible.builtin.file: {path: '{{ agent_input.path }}', state: directory}"
    )
    lines: list[RunLine] = []
    result = await stage.play(stage.spec(digest, {"path": str(tmp_path / "mark")}), lines.append)

    assert result.outcome == Outcome.CHANGED
    assert (HostStats(host="app1", ok=1, changed=1),) == result.stats
    assert (tmp_path / "mark").is_dir()
    assert [(line.task, line.host) for line in lines if line.text == "changed: [app1]"] == [
        ("leave a mark", "app1")
    ]
    assert list(range(1, len(lines) + 1)) == [line.number for line in lines]


async def test_check_mode_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    """A check-mode run says what it would change, and does not."""
    digest = stage.remediation(
        "- ansible.builtin.file: {path: '{{ agent_input.path }}', state: directory}"
    )
    spec = stage.spec(digest, {"path": str(tmp_path / "mark")}, check_mode=True)
    result = await stage.play(spec)

    assert result.outcome == Outcome.CHANGED
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("tasks", "outcome"),
    [
        ("- ansible.builtin.assert: {that: true, quiet: true}", Outcome.OK),
        ("- ansible.builtin.fail: {msg: no}", Outcome.FAILED),
        ("- no.such.module: {}", Outcome.FAILED),
        ("- ansible.builtin.debug: {msg: '{{ agent_input.absent }}'}", Outcome.FAILED),
    ],
)
async def test_a_failed_play_is_an_outcome(stage: Stage, tasks: str, outcome: Outcome) -> None:
    """Whatever a playbook does wrong, `launch` answers with an outcome."""
    result = await stage.play(stage.spec(stage.remediation(tasks)))

    assert outcome == result.outcome


async def test_an_unreachable_host_is_named(stage: Stage) -> None:
    """A host that does not answer gives `unreachable`, not `failed`."""
    digest = stage.remediation("- ansible.builtin.command: {argv: ['true']}")
    dead = Host(name="dead", address="127.0.0.1", port=1)
    result = await stage.play(stage.spec(digest, hosts=(dead,)))

    assert result.outcome == Outcome.UNREACHABLE
    assert [entry.host for entry in result.stats if entry.unreachable] == ["dead"]


async def test_output_is_bounded(stage: Stage) -> None:
    """However much a play prints, the lines kept and their length have a limit."""
    digest = stage.remediation(
        f"- ansible.builtin.debug: {{msg: '{{{{ range({OUTPUT_LINES_MAX * 2}) | list }}}}'}}\n"
        f"- ansible.builtin.debug: {{msg: '{{{{ \"x\" * {LINE_CHARS_MAX * 2} }}}}'}}"
    )
    lines: list[RunLine] = []
    result = await stage.play(stage.spec(digest), lines.append)

    assert result.outcome == Outcome.OK
    assert len(lines) == OUTPUT_LINES_MAX
    assert max(len(line.text) for line in lines) <= LINE_CHARS_MAX + len(" [cut]")


async def test_secrets_never_leave_the_run(stage: Stage) -> None:
    """A known secret in a result, a task name or a warning is blotted out."""
    digest = stage.remediation(
        f"- name: with {SECRET}\n"
        f"  ansible.builtin.debug: {{msg: 'the password is {SECRET}!'}}\n"
        f"- ansible.builtin.fail: {{msg: '{SECRET}'}}"
    )
    lines: list[RunLine] = []
    await stage.play(stage.spec(digest), lines.append)

    assert not [line for line in lines if SECRET in repr(line)]
    assert [line for line in lines if "the password is ********!" in line.text]


async def test_nothing_of_a_run_is_open_to_others(stage: Stage, tmp_path: Path) -> None:
    """Under the most permissive umask, every file below the work folder is ours alone."""
    digest = stage.remediation(
        "- ansible.builtin.command:\n"
        "    argv: [find, '{{ agent_input.work }}', -perm, /077, -not, -type, l]\n"
        "  register: open\n"
        "- ansible.builtin.debug: {msg: 'open: {{ open.stdout_lines }}'}"
    )
    lines: list[RunLine] = []
    before = os.umask(0)
    try:
        await stage.play(stage.spec(digest, {"work": str(stage.work)}), lines.append)
    finally:
        os.umask(before)

    assert [line.text for line in lines if "open: [" in line.text] == ['    "msg": "open: []"']


async def test_a_run_leaves_no_folder(stage: Stage) -> None:
    """What was put on disk for a run is gone with it."""
    spec = stage.spec(stage.remediation("- ansible.builtin.fail: {}"))
    prepared = await stage.executor.prepare(spec)
    was_there = (stage.work / spec.run).is_dir()
    await stage.launch(prepared)

    assert (was_there, (stage.work / spec.run).exists()) == (True, False)


async def test_what_was_not_approved_does_not_start(stage: Stage, tmp_path: Path) -> None:
    """One changed byte between approval and start: nothing is started, and nothing left on disk."""
    digest = stage.remediation(f"- ansible.builtin.file: {{path: {tmp_path}/mark, state: touch}}")
    (stage.remediations / "play" / "playbook.yml").open("a").write("#")
    prepared = await stage.executor.prepare(stage.spec(digest))
    was_left = (stage.work / prepared.run).exists()
    result = await stage.launch(prepared)

    assert not was_left
    assert prepared.digest not in ("", digest)
    assert result.outcome == Outcome.REFUSED
    assert not (tmp_path / "mark").exists()


async def test_only_a_declared_rollback_is_played(stage: Stage) -> None:
    """Asking for the rollback of a remediation that has none is refused."""
    digest = stage.remediation("- ansible.builtin.fail: {}")
    result = await stage.play(stage.spec(digest, phase=Phase.ROLLBACK))

    assert (result.outcome, result.summary) == (Outcome.REFUSED, "play has no rollback.yml")


async def test_syntax_check_says_where(stage: Stage) -> None:
    """A playbook that Ansible cannot read is reported with its place; a good one is not."""
    stage.remediation("- ansible.builtin.debug: {msg: fine}", name="good")
    stage.remediation("- ansible.builtin.debug: {}\n  no_such_keyword: 1", name="bad")
    problem = await stage.executor.syntax_check("bad")

    assert await stage.executor.syntax_check("good") is None
    assert problem is not None
    assert "playbook.yml" in problem


async def test_what_we_ship_can_be_played(tmp_path: Path) -> None:
    """Ansible reads every playbook of every remediation of our own."""
    shipped = Path(__file__).parents[3] / "remediations"
    executor = AnsibleExecutor(shipped, tmp_path / "work")
    await executor.start()
    try:
        problems = {
            path.name: await executor.syntax_check(path.name)
            for path in sorted(shipped.iterdir())
            if path.is_dir()
        }
    finally:
        await executor.stop()

    assert "restart-service" in problems
    assert {name: found for name, found in problems.items() if found} == {}


async def test_runs_beyond_the_concurrency_wait_their_turn(stage: Stage) -> None:
    """Of three runs launched together each is played once, and all succeed."""
    digest = stage.remediation("- ansible.builtin.assert: {that: true, quiet: true}")
    results = await asyncio.gather(*(stage.play(stage.spec(digest)) for _ in range(3)))

    assert [result.outcome for result in results] == [Outcome.OK] * 3


async def test_a_run_that_finds_no_room_in_time_is_never_played(
    stage: Stage, tmp_path: Path
) -> None:
    """What was judged for a moment is refused when the others take longer than that moment."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = stage.remediation(f"- ansible.builtin.command: {{argv: [cat, {gate}]}}", name="held")
    mark = stage.remediation(f"- ansible.builtin.file: {{path: {tmp_path}/mark, state: touch}}")
    prepared = await stage.executor.prepare(stage.spec(mark))
    holders = [await stage.executor.prepare(stage.spec(held, remediation="held")) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        holding = [group.create_task(stage.launch(holder)) for holder in holders]
        # their first step takes all the room there is
        await asyncio.sleep(0)
        late = await stage.launch(prepared, patience_s=0.05)
        for task in holding:
            task.cancel()

    assert Outcome.REFUSED == late.outcome
    assert "2 runs play already, as many as ansible.concurrency allows" in late.summary
    assert not (tmp_path / "mark").exists()
    assert not (stage.work / prepared.run).exists()
