"""Values from outside stay values: they are never evaluated, split, opened or matched."""

import json
import random
import string
from dataclasses import replace
from pathlib import Path

import pytest

from agent.config.contents import contents_of
from agent.model.remediation import Host, Outcome, RunLine
from agent.runtime.ansible.inventory import inventory, refuse, variables
from tests.runtime.ansible.conftest import LOCAL, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

RANDOM_NAMES = 1_000

MAGIC_NAMES = (
    "ansible_python_interpreter",
    "ansible_ssh_common_args",
    "ansible_connection",
    "ansible_become",
    "hostvars",
    "groups",
    "vars",
    "environment",
    "inventory_hostname",
)


def hostile_values(canary: Path) -> tuple[str, ...]:
    """Texts that leave the canary behind if anything at all evaluates them."""
    touch = f"touch {canary}"
    return (
        f"{{{{ lookup('pipe', '{touch}') }}}}",
        f'{{{{ lookup("ansible.builtin.pipe", "{touch}") }}}}',
        f"{{% set x = lookup('pipe', '{touch}') %}}{{{{ x }}}}",
        f"{{{{ query('pipe', '{touch}') | first }}}}",
        f"{{{{ cycler.__init__.__globals__.os.system('{touch}') }}}}",
        f"{{{{ ''.__class__.__mro__[1].__subclasses__() }}}}{{{{ lookup('pipe','{touch}') }}}}",
        f"{{# }} #}}{{{{ lookup('pipe', '{touch}') }}}}",
        f"!unsafe {{{{ lookup('pipe', '{touch}') }}}}",
        f"{{\"__ansible_unsafe\": \"{{{{ lookup('pipe', '{touch}') }}}}\"}}",
        f"; {touch}",
        f"$({touch})",
        f"`{touch}`",
        f"| {touch}",
        f"&& {touch}",
        f"\n{touch}\n",
        f"x' -exec {touch} ; '",
        f"-exec {touch} ;",
        f"--exec={touch}",
        f"@{canary}",
        "../../../../etc/passwd",
        "\x00\x1b[K" + touch,
        f"lookup('pipe', '{touch}') == ''",
    )


async def test_no_value_is_ever_evaluated(stage: Stage, tmp_path: Path) -> None:
    """Wherever a playbook uses it, a hostile text stays the text that it is."""
    canary, kept = tmp_path / "canary", tmp_path / "kept"
    values = hostile_values(canary)
    keys = [f"v{number}" for number in range(len(values))]
    digest = stage.remediation(
        "- name: by argument {{ agent_input.v0 }}\n"
        "  ansible.builtin.command: {argv: [echo, '{{ item }}']}\n"
        '  loop: \'{{ agent_input.values() | reject("search", "\\0") | list }}\'\n'
        "- name: as a condition {{ agent_input.v1 }}\n"
        "  ansible.builtin.debug: {msg: '{{ item }}'}\n"
        "  loop: '{{ agent_input.values() | list }}'\n"
        "  when: item != 'x'\n"
        "  vars: {copied: '{{ agent_input }}', again: '{{ copied.v0 }} {{ agent_input.v2 }}'}\n"
        "- name: through facts\n"
        "  ansible.builtin.set_fact:\n"
        "    all_of_it: '{{ agent_input | dict2items }}'\n"
        "    one: '{{ agent_input.v0 }}'\n"
        "- ansible.builtin.debug: {msg: '{{ all_of_it }} {{ one }}'}\n"
        "- name: in the environment\n"
        "  ansible.builtin.command: {argv: [env]}\n"
        "  environment: {VALUE: '{{ agent_input.v0 }}'}\n"
        "- ansible.builtin.copy:\n"
        "    content: '{{ agent_input | to_json }}'\n"
        f"    dest: '{kept}'\n"
    )
    lines: list[RunLine] = []
    parameters = dict(zip(keys, values, strict=True))
    result = await stage.play(stage.spec(digest, parameters), lines.append)

    assert result.outcome == Outcome.CHANGED, "\n".join(line.text for line in lines)
    assert not canary.exists()
    assert parameters == json.loads(kept.read_text())


@pytest.mark.parametrize("name", MAGIC_NAMES)
async def test_no_name_reaches_the_variables(name: str) -> None:
    """A parameter stands inside the one variable, whatever it is called."""
    assert {"agent_input": {name: {"__ansible_unsafe": "x"}}} == variables({name: "x"})


@pytest.mark.parametrize("name", ['x":1,"y', "a b", "A", "", "a\n", "{{ a }}", "é"])
async def test_a_name_that_is_none_is_refused(stage: Stage, name: str) -> None:
    """Parameter names come from declarations; what cannot be one is not written."""
    spec = stage.spec(stage.remediation("- ansible.builtin.fail: {}"), {name: "x"})

    assert (await stage.play(spec)).outcome == Outcome.REFUSED


async def test_hosts_are_never_widened() -> None:
    """Of random host names, each is refused or stands in the inventory as itself, alone."""
    dice = random.Random(7)
    alphabet = string.ascii_letters + string.digits + "*?[]:!&~,@{}% ./-_$\n"
    pieces = [
        "all",
        "*",
        "~.*",
        "web1,all",
        "!web1",
        "@/etc/passwd",
        "a[1:9]",
        "localhost,",
        "targets",
    ]
    for _ in range(RANDOM_NAMES):
        text = "".join(dice.choices(alphabet, k=dice.randrange(1, 12)))
        name = dice.choice([text, dice.choice(pieces), dice.choice(pieces) + text])
        hosts = (Host(name=name, address="127.0.0.1"), Host(name="approved-1", address="127.0.0.1"))
        if refuse(hosts, {}) is None:
            made = inventory(hosts, folder=Path("/x"), known_hosts=Path("/x/k"), tag="r@0")
            listed = made["all"]["children"]["targets"]["hosts"]  # type: ignore[index]

            assert [name, "approved-1"] == list(listed)
            assert set(name) <= set(string.ascii_letters + string.digits + "._-")


@pytest.mark.parametrize(
    "field",
    [
        {"address": "{{ lookup('pipe', 'id') }}"},
        {"address": "-oProxyCommand=id"},
        {"user": "root -o ProxyCommand=id"},
        {"python": "/usr/bin/python3; id"},
        {"python": "python3"},
        {"connection": "community.general.chroot"},
        {"private_key_file": "/keys/{{ x }}"},
        {"port": 0},
    ],
)
async def test_a_host_that_is_not_plain_is_refused(stage: Stage, field: dict[str, str]) -> None:
    """Even the service map gets no way to have something evaluated."""
    host = Host(**{"name": "app1", "address": "127.0.0.1", **field})  # type: ignore[arg-type]
    spec = stage.spec(stage.remediation("- ansible.builtin.fail: {}"), hosts=(host,))

    assert (await stage.play(spec)).outcome == Outcome.REFUSED


async def test_hosts_outside_the_inventory_are_not_played(stage: Stage, tmp_path: Path) -> None:
    """A playbook that names another host plays nothing, and that is not a success."""
    folder = stage.remediations / "elsewhere"
    folder.mkdir()
    (folder / "playbook.yml").write_text(
        "- hosts: elsewhere\n  gather_facts: false\n  tasks:\n"
        f"    - ansible.builtin.file: {{path: {tmp_path}/mark, state: touch}}\n"
    )
    digest = contents_of(folder).digest
    result = await stage.play(stage.spec(digest, remediation="elsewhere", hosts=(LOCAL,)))

    assert result.outcome == Outcome.FAILED
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../play",
        "/etc",
        "play/../play",
        "play\x00",
        "%2e%2e/play",
        ".",
        "..",
        "",
        "PLAY",
        "no-such",
    ],
)
async def test_a_remediation_is_no_path(stage: Stage, name: str) -> None:
    """Only the plain name of a registered folder is ever opened."""
    spec = stage.spec(stage.remediation("- ansible.builtin.fail: {}"), remediation=name)
    prepared = await stage.executor.prepare(spec)

    assert prepared.check_problem is not None
    assert (await stage.launch(prepared)).outcome == Outcome.REFUSED


@pytest.mark.parametrize("run", ["../x", "/etc", "a/b", "", ".", "-x", "a" * 65, "a\n"])
async def test_a_run_is_no_path(stage: Stage, run: str) -> None:
    """The id of a run names a folder in our own work folder, or nothing."""
    digest = stage.remediation("- ansible.builtin.fail: {}")
    spec = replace(stage.spec(digest), run=run)

    assert (await stage.play(spec)).outcome == Outcome.REFUSED


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside.yml"])
async def test_a_link_out_of_the_folder_is_refused(stage: Stage, target: str) -> None:
    """A remediation plays only what its digest covers."""
    digest = stage.remediation("- ansible.builtin.fail: {}", name="linked")
    link = stage.remediations / "linked" / "tasks.yml"
    link.symlink_to(target)
    prepared = await stage.executor.prepare(stage.spec(digest, remediation="linked"))
    link.unlink()

    assert prepared.check_problem is not None
    assert "link out of its folder" in prepared.check_problem
