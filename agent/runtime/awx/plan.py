"""What a controller would play of a remediation, and why it must not, if so.

The remediation's own folder says which job template, at which revision of the project: it is part
of the digest that is approved. Not here: launching it (`executor`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.config.documents import shown
from agent.config.yaml_lines import read_documents
from agent.errors import AgentError
from agent.model.remediation import ParameterValue, Phase, RunSpec
from agent.runtime.ansible.folder import PLAYBOOKS, REMEDIATION, RUN
from agent.runtime.ansible.inventory import refuse
from agent.runtime.awx import exchanges
from agent.runtime.awx.shapes import Project, Template
from agent.runtime.client import Client

FILE = "awx.yaml"


class Pinned(BaseModel):
    """`awx.yaml` in a remediation's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    """Of the project, as `git rev-parse HEAD` says it."""
    template: int = Field(gt=0)
    rollback_template: int | None = Field(default=None, gt=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One launch that was found to be what was approved."""

    template: int
    revision: str
    limit: str


def pinned(folder: Path) -> Pinned | str:
    """What the folder pins, or why there is no telling."""
    path = folder / FILE
    if not path.is_file():
        return f"{folder.name} has no {FILE}: which job template, at which revision?"
    try:
        (document,) = read_documents(path, shown(path))
        return Pinned.model_validate(document.value)
    except (AgentError, ValidationError, ValueError) as unreadable:
        return f"{folder.name}/{FILE}: {str(unreadable).splitlines()[0]}"


def refuse_words(spec: RunSpec) -> str | None:
    """Why names, hosts or values of this run must not be sent."""
    if not RUN.fullmatch(spec.run) or not REMEDIATION.fullmatch(spec.remediation):
        return "the run or the remediation has no plain name"
    for name, value in sorted(spec.parameters.items()):
        if _may_be_template(value):
            # AWX has no way to mark a value as never to be evaluated.
            return f'parameter {name} holds "{{": a controller could take it for a template'
    return refuse(spec.hosts, spec.parameters)


async def plan(client: Client, spec: RunSpec, pin: Pinned) -> Plan | str:
    """Look at everything that the controller would play; a sentence where it is something else."""
    number = pin.template if spec.phase is Phase.REMEDIATE else pin.rollback_template
    if number is None:
        return f"{spec.remediation} names no rollback_template in {FILE}"
    template = await client.drive(exchanges.template(number))
    if template.project is None or template.inventory is None:
        return f"job template {number} has no project, or no inventory of its own"
    project = await client.drive(exchanges.project(template.project))
    problem = next(_problems(spec, pin, template, project), None)
    if problem is not None:
        return problem
    wanted = [host.name for host in spec.hosts]
    hosts = await client.drive(exchanges.names(template.inventory, "hosts", wanted))
    groups = await client.drive(exchanges.names(template.inventory, "groups", wanted))
    if missing := sorted(set(wanted) - hosts):
        return f"inventory {template.inventory} has no host {', '.join(missing)} switched on"
    if groups:
        # A limit does not tell a host from a group.
        return f"{', '.join(sorted(groups))} is a group in inventory {template.inventory}, too"
    return Plan(template=number, revision=pin.revision, limit=",".join(wanted))


def _problems(spec: RunSpec, pin: Pinned, template: Template, project: Project) -> Iterator[str]:
    """All that would make it play something else, or elsewhere, than was approved."""
    number, playbook = template.id, f"{spec.remediation}/{PLAYBOOKS[spec.phase]}"
    if project.scm_revision != pin.revision:
        found = project.scm_revision[:12] or "no revision"
        yield f"the project is at {found}, approved was {pin.revision[:12]}"
    if project.scm_update_on_launch:
        yield "the project is updated at each launch: its revision is not what would be played"
    if template.scm_branch:
        yield f"job template {number} plays branch {template.scm_branch}, not the revision"
    if template.playbook != playbook and not template.playbook.endswith(f"/{playbook}"):
        yield f"job template {number} plays {template.playbook}, not {playbook}"
    if template.job_type != "run":
        yield f"job template {number} is of type {template.job_type}"
    if template.job_tags or template.skip_tags:
        yield f"job template {number} has tags: it would play a part"
    if template.survey_enabled:
        yield f"job template {number} has a survey, whose answers nobody approved"
    if not template.ask_limit_on_launch:
        yield f"job template {number} ignores a limit (ask_limit_on_launch): it would play on all"
    if not template.ask_variables_on_launch:
        yield f"job template {number} ignores variables (ask_variables_on_launch)"
    asks = template.ask_job_type_on_launch and template.ask_diff_mode_on_launch
    if spec.check_mode and not asks:
        yield (
            f"job template {number} cannot be previewed "
            "(ask_job_type_on_launch, ask_diff_mode_on_launch)"
        )


def _may_be_template(value: ParameterValue) -> bool:
    return isinstance(value, str) and re.search(r"[{}]", value) is not None
