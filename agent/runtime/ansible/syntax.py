"""A stand-in run for checking a playbook's syntax: nothing is played, no host is met.

Not here: the lint of what a playbook does with values from outside (`config.playbook_lint`).
"""

import hashlib
from datetime import timedelta
from pathlib import Path

from agent.config.collections import Collections
from agent.config.contents import contents_of
from agent.config.tree import TreeError
from agent.model.remediation import Host, Phase, RunSpec
from agent.runtime.ansible.folder import PLAYBOOKS

TIMEOUT = timedelta(seconds=60)
HOST = Host(name="nobody", address="127.0.0.1", connection="local")


def syntax_spec(
    remediations: Path, name: str, phase: Phase, collections: Collections
) -> RunSpec | None:
    """What to prepare to have that playbook read; None when the remediation has no such."""
    source = remediations / name
    if phase is not Phase.REMEDIATE and not (source / PLAYBOOKS[phase]).is_file():
        return None
    try:
        digest = contents_of(source, collections).digest
    except TreeError:
        digest = ""
    return RunSpec(
        run=f"syntax-{phase.value}-{hashlib.sha256(name.encode()).hexdigest()[:16]}",
        remediation=name,
        digest=digest,
        phase=phase,
        hosts=(HOST,),
        parameters={},
        timeout=TIMEOUT,
    )
