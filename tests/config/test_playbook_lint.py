"""The lint objects to each way in which a value could become more than a value, and to no other."""

from pathlib import Path

import pytest

from agent.config.collections import Collections
from agent.config.playbook_lint import lint_folder, lint_playbook
from agent.config.remediations import read_remediations

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


def lint(
    tmp_path: Path, files: dict[str, str], collections: Collections | None = None
) -> list[str]:
    """What is said of a remediation of these files, each with its place."""
    for name, text in files.items():
        path = tmp_path / "play" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = lint_folder(tmp_path / "play", Collections([tmp_path / "installed"]))
    start = f"{tmp_path}/play/"
    return [
        f"{each.file.removeprefix(start)}:{each.line}:{each.column}: {each.message}"
        for each in found
    ]


def play(task: str) -> str:
    return PLAY + "".join(f"    {part}\n" for part in task.splitlines())


@pytest.mark.parametrize(
    ("task", "line", "message"),
    [
        ("- debug: {msg: \"{{ lookup('file', agent_input.a) }}\"}", 3, "lookup('file')"),
        ("- debug: {msg: \"{{ lookup('env', agent_input.a) }}\"}", 3, "lookup('env')"),
        ("- debug: {msg: \"{{ query('url', 'http://' ~ agent_input.a) }}\"}", 3, "lookup('url')"),
        ("- debug: {msg: \"{{ lookup('vars', agent_input.a) }}\"}", 3, "lookup('vars')"),
        ("- debug: {msg: \"{{ lookup('template', agent_input.a) }}\"}", 3, "lookup('template')"),
        ("- debug: {msg: \"{{ lookup(agent_input.a, 'x') }}\"}", 3, "a computed kind"),
        ("- debug: {msg: \"{{ lookup('lines', 'id') }}\"}", 3, "lookup('lines')"),
        ("- debug: {msg: '{{ hostvars[agent_input.a] }}'}", 3, "name the variable or host"),
        ("- debug: {msg: '{{ vars[agent_input.a] }}'}", 3, "name the variable or host"),
        ("- debug:\n  with_lines: id", 4, "`with_lines` runs a command"),
        ("- debug:\n  with_file: '{{ agent_input.a }}'", 4, "would read what"),
        ("- add_host: {name: x}", 3, "adds a host"),
        ("- debug: {}\n  connection: local", 4, "goes another way"),
        ("- debug: {}\n  remote_user: bob", 4, "goes another way"),
        ("- debug: {}\n  vars: {ansible_host: 10.0.0.1}", 4, "`ansible_host` changes how"),
        ("- set_fact: {ansible_python_interpreter: /tmp/x}", 3, "changes how"),
        ("- copy: {src: /etc/shadow, dest: /x}", 3, "no digest covers"),
        ("- copy: {src: '{{ agent_input.a }}', dest: /x}", 3, "send a file named by"),
        ("- template: {src: ../x.j2, dest: /x}", 3, "no digest covers"),
        ("- include_vars: /etc/x.yml", 3, "outside of the folder"),
        ("- include_tasks: ../x.yml", 3, "outside of the folder"),
        ("- fetch: {src: /x, dest: '{{ agent_input.a }}'}", 3, "would write where"),
        ("- command: {argv: [sleep, '9']}\n  async: 9\n  poll: 0", 5, "outlives the run"),
        ("- no_such_module: {}", 3, "no module `no_such_module`"),
        ("- ansible.builtin.comand: {}", 3, "no module `ansible.builtin.comand`"),
        ("- docker_container: {}", 3, "no module `docker_container`"),
        ("- acme.absent.mark: {}", 3, "collection acme.absent is not installed"),
        ("- action: debug msg=x", 3, "hides the module"),
        ("- include_role: {name: elsewhere}", 3, 'role "elsewhere" is not in this folder'),
        ("- file: {path: /x, state: absent}\n  check_mode: false", 4, "act in a preview"),
        ("- command: {argv: [touch, /x]}\n  check_mode: false", 4, "act in a preview"),
        ("- command: {argv: [a]}\n  changed_when: true\n  check_mode: no", 5, "act in a preview"),
        ("- block:\n    - debug: {}\n  check_mode: false", 5, "a whole block"),
        ("- block:\n    - debug: {}\n  rescue:\n    - raw: x", 6, "gives its text to a shell"),
        ("- block:\n    - debug: {}\n  always:\n    - nothing: x", 6, "no module `nothing`"),
    ],
)
def test_a_remediation_is_judged_as_a_whole(
    tmp_path: Path, task: str, line: int, message: str
) -> None:
    """Each way out of the approved hosts and files, and each way in for text, is named."""
    (said,) = lint(tmp_path, {"playbook.yml": play(task)})

    assert said.startswith(f"playbook.yml:{line}:")
    assert message in said


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("- debug: {}\n  vars: {x: '{{ agent_input.a }}', y: '{{ x }}'}\n", ""),
        (
            "- include_tasks: '{{ y }}.yml'\n  vars: {x: '{{ agent_input.a }}', y: '{{ x }}'}",
            "load",
        ),
        ("- set_fact: {x: '{{ agent_input.a }}'}\n- include_vars: '{{ x }}'", "load"),
        (
            "- command: {argv: [id, '{{ agent_input.a }}']}\n  register: x\n"
            "- include_tasks: '{{ x.stdout }}'",
            "load",
        ),
        ("- template: {src: '{{ item }}', dest: /x}\n  loop: '{{ agent_input.a }}'", "evaluate"),
        (
            "- template: {src: '{{ it }}', dest: /x}\n  loop: ['{{ agent_input.a }}']\n"
            "  loop_control: {loop_var: it}",
            "evaluate",
        ),
        ("- command: {argv: '{{ x }}'}\n  vars: {x: '{{ agent_input.a.split() }}'}", "as a whole"),
        ("- command: {argv: [sh, -c, '{{ x }}']}\n  vars: {x: '{{ agent_input.a }}'}", "a shell"),
    ],
)
def test_text_from_outside_is_followed(tmp_path: Path, task: str, message: str) -> None:
    """Through vars, facts, answers and loops: under another name it is still from outside."""
    said = lint(tmp_path, {"playbook.yml": play(task)})

    assert bool(message) == bool(said)
    assert all(message in one for one in said)


def test_it_is_followed_from_file_to_file(tmp_path: Path) -> None:
    """A variable set in a file of variables, or in one of tasks, is known in all of them."""
    said = lint(
        tmp_path,
        {
            "playbook.yml": play("- import_tasks: tasks/more.yml"),
            "roles/it/defaults/main.yml": "named: '{{ agent_input.a }}'\nansible_port: 22\n",
            "roles/it/handlers/main.yml": "- include_tasks: '{{ named }}'\n",
            "tasks/more.yml": "- raw: x\n- import_role: {name: it}\n",
        },
    )

    assert [
        "roles/it/defaults/main.yml:2:1: `ansible_port` changes how and where Ansible acts",
        "roles/it/handlers/main.yml:1:3: `include_tasks` would load a file named by agent_input",
        "tasks/more.yml:1:3: `raw` gives its text to a shell",
    ] == said


def test_a_play_is_judged_too(tmp_path: Path) -> None:
    """Roles from outside the folder, hidden collections, check mode of a whole play, questions."""
    text = (
        "- hosts: targets\n  collections: [acme.tools]\n  roles: [it, '{{ x }}', {role: away}]\n"
        "  check_mode: false\n  vars_prompt: [{name: x}]\n  vars_files: ['/etc/{{ x }}']\n"
        "  handlers:\n    - name: later\n      local_action: debug\n"
    )
    said = lint(tmp_path, {"playbook.yml": text, "roles/it/tasks/main.yml": "[]"})

    assert [2, 3, 3, 4, 5, 6, 9] == [int(one.split(":")[1]) for one in said]


def test_what_is_installed_is_known(tmp_path: Path) -> None:
    """A module of an installed collection, of one in the folder, and of a library of one's own."""
    installed = tmp_path / "installed/ansible_collections/acme/tools"
    (installed / "plugins/modules").mkdir(parents=True)
    (installed / "plugins/modules/mark.py").touch()
    (installed / "meta").mkdir()
    (installed / "meta/runtime.yml").write_text("plugin_routing:\n  modules:\n    moved: {}\n")
    tasks = "- acme.tools.mark: {}\n- acme.tools.moved: {}\n- acme.own.x: {}\n- mine: {}\n"
    said = lint(
        tmp_path,
        {
            "playbook.yml": play(tasks + "- acme.tools.gone: {}"),
            "library/mine.py": "",
            "collections/ansible_collections/acme/own/plugins/modules/x.py": "",
        },
    )

    assert ["playbook.yml:7:7: the collection acme.tools has no module `gone`"] == said


@pytest.mark.parametrize(
    "task",
    [
        "- command: {argv: [df, /]}\n  changed_when: false\n  check_mode: false",
        "- stat: {path: /x}\n  check_mode: false",
        "- command: {argv: [lvextend, --test]}\n  check_mode: false\n  when: ansible_check_mode",
        "- file: {path: /x}\n  check_mode: true",
        "- command: {argv: \"{{ ['find', '-mtime', '+' ~ agent_input.days] }}\"}",
        "- command: {argv: '{{ a + [b] }}'}\n  vars:\n"
        "    a: \"{{ ['x'] if agent_input.a else ['y'] }}\"\n    b: '{{ agent_input.b }}'",
        "- template: {src: '{{ n }}.j2', dest: /x}\n  vars: {n: '{{ agent_input.n | int }}'}",
        "- copy: {src: /etc/x, dest: /y, remote_src: true}",
        "- wait_for: {port: '{{ agent_input.port }}'}",
        "- debug: {msg: \"{{ lookup('file', 'motd') }}\"}",
        "- meta: flush_handlers",
    ],
)
def test_it_leaves_sound_remediations_alone(tmp_path: Path, task: str) -> None:
    """Reading in check mode, lists that are written out, numbers, choices by condition."""
    assert [] == lint(tmp_path, {"playbook.yml": play(task)})


def test_parameters_are_read_as_declared(tmp_path: Path) -> None:
    """One that is read and not declared, and one that is declared and not read, in their places."""
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "remediation.yaml").write_text(
        "apiVersion: watchkeeper.io/v1\nkind: Remediation\n"
        "metadata: {name: it, author: ann}\nspec:\n  rollback: irreversible\n"
        "  verify: {promql: 'up{job=\"$asked\"}'}\n  parameters:\n"
        "    - {name: service, type: integer}\n    - {name: idle, type: integer}\n"
        "    - {name: asked, type: integer}\n"
    )
    (folder / "playbook.yml").write_text(
        play("- debug: {msg: \"{{ agent_input.servce }} {{ agent_input['service'] }}\"}")
    )
    found = read_remediations(tmp_path).findings

    assert [(3, "playbook.yml"), (9, "remediation.yaml")] == [
        (each.line, Path(each.file).name) for each in found
    ]
    assert 'the parameter "servce" is not declared' in found[0].message
    assert "service" in found[0].hint
    assert 'the parameter "idle" is declared, and no playbook reads it' in found[1].message


def test_what_we_ship_passes() -> None:
    """Every remediation of our own keeps the rules."""
    folders = sorted(path for path in SHIPPED.iterdir() if path.is_dir())

    assert folders
    assert [finding for folder in folders for finding in lint_folder(folder)] == []
