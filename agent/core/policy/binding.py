"""What an approval names: all that will run, where, when and by which policy, part by part.

The parts have names so that people hear which of them changed. Not here: what becomes of an
approval whose binding is another one by now (`approvals`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from agent.core.state import State
from agent.model.change import BINDINGS_MAX, Bound, Change
from agent.model.remediation import Host

CHANGED_NAMED_MAX = 5
"""So many parts are named where more have changed."""
PART_CHARACTERS = 16


def binding_of(state: State, change: Change) -> str:
    """The digest over all parts: what approvals name."""
    return digest_over(parts_of(state, change))


def digest_over(parts: Mapping[str, str]) -> str:
    """SHA-256 over names and digests, in the order of the names."""
    text = "\0".join(f"{name}\0{parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


def parts_of(state: State, change: Change) -> dict[str, str]:
    """Every part by its name with a digest of its own: no value of a parameter is repeated here.

    `content` is the digest of the remediation's folder: playbooks, roles, collections, contract.
    """
    policy = state.config.policy
    remediation = state.config.remediations.get(change.remediation)
    window = change.window
    parts = {
        "remediation": change.remediation,
        "content": change.digest,
        "change type": change.type.value,
        "target": change.entity,
        "host list": "\0".join(host.name for host in change.hosts),
        "policy": policy.digest if policy else "",
        "window": f"{window.start.isoformat()}/{window.end.isoformat()}" if window else "",
        "rollback plan": "" if remediation is None else str(remediation.has_rollback),
    }
    for host in change.hosts:
        parts |= _host_parts(host)
    for name, value in change.parameters.items():
        parts[f"parameter {name}"] = repr(value)
    return {name: _digest(value) for name, value in parts.items()}


def bind(state: State, change: Change) -> Change:
    """The change with the binding of what would run now; earlier ones are remembered a while."""
    parts = parts_of(state, change)
    binding = digest_over(parts)
    if binding == change.binding:
        return change
    bound = (*change.bound, Bound(binding=binding, parts=parts))[-BINDINGS_MAX:]
    return replace(change, binding=binding, bound=bound)


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Which parts are others now, in words; empty where none is."""
    names = [
        name
        for name in dict.fromkeys((*before, *after))
        if before.get(name, "") != after.get(name, "")
    ]
    if not names:
        return ""
    named = [f"the {name}" for name in names[:CHANGED_NAMED_MAX]]
    rest = len(names) - len(named)
    more = f" and {rest} more" if rest else ""
    return f"{', '.join(named)}{more} changed"


def why_void(change: Change, binding: str, now: Mapping[str, str]) -> str:
    """What has changed since that binding; says so where it never was one of this change."""
    for known in change.bound:
        if known.binding == binding:
            return difference(known.parts, now)
    return f"that is no binding of {change.id} that is remembered"


def _host_parts(host: Host) -> dict[str, str]:
    return {
        f"address of host {host.name}": f"{host.address}:{host.port}",
        f"user of host {host.name}": host.user,
        f"connection of host {host.name}": f"{host.connection}\0{host.private_key_file}",
        f"interpreter of host {host.name}": host.python,
    }


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:PART_CHARACTERS]
