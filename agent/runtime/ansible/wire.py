"""What the agent and the supervisor of a run say to each other: JSON, one message a line.

Not here: the sockets that carry it.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from agent.model.remediation import Evidence, HostStats

CANCEL = b"cancel\n"
MESSAGE_BYTES_MAX = 1024 * 1024


class Kind(StrEnum):
    """What check mode said of a task on a host."""

    WOULD_CHANGE = "would_change"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    NOT_CHECKED = "not_checked"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class Cause(StrEnum):
    """Why a run is over, as its supervisor saw it."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One play, with everything its process needs to know."""

    run: str
    tag: str
    """What marks its processes, in their environment."""
    folder: str
    call: str
    """`module:function` of the console script."""
    arguments: tuple[str, ...]
    environment: dict[str, str]
    assign: dict[str, str]
    """Settings already read when the module was preloaded: `module:name` to value."""
    timeout_s: float
    grace_s: float
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_check: bool = False
    """Whether it is played in check mode, and what each task said is told."""

    def encode(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Order":
        """From what `encode` gave."""
        fields = json.loads(text)
        return cls(
            **{
                **fields,
                "arguments": tuple(fields["arguments"]),
                "secrets": tuple(fields["secrets"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The supervisor lives, as this process: from now on the play may have done anything."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of output, scrubbed and bounded."""

    text: str
    task: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What check mode said of one task on one host, scrubbed and bounded."""

    kind: Kind
    host: str
    task: str
    module: str
    text: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last message: nothing of the run lives any more, unless `survivors` says otherwise."""

    cause: Cause
    status: int | None
    """Exit status; negative for a signal; None when it had to be killed."""
    stats: tuple[HostStats, ...]
    evidence: tuple[Evidence, ...] = ()
    survivors: bool = False


Message = Started | Line | Checked | Ended
_KINDS: dict[str, type[Started] | type[Line]] = {"started": Started, "line": Line}


def encode(message: Message) -> bytes:
    """One line of JSON: the kind, then the fields."""
    kind = type(message).__name__.lower()
    return json.dumps([kind, asdict(message)]).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message that `encode` made this of."""
    kind, fields = json.loads(line)
    if kind == "checked":
        return Checked(**{**fields, "kind": Kind(fields["kind"])})
    if kind != "ended":
        return _KINDS[kind](**fields)
    return Ended(
        cause=Cause(fields["cause"]),
        status=fields["status"],
        stats=tuple(HostStats(**stats) for stats in fields["stats"]),
        evidence=tuple(Evidence(**piece) for piece in fields["evidence"]),
        survivors=fields["survivors"],
    )
