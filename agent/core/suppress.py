"""What mutes an alert: silences, inhibition, maintenance windows, expected heartbeats.

Suppression stops the creation of incidents, never their resolution; a muted alert is still
tracked, and when the last thing that mutes it is gone while it fires, it counts.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State, Timer
from agent.model.calendar import CalendarPurpose
from agent.model.labels import Labels
from agent.model.reason import Reason
from agent.model.service import EntityRef
from agent.model.silence import Silence

CALENDAR = "calendar"
"""The key of the timer for the next border of any calendar."""
SILENCE_KEPT = timedelta(days=5)
"""How long a silence that is over stays in sight."""


def suppressors(
    state: State, labels: Labels, entity: EntityRef | None, at: datetime
) -> tuple[str, ...]:
    """Everything that mutes an alert now, each as `kind:name`; empty where nothing does.

    A window of a calendar is `calendar:NAME: what it is called (by whom; why)`.
    """
    derived = state.derived
    found: list[str] = []
    for silence in state.silences.values():
        if silence.starts_at <= at < silence.ends_at and derived.silenced_by(silence)(labels):
            found.append(f"silence:{silence.id}")
    for inhibition in derived.inhibitions:
        if inhibition.inhibits(labels):
            found.append(f"inhibit:{inhibition.rule.name}")
    timetable = derived.timetable(state.calendars)
    windows = timetable.open_at(CalendarPurpose.MUTE, entity, at)
    found += dict.fromkeys(named.muter for named in windows)
    for heartbeat, is_beat in derived.heartbeats:
        if is_beat(labels):
            found.append(f"heartbeat:{heartbeat.name}")
    return tuple(found)


def reconsider(state: State, draft: Draft) -> list[ActiveAlert]:
    """Judge anew what is muted; answers with the alerts that are free now."""
    freed: list[ActiveAlert] = []
    for fingerprint in list(state.suppressed):
        active = state.alerts[fingerprint]
        judge(state, active, draft.at)
        if not active.suppressed_by:
            freed.append(active)
    return freed


def mute_more(state: State, draft: Draft) -> None:
    """Judge anew what is heard: something that mutes has just begun.

    What is muted stays so until `reconsider` frees it, so that nobody forgets to let it count.
    """
    for name, active in state.alerts.items():
        if name not in state.suppressed:
            judge(state, active, draft.at)


def add_silence(state: State, silence: Silence) -> None:
    """Put a silence into force, or a changed one in place of the old."""
    state.silences[silence.id] = silence
    state.derived.silences.pop(silence.id, None)
    state.schedule(silence.starts_at, Timer.SUPPRESSION, silence.id)
    state.schedule(silence.ends_at, Timer.SUPPRESSION, silence.id)
    state.schedule(silence.ends_at + SILENCE_KEPT, Timer.SUPPRESSION, silence.id)


def end_silence(state: State, draft: Draft, identifier: str) -> None:
    """A person ends a silence now; it stays in sight for a while, as in Alertmanager."""
    silence = state.silences.get(identifier)
    if silence is None or silence.ends_at <= draft.at:
        draft.refuse(Reason.NOT_OPEN, f"there is no active silence {identifier}")
        return
    state.silences[identifier] = replace(silence, ends_at=draft.at, updated_at=draft.at)
    state.schedule(draft.at + SILENCE_KEPT, Timer.SUPPRESSION, identifier)


def expire_silences(state: State, draft: Draft) -> None:
    """Forget silences that have been over for long."""
    for silence in list(state.silences.values()):
        if silence.ends_at + SILENCE_KEPT <= draft.at:
            del state.silences[silence.id]
            state.derived.silences.pop(silence.id, None)


def judge(state: State, active: ActiveAlert, at: datetime) -> None:
    """Say anew what mutes an alert that fires; whoever frees one lets it count."""
    alert = active.alert
    active.suppressed_by = suppressors(state, alert.labels, active.entity, at)
    if active.suppressed_by:
        state.suppressed[alert.fingerprint] = None
    else:
        state.suppressed.pop(alert.fingerprint, None)


def await_border(state: State, draft: Draft) -> None:
    """Wake at the next border of a window, so that what depends on it is judged anew."""
    following = state.derived.timetable(state.calendars).next_border(draft.at)
    timer = (following, Timer.SUPPRESSION, CALENDAR)
    if following is not None and timer not in state.timers:
        state.schedule(following, Timer.SUPPRESSION, CALENDAR)
