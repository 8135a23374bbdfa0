"""Remediations that only look: they help nothing, disturb nothing, and nothing has to clear."""

from agent.core.state import State
from agent.model.change import Change


def only_looks(state: State, change: Change) -> bool:
    """Whether the remediation of a change says that it changes nothing."""
    remediation = state.config.remediations.get(change.remediation)
    return remediation is not None and remediation.is_read_only
