"""How often a rule may act: once within a span, once after it, or when enough has gathered.

The words and their meaning are ansible-rulebook's. An event is an alert that begins to fire; what
a source repeats is none. A change that failed and is tried again is the same act, not another.
Not here: whether the rule holds (`decide`), or how often a target may be acted on (`policy`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.core.changes.throttle_window import ThrottleWindow
from agent.core.conditions import Facts
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State, Timer
from agent.model.reason import Reason
from agent.model.rule import RemediationRule, Throttle, ThrottleKind

WINDOWS_MAX = 10_000
"""More spans than this are not remembered at once; a rule that would need another does not act."""
WHEN = "%Y-%m-%d %H:%M:%S"
GROUPS_MAX = 1_000
"""A rule that waits for the end of its span gathers at most this many groups."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A rule holds for an alert; `key` names the window of what is alike."""

    rule: str
    throttle: Throttle
    active: ActiveAlert
    key: str


def passes(
    state: State, draft: Draft, rule: RemediationRule, active: ActiveAlert, known: Facts
) -> bool:
    """Whether the rule may act on this match now; else it is remembered, counted or left."""
    throttle = rule.throttle
    if throttle is None:
        return True
    group = repr(tuple(text_of(known, name) for name in throttle.group_by))
    key = f"{rule.name} {group}"
    match throttle.kind:
        case ThrottleKind.ONCE_WITHIN:
            return _is_first(state, draft, _Match(rule.name, throttle, active, key))
        case ThrottleKind.ACCUMULATE_WITHIN:
            return _is_enough(state, draft, _Match(rule.name, throttle, active, key))
        case ThrottleKind.ONCE_AFTER:
            _gather(state, draft, _Match(rule.name, throttle, active, rule.name), group)
            return False


def is_overdue(state: State, rule: RemediationRule, at: datetime) -> bool:
    """Whether gathered matches of the rule are due, though no timer was heard yet."""
    window = state.throttles.get(rule.name)
    return window is not None and window.until <= at


def close(state: State, at: datetime, key: str) -> tuple[str, tuple[str, ...]]:
    """Forget a window whose time is over; its rule, and the alerts that waited for its end."""
    window = state.throttles.get(key)
    rule = key.partition(" ")[0]
    if window is None or window.until > at:
        return rule, ()
    del state.throttles[key]
    return rule, tuple(window.waiting.values())


def text_of(known: Facts, name: str) -> str:
    """The fact of this name as text; empty where nobody gave it."""
    for texts in ("alert.labels", "alert.annotations"):
        values = known.values.get(texts)
        if isinstance(values, Mapping) and name.startswith(f"{texts}."):
            return str(values.get(name.removeprefix(f"{texts}."), ""))
    return str(known.values.get(name, ""))


def _is_first(state: State, draft: Draft, match: _Match) -> bool:
    if window := _running(state, draft, match):
        until = f"{window.until:{WHEN}} UTC"
        _tell(draft, match, window, f"it acted already, and rests until {until}")
        return False
    return _open(state, draft, match) is not None


def _is_enough(state: State, draft: Draft, match: _Match) -> bool:
    window = _running(state, draft, match) or _open(state, draft, match)
    if window is None:
        return False
    alert = match.active
    window.counted[f"{alert.alert.fingerprint} {alert.heard_at.isoformat()}"] = None
    if len(window.counted) >= match.throttle.threshold:
        del state.throttles[match.key]
        return True
    _tell(draft, match, window, f"it waits for {match.throttle.threshold} alike")
    return False


def _gather(state: State, draft: Draft, match: _Match, group: str) -> None:
    window = _running(state, draft, match) or _open(state, draft, match)
    if window is None:
        return
    first = window.waiting.get(group)
    if first is None and len(window.waiting) >= GROUPS_MAX:
        _tell(draft, match, None, f"it gathers no more than {GROUPS_MAX} groups")
    elif first is None or first not in state.alerts:
        # Whoever is over by the end needs nothing; one that is alike and fires takes its place.
        window.waiting[group] = match.active.alert.fingerprint
        until = f"{window.until:{WHEN}} UTC"
        _tell(draft, match, window, f"it gathers what matches until {until}")


def _running(state: State, draft: Draft, match: _Match) -> ThrottleWindow | None:
    window = state.throttles.get(match.key)
    if window is None or window.until <= draft.at or window.throttle != match.throttle:
        return None
    return window


def _open(state: State, draft: Draft, match: _Match) -> ThrottleWindow | None:
    if match.key not in state.throttles and len(state.throttles) >= WINDOWS_MAX:
        _tell(draft, match, None, f"more than {WINDOWS_MAX} throttles run; it does not act")
        return None
    window = ThrottleWindow(throttle=match.throttle, until=draft.at + match.throttle.span)
    state.throttles[match.key] = window
    state.schedule(window.until, Timer.THROTTLE, match.key)
    return window


def _tell(draft: Draft, match: _Match, window: ThrottleWindow | None, text: str) -> None:
    """Say so once a window: a storm would fill the story with it."""
    if match.active.incident is None or (window is not None and window.is_told):
        return
    if window is not None:
        window.is_told = True
    draft.note(match.active.incident, Reason.RULE_THROTTLED, f"rule {match.rule}: {text}")
