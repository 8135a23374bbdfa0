"""What a rulebook of ansible-rulebook looks like: its documented keys, and no others.

Not here: which of them can be taken over (`translate`).
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from agent.config.schema import Strict

_TIME = re.compile(r"([0-9]{1,9})\s(millisecond|second|minute|hour|day)s?")


def _time(value: object) -> object:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is no time; ansible-rulebook writes it like 5 minutes")
    return timedelta(**{f"{found[2]}s": int(found[1])})


Time = Annotated[timedelta, BeforeValidator(_time)]
"""`5 minutes`."""


class Throttle(Strict):
    """How often a rule acts."""

    once_within: Time | None = None
    once_after: Time | None = None
    accumulate_within: Time | None = None
    threshold: int | None = Field(default=None, ge=1)
    group_by_attributes: list[str]


class Several(Strict):
    """A condition made of several."""

    all: list[str] | None = Field(default=None, min_length=1)
    any: list[str] | None = Field(default=None, min_length=1)
    not_all: list[str] | None = None
    timeout: Time | None = None


class RunPlaybook(Strict):
    """The one action that is taken over."""

    name: str
    extra_vars: dict[str, Any] = Field(default_factory=dict)
    copy_files: bool | None = None
    post_events: bool = False
    set_facts: bool = False
    ruleset: str | None = None
    verbosity: int | None = None
    var_root: Any = None
    json_mode: bool | None = None
    retry: bool | None = None
    retries: int | None = None
    delay: float | int | None = None
    lock: str | None = None


class RuleIn(Strict):
    """A rule; its condition and actions are looked at one by one."""

    name: str = Field(min_length=1)
    condition: Any
    action: dict[str, Any] | None = None
    actions: list[dict[str, Any]] | None = None
    throttle: Throttle | None = None
    enabled: bool = True


class Ruleset(Strict):
    """Rules with the sources of their events."""

    name: str = Field(min_length=1)
    hosts: str | list[str]
    sources: list[dict[str, Any]]
    rules: list[Any]
    """Each a `RuleIn`, looked at one by one: a mistake in one shall not hide the others."""
    gather_facts: bool = False
    match_multiple_rules: bool = False
    execution_strategy: Literal["sequential", "parallel"] = "sequential"
    default_events_ttl: Time = timedelta(hours=2)
