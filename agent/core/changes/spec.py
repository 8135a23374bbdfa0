"""What an executor is told to play for a change.

Not here: when that is asked for (`course`, `preview`).
"""

from agent.core.state import State
from agent.model.change import Change
from agent.model.remediation import Phase, RunSpec


def spec_of(
    state: State, change: Change, *, run: str, phase: Phase, check_mode: bool = False
) -> RunSpec:
    """Exactly what was asked for and approved, with its parts where they are still the same."""
    remediation = state.config.remediations[change.remediation]
    is_same = remediation.digest == change.digest
    return RunSpec(
        run=run,
        remediation=change.remediation,
        digest=change.digest,
        phase=phase,
        hosts=change.hosts,
        parameters=change.parameters,
        timeout=remediation.timeout,
        check_mode=check_mode,
        contents=remediation.contents if is_same else (),
    )
