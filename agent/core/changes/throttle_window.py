"""What is remembered of a throttled rule while its span runs. It decides nothing."""

from dataclasses import dataclass, field
from datetime import datetime

from agent.model.rule import Throttle


@dataclass(slots=True, kw_only=True)
class ThrottleWindow:
    """The span of a throttled rule that runs now, for what is alike."""

    throttle: Throttle
    """As the rule had it when the window began; another one means that the rule was changed."""
    until: datetime
    counted: dict[str, None] = field(default_factory=dict)
    """`accumulate_within`: the alerts that matched; bounded by the threshold."""
    waiting: dict[str, str] = field(default_factory=dict)
    """`once_after`: by group, the fingerprint of the alert to act on; bounded."""
    is_told: bool = False
    """Whether the story of an incident says already that the rule is held back."""
