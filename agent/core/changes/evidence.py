"""What a play found out becomes part of the story of its change and of the incident.

Not here: reading it from Ansible (`runtime.ansible`).
"""

from agent.core.changes.course import close, touch
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.change import Change, Closure
from agent.model.reason import Reason
from agent.model.remediation import Outcome, RunResult

PIECES_MAX = 64
TEXT_CHARS_MAX = 4_000


def keep(draft: Draft, change: Change, result: RunResult) -> None:
    """Tell each piece once: in the incident where there is one, else at the change."""
    subject = change.incident or change.id
    for piece in result.evidence[:PIECES_MAX]:
        text = f"{piece.host}, {piece.name}:\n{piece.text}"[:TEXT_CHARS_MAX]
        draft.note(subject, Reason.EVIDENCE_COLLECTED, text)
    if result.evidence:
        touch(draft, change)


def looked(state: State, draft: Draft, change: Change, outcome: Outcome) -> None:
    """A remediation that only looks is over; one that changed something after all has failed."""
    if outcome is Outcome.OK:
        text = "it has looked; nothing was changed"
        close(state, draft, change, Closure.SUCCESS, Reason.EVIDENCE_COLLECTED, text)
    else:
        text = "it says that it only looks, and changed something"
        close(state, draft, change, Closure.FAILED, Reason.VERIFICATION_FAILED, text)
