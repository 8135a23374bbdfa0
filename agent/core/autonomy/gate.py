"""What policy asks about autonomy: may this rule still act, and does it act without asking people.

Asked when a change is judged, so also at its start: a stop or a demotion holds from then on.
"""

from dataclasses import replace
from datetime import datetime

from agent.core.autonomy import modes
from agent.core.policy.answers import refused
from agent.core.state import State
from agent.model.autonomy import Mode
from agent.model.change import Change, ChangeState
from agent.model.policy import Decision, PolicyRule, Verdict
from agent.model.reason import Reason


def may_act(state: State, change: Change, at: datetime) -> Decision | None:
    """A rule's change runs only while its rule is in force and may act by itself."""
    if not change.requested_by.startswith("rule:"):
        return None
    if change.state is ChangeState.DRAFT and change.mode is not None and not change.mode.acts:
        return None  # Nothing is asked for: it is what policy would say if it were.
    rule = modes.rule_named(state, change.rule)
    if rule is None:
        return refused(Reason.MODE_FORBIDS, f"rule {change.rule} is not in force any more")
    mode = modes.mode_of(state, rule)
    if mode.acts:
        return None
    why = modes.why_lower(state, rule)
    text = f"rule {rule.name} may only {mode}" + (f": {why}" if why else "")
    return refused(Reason.MODE_FORBIDS, text)


def with_people(state: State, change: Change, ruling: PolicyRule) -> PolicyRule:
    """The rule of policy that decides; in `approve` at least one person, whatever it allows."""
    if ruling.verdict is not Verdict.ALLOWED or not change.requested_by.startswith("rule:"):
        return ruling
    rule = modes.rule_named(state, change.rule)
    # A change keeps the mode in which it was asked for: who promotes the rule does not approve it.
    asked = change.mode is Mode.APPROVE
    if asked or (rule is not None and modes.mode_of(state, rule) is Mode.APPROVE):
        roles = state.config.autonomy.roles
        return replace(ruling, verdict=Verdict.NEEDS_APPROVAL, roles=roles)
    return ruling
