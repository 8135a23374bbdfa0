"""Claims about `watchkeeper check`: everything that would keep the agent from working is told."""

import asyncio
import sys

from tests.e2e.agent import COMMAND
from tests.e2e.company import Company

CHECK_S_MAX = 30


async def _check(company: Company) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(str(COMMAND), "check", "--config", str(company.config)),
        cwd=company.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr,
    )
    async with asyncio.timeout(CHECK_S_MAX):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_wrong_options_of_tools_are_found(company: Company) -> None:
    """Options that a connector does not have, needs, or cannot read, each where it stands; a file
    of options is looked for beside config.yaml."""
    desk = {"name": "desk", "type": "redmine", "url": "http://127.0.0.1:1"}
    (company.folder / "there.yaml").write_text("labels: {}\n")
    company.found(
        connectors=[desk | {"options": {"project": "ops", "colour": "red"}}],
        sources=[
            {"name": "there", "type": "json", "options": {"file": "there.yaml"}},
            {"name": "gone", "type": "json", "options": {"file": "gone.yaml"}},
            {"name": "odd", "type": "nosuch"},
        ],
    )

    code, said = await _check(company)

    findings = said.splitlines()
    assert code == 2
    assert next(line for line in findings if "desk: $.colour" in line).startswith("config.yaml:")
    assert [line for line in findings if "gone: $.file" in line]
    assert not [line for line in findings if "there: $.file" in line]
    assert [line for line in findings if 'odd: $: no source is called "nosuch"' in line]


async def test_what_ansible_objects_to_is_found(company: Company) -> None:
    """A module that does not exist is told with its place in the playbook."""
    company.found()
    playbook = company.remediations / "mend" / "playbook.yml"
    text = playbook.read_text()
    good = await _check(company)
    playbook.write_text(text.replace("ansible.builtin.command", "ansible.builtin.comand"))

    code, said = await _check(company)

    assert good[0] == 0
    assert code == 2
    assert said.startswith("remediations/mend/playbook.yml:1:")
    assert "ansible.builtin.comand" in said
