"""How policy says no, and not yet: in words, with the reason."""

from datetime import datetime, timedelta

from agent.model.policy import Decision, Verdict
from agent.model.reason import Reason

LOOK_AGAIN = timedelta(minutes=1)


def refused(reason: Reason, text: str, rule: str | None = None) -> Decision:
    """It may not, and will not by waiting."""
    return Decision(verdict=Verdict.REFUSED, reason=reason, text=text, rule=rule)


def deferred(reason: Reason, text: str, until: datetime | None = None) -> Decision:
    """Not now; worth asking again then, or when something is over."""
    return Decision(verdict=Verdict.DEFERRED, reason=reason, text=text, until=until)
