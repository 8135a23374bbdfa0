"""The lint objects to each way in which a value could become more than a value, and to no other."""

from pathlib import Path

import pytest

from agent.config.playbook_lint import lint_folder, lint_playbook

SHIPPED = Path(__file__).parents[2] / "remediations"
PLAY = "- hosts: targets\n  tasks:\n"


@pytest.mark.parametrize(
    ("task", "line", "column", "message"),
    [
        ("- shell: echo hi", 3, 7, "gives its text to a shell"),
        ("- ansible.builtin.raw: echo hi", 3, 7, "gives its text to a shell"),
        ("- command: find {{ agent_input.a }}", 3, 7, "splits values"),
        ("- command: {cmd: 'find {{ agent_input.a }}'}", 3, 7, "splits values"),
        ("- command: {argv: '{{ agent_input.a.split() }}'}", 3, 23, "as a whole"),
        ("- command: {argv: [bash, -lc, '{{ agent_input.a }}']}", 3, 23, "starts a shell"),
        ("- script: run.sh {{ agent_input.a }}", 3, 7, "splits values"),
        ("- debug: {msg: \"{{ lookup('pipe', 'id') }}\"}", 3, 20, "lookup('pipe')"),
        ("- debug: {msg: \"{{ q( 'ansible.builtin.pipe', 'id') }}\"}", 3, 20, "lookup('pipe')"),
        ("- debug:\n  with_pipe: id", 4, 7, "with_pipe"),
        ("- include_tasks: '{{ agent_input.a }}.yml'", 3, 7, "load a file"),
        ("- include_vars: {file: '{{ agent_input.a }}'}", 3, 7, "load a file"),
        ("- import_role: {name: '{{ agent_input.a }}'}", 3, 7, "load a file"),
        ("- template: {src: '{{ agent_input.a }}', dest: /x}", 3, 7, "evaluate a file"),
        ("- debug: {}\n  delegate_to: localhost", 4, 7, "leaves the approved hosts"),
        ("- local_action: debug", 3, 7, "leaves the approved hosts"),
        ("- debug: {}\n  connection: '{{ agent_input.a }}'", 4, 7, "chosen by agent_input"),
        ("- block:\n    - shell: id", 4, 11, "gives its text to a shell"),
        ("- &a {debug: {}}\n- *a", 4, 7, "alias"),
        ("- debug: {msg: 'open", 4, 1, "not YAML"),
    ],
)
def test_it_objects_with_place_and_way_out(task: str, line: int, column: int, message: str) -> None:
    """Each finding points at the place, and says what to write instead."""
    indented = "".join(f"    {part}\n" for part in task.splitlines())
    (finding,) = lint_playbook(Path("playbook.yml"), text=PLAY + indented)

    assert (line, column) == (finding.line, finding.column)
    assert message in finding.message
    assert finding.hint


@pytest.mark.parametrize(
    "hosts", ["web*", "localhost", "'{{ agent_input.host }}'", "targets:other"]
)
def test_hosts_are_the_approved_ones(hosts: str) -> None:
    """A play names the group of approved hosts, or all: the inventory holds no others."""
    (finding,) = lint_playbook(Path("playbook.yml"), text=f"- hosts: {hosts}\n")

    assert (finding.line, finding.column) == (1, 3)


@pytest.mark.parametrize(
    "task",
    [
        "- command: {argv: [systemctl, restart, '{{ agent_input.service }}']}",
        "- command: {argv: [sh, -c, 'exec true']}",
        "- service: {name: '{{ agent_input.service }}', state: restarted}",
        "- debug: {msg: '{{ agent_input }}'}\n  when: agent_input.service == 'x'",
        "- include_tasks: more.yml\n  when: agent_input.more",
        "- script: run.sh",
    ],
)
def test_it_leaves_sound_tasks_alone(task: str) -> None:
    """Using a value as a value is what it is for."""
    indented = "".join(f"    {part}\n" for part in task.splitlines())

    assert lint_playbook(Path("playbook.yml"), text=PLAY + indented) == ()


def test_what_we_ship_passes() -> None:
    """Every remediation of our own keeps the rules."""
    folders = sorted(path for path in SHIPPED.iterdir() if path.is_dir())

    assert folders
    assert [finding for folder in folders for finding in lint_folder(folder)] == []
