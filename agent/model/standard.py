"""Standard changes: templates that say in advance what may be done without asking each time.

Not here: whether one covers a change (`core.policy.standard`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from agent.model.remediation import ParameterValue
from agent.model.service import EntityRef


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardChange:
    """One pre-authorised template: what, where, under which conditions, how often, until when."""

    name: str
    remediation: str
    owner: str
    """Who answers for it: a person or group, in words."""
    expires: date
    """The first day (UTC) on which it does not hold any more."""
    digest: str
    """Version of the template: over everything that it says."""
    content: str | None = None
    """Digest of the remediation that was looked at; None: whatever is registered."""
    when: str | None = None
    """A condition over what policy looks at; None: always."""
    entities: tuple[EntityRef, ...] = ()
    """Empty: every one."""
    kinds: tuple[str, ...] = ()
    """Kinds or types of the target, such as `component` or `database`; empty: every one."""
    parameters: Mapping[str, tuple[ParameterValue, ...]] = field(default_factory=dict)
    """The only values that a parameter may have, for those that are named."""
    uses: int | None = None
    """At most so many starts within `within`; None: no limit."""
    within: timedelta = timedelta(days=1)
    failures: int = 2
    """So many failures..."""
    failures_of: int = 10
    """...among this many latest runs withdraw it until a person reinstates it."""
