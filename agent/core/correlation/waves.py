"""A new fault inside an open incident: known by the rate at which its series fire again.

A cumulative sum (Page: Continuous inspection schemes, 1954) of the evidence that series fire again
faster than they used to. One flapping series proves nothing, and neither does a burst of new ones:
polling makes those. Above `SPLIT_AT` everything since the evidence was last nothing goes on in an
incident of its own, moved back to the lull before it where there was one.
"""

from bisect import bisect_left
from datetime import datetime, timedelta
from math import exp, log

from agent.core.belonging import Wave
from agent.core.correlation import corrected
from agent.core.correlation.transfer import open_from
from agent.core.draft import Draft
from agent.core.state import Members, State

RATE_WINDOW = timedelta(seconds=120)
RATE_LEFT_OUT = timedelta(seconds=5)
"""What fires again right now is what is judged, not what it is judged by."""
AGE_MIN_S, AGE_MAX_S = 10.0, 120.0
RATE_MIN = 0.2
"""A new fault makes series fire again at least this often a second..."""
RATE_FACTOR = 3.0
"""...and this many times as often as before."""
AGAIN_MAX = 3.0
"""One alert is no more evidence than this."""
OTHER_COST = 0.3
SILENCE_COST, SILENCE_MAX, SILENCE_S = 0.5, 2.0, 5.0
FADES_S = 20.0
SPLIT_AT = 10.0
LULL = timedelta(seconds=20)
LULL_WITHIN = timedelta(seconds=30)
ARRIVALS_MAX = 4096
ROOM = 128
REFIRES_MAX = 1024


def hear(
    state: State,
    draft: Draft,
    identifier: str,
    series: str,
    *,
    at: datetime,
    before: datetime,
    is_again: bool,
) -> None:
    """An alert joined the incident, the one before it at `before`: is this a fault of its own?"""
    members = state.members[identifier]
    wave = members.wave
    wave.arrivals.append((at, series))
    if is_again or wave.evidence:
        _weigh(members, series, at, max(0.0, (at - before).total_seconds()), is_again=is_again)
        if wave.evidence > SPLIT_AT:
            _split(state, draft, identifier)
            return
    if len(wave.arrivals) >= wave.room:
        _forget(wave, at)


def _weigh(members: Members, series: str, at: datetime, gap_s: float, *, is_again: bool) -> None:
    wave = members.wave
    old = at - RATE_WINDOW
    again = bisect_left(wave.refired_at, at - RATE_LEFT_OUT) - bisect_left(wave.refired_at, old)
    age = min(max((at - members.first_alert_at).total_seconds(), AGE_MIN_S), AGE_MAX_S)
    usual = (max(0, again) + 1) / age
    fresh = max(RATE_MIN, RATE_FACTOR * usual)
    evidence = -OTHER_COST
    if is_again:
        times = wave.refired[series] = wave.refired.get(series, 0) + 1
        evidence = min(AGAIN_MAX, log(fresh / usual) / times)
        _remember(wave, at)
    evidence -= SILENCE_COST * min(SILENCE_MAX, (fresh - usual) * min(gap_s, SILENCE_S))
    wave.evidence = max(0.0, wave.evidence * exp(-gap_s / FADES_S) + evidence)
    if not wave.evidence:
        wave.since = None
    elif wave.since is None:
        wave.since = at


def _remember(wave: Wave, at: datetime) -> None:
    times = wave.refired_at
    if times and at < times[-1]:
        at = times[-1]
    times.append(at)
    if len(times) > REFIRES_MAX or times[0] < at - 4 * RATE_WINDOW:
        del times[: max(bisect_left(times, at - RATE_WINDOW), len(times) - REFIRES_MAX // 2)]


def _split(state: State, draft: Draft, identifier: str) -> None:
    members = state.members[identifier]
    wave, since = members.wave, _boundary(members.wave)
    late = dict.fromkeys(
        series
        for at, series in wave.arrivals
        if at >= since and corrected.may_leave(state, identifier, series)
    )
    new = open_from(state, draft, late, source=identifier, text="what fired before fires anew")
    members.wave = Wave(
        arrivals=[arrival for arrival in wave.arrivals if arrival[0] < since],
        refired=wave.refired,
    )
    if new is None:
        return
    for series in late:
        if series not in wave.refired:
            members.series.pop(series, None)
    members.last_alert_at = max((at for at, _ in members.wave.arrivals), default=since)
    fresh = state.members[new]
    fresh.after = identifier
    fresh.wave.arrivals = [arrival for arrival in wave.arrivals if arrival[0] >= since]


def _boundary(wave: Wave) -> datetime:
    """Since when the new fault shows: the end of the last lull, if there was one just before."""
    assert wave.since is not None, "evidence has a beginning"
    since, earlier = wave.since, [at for at, _ in wave.arrivals if at < wave.since]
    following = since
    for at in reversed(earlier):
        if following < since - LULL_WITHIN:
            break
        if following - at >= LULL:
            return following
        following = min(following, at)
    return since


def _forget(wave: Wave, at: datetime) -> None:
    """Keep what a split might still have to move, and the moment before."""
    oldest = min(at, wave.since or at) - LULL_WITHIN - LULL
    kept = [arrival for arrival in wave.arrivals if arrival[0] >= oldest]
    wave.arrivals = kept[-ARRIVALS_MAX // 2 :]
    wave.room = 2 * len(wave.arrivals) + ROOM
