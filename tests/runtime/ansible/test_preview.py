"""A preview shows what a run would do, touches nothing, and is ended like a run."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.model.preview import (
    DIFF_CHARS_MAX,
    DIFFS_CHARS_MAX,
    TASKS_MAX,
    PreviewState,
    TaskEffect,
)
from agent.model.remediation import Host
from agent.runtime.ansible.check_mode import Gathering
from agent.runtime.ansible.wire import Checked, Kind
from tests.runtime.ansible.conftest import LOCAL, SECRET, Stage
from tests.runtime.ansible.test_ending import Gate, assert_over, slow_tasks

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_shows_what_each_task_would_do(stage: Stage, tmp_path: Path) -> None:
    """Changes with their diff, what cannot be checked with its command, and nothing is done."""
    kept = tmp_path / "kept"
    kept.write_text("old\n")
    mark = tmp_path / "mark"
    digest = stage.remediation(
        f'- name: write it\n  ansible.builtin.copy: {{content: "new\\n", dest: {kept}}}\n'
        f"- name: mark it\n  ansible.builtin.command: {{argv: [touch, {mark}]}}\n"
        f"- name: be there\n  ansible.builtin.file: {{path: {tmp_path}, state: directory}}\n"
        f"- name: never\n  ansible.builtin.command: {{argv: ['true']}}\n  when: false\n"
        "- name: left out\n  ansible.builtin.command: {argv: ['true']}\n"
        "  when: not ansible_check_mode\n"
        "- name: each\n  ansible.builtin.file: {path: '{{ item }}', state: directory}\n"
        f"  loop: [{tmp_path}/a, {tmp_path}/b]\n"
    )
    seen = await stage.executor.preview(stage.spec(digest))
    tasks = {task.task: task for task in seen.tasks}

    assert (PreviewState.COMPLETE, digest) == (seen.state, seen.digest)
    assert seen.text == "of the tasks 2 would change something, 2 cannot be checked"
    assert {
        "write it": TaskEffect.WOULD_CHANGE,
        "mark it": TaskEffect.NOT_CHECKED,
        "left out": TaskEffect.NOT_CHECKED,
        "each": TaskEffect.WOULD_CHANGE,
    } == {name: task.effect for name, task in tasks.items()}
    assert (1, 1) == (seen.unchanged, seen.skipped)
    assert {"-old", "+new"} <= set(tasks["write it"].diff.splitlines())
    assert "ansible.builtin.copy" == tasks["write it"].module
    assert f"touch {mark}" == tasks["mark it"].text
    assert "left out in check mode (when: not ansible_check_mode)" == tasks["left out"].text
    assert f"{tmp_path}/a" in tasks["each"].diff
    assert f"{tmp_path}/b" in tasks["each"].diff
    assert "old\n" == kept.read_text()
    assert ["kept"] == os.listdir(tmp_path)


async def test_it_is_bounded_and_scrubbed(stage: Stage, tmp_path: Path) -> None:
    """However much would change, what is kept has a limit; known secrets are blotted out, and
    what a task keeps to itself stays there."""
    digest = stage.remediation(
        f"- name: secret\n  ansible.builtin.copy: {{content: 'a {SECRET} b', dest: {tmp_path}/x}}\n"
        f"- name: own\n  ansible.builtin.copy: {{content: quiet-word, dest: {tmp_path}/y}}\n"
        "  no_log: true\n"
        "- name: long\n  ansible.builtin.copy:\n"
        "    content: '{{ \"0123456789 line\\n\" * 900 }}'\n"
        f"    dest: {tmp_path}/{{{{ item }}}}\n"
        "  loop: '{{ range(9) | list }}'\n"
    )
    alone = await stage.executor.preview(stage.spec(digest))

    assert SECRET not in repr(alone)
    assert "quiet-word" not in repr(alone)
    assert "a ******** b" in alone.tasks[0].diff
    assert max(len(task.diff) for task in alone.tasks) <= DIFF_CHARS_MAX + len("[cut]")
    assert sum(len(task.diff) for task in alone.tasks) <= DIFFS_CHARS_MAX + DIFF_CHARS_MAX


async def test_a_thousand_tasks_are_counted() -> None:
    """More tasks than are named are counted, and more diff than is kept is left out."""
    seen = Gathering()
    for number in range(5 * TASKS_MAX):
        seen.take(
            Checked(
                kind=Kind.WOULD_CHANGE,
                host="app1",
                task=f"task {number}",
                module="m",
                text="",
                diff="x" * DIFF_CHARS_MAX,
            )
        )

    assert (TASKS_MAX, 4 * TASKS_MAX) == (len(seen.tasks), seen.omitted)
    assert sum(len(task.diff) for task in seen.tasks) <= DIFFS_CHARS_MAX + TASKS_MAX * len("[cut]")


async def test_what_goes_wrong_is_shown(stage: Stage) -> None:
    """A failing task, a host that does not answer, and other content: said, never raised."""
    digest = stage.remediation("- name: stop\n  ansible.builtin.fail: {msg: no such service}")
    failing = await stage.executor.preview(stage.spec(digest))
    dead = Host(name="dead", address="127.0.0.1", port=1)
    remote = stage.remediation("- ansible.builtin.ping: {}")
    unreachable = await stage.executor.preview(stage.spec(remote, hosts=(dead, LOCAL)))
    changed = await stage.executor.preview(stage.spec("0" * 64))

    assert (PreviewState.INCOMPLETE, "no such service") == (failing.state, failing.tasks[0].text)
    assert "failed on app1" in failing.text
    assert [("dead", TaskEffect.UNREACHABLE)] == [(t.host, t.effect) for t in unreachable.tasks]
    assert PreviewState.INCOMPLETE == unreachable.state
    assert "is not what was approved" in changed.text


async def test_a_cancelled_preview_is_over(stage: Stage, tmp_path: Path) -> None:
    """Ended while a task that reads in check mode hangs: nothing lives, nothing stays on disk."""
    gate = Gate(tmp_path / "gate")
    tasks = slow_tasks(gate.path, tmp_path / "mark").splitlines()
    digest = stage.remediation(f"{tasks[0]}\n  check_mode: false")
    spec = stage.spec(digest)
    playing = asyncio.get_running_loop().create_task(stage.executor.preview(spec))
    await gate.wait()
    await stage.executor.cancel(spec.run)
    seen = await playing

    assert PreviewState.INCOMPLETE == seen.state
    assert not (stage.work / spec.run).exists()
    await assert_over(gate, spec.run, tmp_path / "mark")


async def test_a_preview_ends_at_its_time(stage: Stage, tmp_path: Path) -> None:
    """It has a limit of its own, and says that it came to it."""
    gate = Gate(tmp_path / "gate")
    tasks = slow_tasks(gate.path, tmp_path / "mark").splitlines()
    spec = stage.spec(stage.remediation(f"{tasks[0]}\n  check_mode: false"), timeout_s=2)
    playing = asyncio.get_running_loop().create_task(stage.executor.preview(spec))
    await gate.wait()
    seen = await playing

    assert (PreviewState.INCOMPLETE, True) == (seen.state, "timed out" in seen.text)
    await assert_over(gate, spec.run, tmp_path / "mark")
