"""A look ahead for approvers: what waits for approval is played in check mode, on the real hosts.

It informs and decides nothing: without one, or with one that failed, a change can be approved.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from agent.core.changes.spec import spec_of
from agent.core.draft import Draft
from agent.core.state import State
from agent.model.change import Change
from agent.model.effect import CancelRun, PreviewRun
from agent.model.preview import Preview, PreviewState
from agent.model.preview_entries import RunPreviewed
from agent.model.reason import Reason
from agent.model.remediation import Phase

PREVIEW_TIMEOUT = timedelta(minutes=2)
ASKED = Preview(state=PreviewState.ASKED, text="it is being played in check mode")
UNHEARD = Preview(state=PreviewState.INCOMPLETE, text="ended by us: the change did not wait for it")
OFF = Preview(state=PreviewState.OFF, text="policy wants no previews")
UNSUPPORTED = Preview(
    state=PreviewState.UNSUPPORTED,
    text="its author says that check mode does not tell what it would do (checkMode: false)",
)


def ask(state: State, draft: Draft, change: Change) -> None:
    """Have a change that waits for approval played in check mode, once."""
    change = state.changes[change.id]
    remediation = state.config.remediations.get(change.remediation)
    policy = state.config.policy
    if change.preview not in (None, OFF) or remediation is None or policy is None:
        return
    if not policy.previews:
        if change.preview is None:
            draft.set_change(state, change, preview=OFF)
    elif not remediation.supports_check_mode:
        draft.set_change(state, change, preview=UNSUPPORTED)
        draft.note(change.id, Reason.PREVIEWED, UNSUPPORTED.text)
    else:
        draft.set_change(state, change, preview=ASKED)
        spec = spec_of(state, change, run="", phase=Phase.REMEDIATE, check_mode=True)
        spec = replace(spec, timeout=min(spec.timeout, PREVIEW_TIMEOUT))
        draft.ask(
            state,
            lambda effect: PreviewRun(
                id=effect, change=change.id, spec=replace(spec, run=f"PRE-{effect}")
            ),
        )


def shown(state: State, draft: Draft, said: RunPreviewed) -> None:
    """Keep what was shown, for as long as the change waits for somebody to look at it."""
    state.outbox.take(said.effect)
    change = state.changes.get(said.change)
    if change is None or change.preview != ASKED or said.preview is None:
        return
    draft.set_change(state, change, preview=said.preview)
    draft.note(change.id, Reason.PREVIEWED, said.preview.text)


def end(state: State, draft: Draft, change: Change) -> None:
    """The change waits no longer: a preview that is still being played is ended, unheard."""
    change = state.changes[change.id]
    if change.preview == ASKED:
        draft.set_change(state, change, preview=UNHEARD)
    for effect in [e for e in state.outbox.preview.values() if e.change == change.id]:
        state.outbox.take(effect.id)
        draft.ask(state, _cancel(effect.spec.run, change.id))


def _cancel(run: str, change: str) -> Callable[[str], CancelRun]:
    return lambda effect: CancelRun(id=effect, run=run, preview_of=change)
