"""What an approval names: the digest over all that will run and the policy it was judged by."""

import hashlib

from agent.core.state import State
from agent.model.change import Change


def binding_of(state: State, change: Change) -> str:
    """The digest over all that will run and the policy it was judged by: what approvals name."""
    policy = state.config.policy
    parts = [
        change.remediation,
        change.digest,
        change.type.value,
        change.entity,
        *(repr(host) for host in change.hosts),
        *(f"{name}={change.parameters[name]!r}" for name in sorted(change.parameters)),
        policy.digest if policy else "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
