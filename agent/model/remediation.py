"""Remediations, runs and their outcomes, as Ansible means them.

Not here: whether a run may start (`core.policy`), or how it is executed (`runtime.ansible`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from agent.model.contents import Part

ParameterValue = str | int | bool
"""What a declared parameter may hold: already checked against its type, still data for ever."""


class Outcome(StrEnum):
    """How a run ended. Only `ok` and `changed` let verification begin."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """Nothing was started: what was found on disk was not what was approved."""
    UNKNOWN = "unknown"
    """It may have done anything: we lost sight of it. Never repeated by itself."""

    @property
    def is_success(self) -> bool:
        """Whether Ansible reported success; the signal still has to clear."""
        return self in (Outcome.OK, Outcome.CHANGED)


QUERY_WORDS = ("host", "entity", "name")
"""Besides the parameters, what `$word` may stand for in a verification query: the target's."""


class Phase(StrEnum):
    """Which playbook of a remediation a run plays."""

    REMEDIATE = "remediate"
    ROLLBACK = "rollback"


class Target(StrEnum):
    """Whose hosts a remediation acts on."""

    ENTITY = "entity"
    """The host of the entity that the change is about."""
    GROUP = "group"
    """The hosts of its whole redundancy group, in order of their entities' names, one by one."""


class ParameterType(StrEnum):
    """What a value from outside must be before it may become a parameter."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared input of a remediation; a value that does not satisfy it is refused."""

    name: str
    type: ParameterType
    required: bool = True
    pattern: str | None = None
    """Anchored RE2 pattern for a string; a string without pattern or choices is refused at load."""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What must hold before a run counts as a success."""

    promql: str | None = None
    """A query that must return a non-empty result of non-zero samples, or None for the signal only.
    `$host`, `$entity`, `$name` and the parameters stand for the target's, quoted as labels."""
    stable_for: timedelta = timedelta(seconds=5)
    within: timedelta = timedelta(minutes=2)
    every: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """A registered playbook with its contract, addressed by name and digest, never by path."""

    name: str
    title: str
    digest: str
    """SHA-256 over all that it plays; what is approved is what runs."""
    author: str
    contents: tuple[Part, ...] = ()
    """What the digest is of: files, collections, Ansible itself."""
    parameters: tuple[Parameter, ...] = ()
    change_model: str = "normal"
    supports_check_mode: bool = True
    target: Target = Target.ENTITY
    is_read_only: bool = False
    """It only looks: that it ran is its success, and nothing is verified."""
    has_rollback: bool = False
    verification: Verification = Verification()
    timeout: timedelta = timedelta(minutes=5)
    cooldown: timedelta = timedelta(minutes=10)
    attempts_max: int = 2
    attempts_window: timedelta = timedelta(hours=24)
    redundancy_share_max: float = 0.5
    """Largest share of a redundancy group that may be under change at once."""
    fleet_max: int | None = None
    """At most so many targets over the whole fleet within `fleet_window`; None: no limit."""
    fleet_window: timedelta = timedelta(hours=1)
    concurrency_keys: tuple[str, ...] = ()
    """`host`, `service`, `owner`, or a word: no two changes that share one run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One Ansible inventory host, generated from the service map and from nothing else."""

    name: str
    address: str
    port: int = 22
    user: str = "root"
    connection: str = "ssh"
    """`ssh`, or `local` for the machine the agent runs on."""
    private_key_file: str | None = None
    python: str = "/usr/bin/python3"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything an executor needs to play one playbook once. The digest is the approved one."""

    run: str
    """Unique id of the run; also the fence that its processes carry in their environment."""
    remediation: str
    digest: str
    phase: Phase
    hosts: tuple[Host, ...]
    parameters: Mapping[str, ParameterValue]
    timeout: timedelta
    check_mode: bool = False
    contents: tuple[Part, ...] = ()
    """The parts that the digest is of, so that what differs can be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStats:
    """Ansible's recap for one host."""

    host: str
    ok: int = 0
    changed: int = 0
    failed: int = 0
    unreachable: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that a play found out and hands over by `set_stats`, scrubbed and bounded."""

    host: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended, with Ansible's recap and one line for people."""

    outcome: Outcome
    summary: str
    stats: tuple[HostStats, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One piece of live output: a line of Ansible's own, scrubbed of known secrets."""

    run: str
    number: int
    at: datetime
    text: str
    task: str | None = None
    host: str | None = None
