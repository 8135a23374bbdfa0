"""Whether what waits is still what people saw: its binding anew, and what changed in words."""

from agent.core.draft import Draft
from agent.core.policy.binding import bind, difference
from agent.core.state import State
from agent.model.change import Change
from agent.model.reason import Reason


def rebound(state: State, draft: Draft, change: Change) -> Change:
    """The change with the binding of the rule set in force; words about another one are void."""
    bound = bind(state, change)
    if bound.binding != change.binding and any(
        approval.binding == change.binding for approval in change.approvals
    ):
        what = difference(change.bound[-1].parts, bound.bound[-1].parts)
        draft.note(
            change.id, Reason.APPROVAL_VOID, f"what was approved is not what would run: {what}"
        )
    return bound
