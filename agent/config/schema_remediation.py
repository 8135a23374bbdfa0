"""`remediations/<name>/remediation.yaml`: the contract of a registered playbook.

Not here: the playbook itself (`playbook_lint`, `tree`).
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from agent.config.durations import Duration
from agent.config.schema import Spec

ChangeModel = Literal["standard", "normal", "emergency"]


class ParameterSpec(Spec):
    """One input. A value that does not satisfy it is refused, and nothing runs."""

    name: str = Field(
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Its name; a playbook reads `agent_input.NAME`.",
    )
    type: Literal["string", "integer", "boolean", "entity"] = Field(
        description="What the value must be; `entity` is a reference on the map."
    )
    description: str = Field(default="", description="What it is for.")
    required: bool = Field(default=True, description="Whether a run needs it.")
    pattern: str | None = Field(
        default=None, description="RE2 pattern that a string must match as a whole."
    )
    choices: list[str] = Field(default_factory=list, description="The only strings allowed.")
    minimum: int | None = Field(default=None, description="Smallest integer allowed.")
    maximum: int | None = Field(default=None, description="Largest integer allowed.")


class ChangeSpec(Spec):
    """How change enablement sees it."""

    model: ChangeModel = Field(
        default="normal", description="Change type of a run, unless a rule says otherwise."
    )


class VerifySpec(Spec):
    """What must hold before a run counts as a success, beside the alert having cleared."""

    promql: str | None = Field(
        default=None,
        description="A query that must return non-zero samples. `$host`, `$entity`, `$name` and "
        "the parameters stand for those of the target.",
    )
    stable_for: Duration = Field(
        default=timedelta(seconds=5), description="How long it must hold without a break."
    )
    within: Duration = Field(
        default=timedelta(minutes=2), description="When we give up and roll back."
    )
    every: Duration = Field(default=timedelta(seconds=2), description="How often we look.")


class AttemptsSpec(Spec):
    """How often it may be tried on one entity before people take over."""

    max: int = Field(default=2, ge=1, le=100, description="Runs within the window.")
    window: Duration = Field(default=timedelta(hours=24), description="The window.")


class BlastRadiusSpec(Spec):
    """How much it may touch at once."""

    redundancy_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Largest share of a redundancy group that may be under change at once.",
    )
    fleet: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="On at most so many targets over the whole fleet within `fleetWindow`.",
    )
    fleet_window: Duration = Field(default=timedelta(hours=1), description="The time for `fleet`.")


class ConcurrencySpec(Spec):
    """What no two runs may share."""

    keys: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]] = Field(
        default_factory=list,
        max_length=10,
        description="`host`, `service` (what the target is part of), `owner`, or a word of yours "
        "that other remediations may name too.",
    )


class RemediationSpec(Spec):
    """The contract of a playbook."""

    parameters: list[ParameterSpec] = Field(
        default_factory=list, max_length=64, description="Everything the playbook may be given."
    )
    target: Literal["entity", "group"] = Field(
        default="entity",
        description="Whose hosts it acts on: the entity's, or those of its whole redundancy group; "
        "the playbook takes these one by one with `serial: 1`.",
    )
    read_only: bool = Field(
        default=False,
        description="It only looks: its run is its success, no alert has to clear, and a task that "
        "changes something fails it.",
    )
    change: ChangeSpec = Field(
        default_factory=ChangeSpec, description="How change enablement sees it."
    )
    check_mode: bool = Field(
        default=True, description="Whether `--check` tells truly what a run would do."
    )
    verify: VerifySpec = Field(default_factory=VerifySpec, description="What shows success.")
    rollback: str = Field(
        description="Name of the playbook that undoes it (`rollback.yml`), or `irreversible`."
    )
    timeout: Duration = Field(
        default=timedelta(minutes=5), description="After this the run is ended for certain."
    )
    cooldown: Duration = Field(
        default=timedelta(minutes=10), description="Rest between two runs on one entity."
    )
    attempts: AttemptsSpec = Field(
        default_factory=AttemptsSpec, description="When people take over."
    )
    blast_radius: BlastRadiusSpec = Field(
        default_factory=BlastRadiusSpec, description="How much it may touch at once."
    )
    concurrency: ConcurrencySpec = Field(
        default_factory=ConcurrencySpec, description="What no two runs may share."
    )
