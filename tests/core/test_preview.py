"""What waits for approval is played in check mode once; that informs people and decides nothing."""

from dataclasses import replace

import pytest

from agent.core.changes.preview import PREVIEW_TIMEOUT
from agent.model.change import ChangeState
from agent.model.contents import Part
from agent.model.effect import CancelRun, LaunchRun, PrepareRun, PreviewRun
from agent.model.entry import ChangeCancelled, ConfigLoaded
from agent.model.preview import Preview, PreviewState, TaskEffect, TaskPreview
from agent.model.preview_entries import RunPreviewed
from tests.core.play import ALLOW, CONFIG, RESTART, Play
from tests.core.test_approvals import approve, asking

SEEN = Preview(
    state=PreviewState.COMPLETE,
    text="of the tasks 1 would change something",
    digest="sha256:1",
    tasks=(
        TaskPreview(
            host="app1", task="restart", module="service", effect=TaskEffect.WOULD_CHANGE, diff="+x"
        ),
    ),
)


def show(play: Play, preview: Preview | None = SEEN) -> PreviewRun:
    """The preview that was asked for is there."""
    asked = play.take(PreviewRun)
    play.feed(RunPreviewed(effect=asked.id, change=asked.change, preview=preview))
    return asked


def state_of(play: Play) -> PreviewState | None:
    preview = play.change().preview
    return preview.state if preview else None


def test_what_waits_for_approval_is_previewed_as_it_would_run() -> None:
    """The same content, hosts and parameters, in check mode, with a limit of its own."""
    contents = (Part(name="playbook.yml", digest="ab"),)
    play = asking(remediations={RESTART.name: replace(RESTART, contents=contents)})
    assert PreviewState.ASKED == state_of(play)
    spec = show(play).spec
    change = play.change()
    assert (True, change.digest, change.hosts) == (spec.check_mode, spec.digest, spec.hosts)
    assert (change.parameters, contents) == (spec.parameters, spec.contents)
    assert spec.timeout <= PREVIEW_TIMEOUT
    assert (SEEN, 0) == (change.preview, play.asked(PreviewRun))
    assert [SEEN.text] == play.said("CHG-1", "previewed")


def test_what_needs_nobody_is_not_previewed() -> None:
    """A change that policy allows runs at once."""
    play = Play()
    play.fire("ServiceDown", service="web1", host="app1")
    assert (0, 1) == (play.asked(PreviewRun), play.asked(PrepareRun))
    assert play.change().preview is None


def test_nobody_has_to_wait_for_a_preview() -> None:
    """Approved before it was shown: the change starts, the preview is ended, its word is late."""
    play = asking()
    preview = play.take(PreviewRun)
    approve(play)
    cancel = play.take(CancelRun)
    assert (preview.spec.run, "CHG-1") == (cancel.run, cancel.preview_of)
    assert 1 == play.asked(PrepareRun)
    play.feed(RunPreviewed(effect=preview.id, change="CHG-1", preview=SEEN))
    assert PreviewState.INCOMPLETE == state_of(play)
    play.feed(RunPreviewed(effect=cancel.id, change="CHG-1", preview=None))
    assert [PrepareRun] == [type(effect) for effect in play.state.outbox.all()]


def test_a_change_that_is_over_ends_its_preview() -> None:
    """Cancelled by a person: nothing goes on, and nothing is left to be done after a crash."""
    play = asking()
    play.feed(ChangeCancelled(change="CHG-1", by="bob"))
    cancel = play.take(CancelRun)
    play.feed(RunPreviewed(effect=cancel.id, change="CHG-1", preview=None))
    assert ([], ChangeState.CLOSED) == (list(play.state.outbox.all()), play.change().state)


def test_a_preview_is_no_run() -> None:
    """However it ends, the change waits on, no attempt is counted and no run is known."""
    play = asking()
    show(play, Preview(state=PreviewState.INCOMPLETE, text="unreachable: app1"))
    assert (ChangeState.AWAITING_APPROVAL, {}) == (play.change().state, play.state.runs)
    assert {} == play.state.attempts
    approve(play)
    launch = play.launch()
    assert isinstance(launch, LaunchRun)
    assert 1 == len(play.state.attempts)


def test_a_lost_preview_is_asked_for_again() -> None:
    """It stays in the outbox until its answer: after a crash it is performed once more."""
    play = asking()
    (left,) = play.state.outbox.all()
    assert isinstance(left, PreviewRun)
    show(play)
    assert [] == list(play.state.outbox.all())


@pytest.mark.parametrize(
    ("previews", "supports", "state"),
    [
        (False, True, PreviewState.OFF),
        (True, False, PreviewState.UNSUPPORTED),
        (True, True, PreviewState.ASKED),
    ],
)
def test_who_approves_is_told_why_there_is_none(
    previews: bool, supports: bool, state: PreviewState
) -> None:
    """Switched off by policy, or of no use as its author says: nothing is played, and said so."""
    policy = asking().config.policy
    assert policy is not None
    remediation = replace(RESTART, supports_check_mode=supports)
    play = Play(
        config=replace(
            CONFIG,
            policy=replace(policy, previews=previews),
            remediations={RESTART.name: remediation},
        )
    )
    play.fire("ServiceDown", service="web1", host="app1")
    assert state == state_of(play)
    assert (state is PreviewState.ASKED) == bool(play.asked(PreviewRun))


def test_switched_on_later_it_is_played_then() -> None:
    """A new policy that wants previews gets them for what waits already."""
    policy = asking().config.policy
    assert policy is not None
    off = replace(CONFIG, policy=replace(policy, previews=False))
    play = Play(config=off)
    play.fire("ServiceDown", service="web1", host="app1")
    assert PreviewState.OFF == state_of(play)
    play.feed(ConfigLoaded(config=replace(off, policy=replace(policy, digest="new"))))
    assert (PreviewState.ASKED, 1) == (state_of(play), play.asked(PreviewRun))
    assert ALLOW.previews
