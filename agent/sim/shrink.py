"""Makes a failing world small: fewer happenings, fewer faults, the same broken promise.

What is left can be read, and is written as a scenario of what the agent was told.
"""

import json
from dataclasses import fields, replace
from datetime import timedelta

from agent.config.durations import format_duration
from agent.core.state import State
from agent.core.step import step
from agent.model.change_entries import ApprovalGiven, ApprovalRejected
from agent.model.entry import AlertsReceived, Entry, RunFinished, SilenceAdded
from agent.sim.plan import START, Happening, Plan, plan_of
from agent.sim.run import Lived, live_through

TRIALS_MAX = 200
"""Worlds that may be lived through to make one smaller."""


def shrink(seed: int) -> Lived:
    """The smallest world found in which the promise that this seed breaks is broken still."""
    lived = live_through(plan_of(seed))
    if not lived.violations:
        return lived
    search = _Search(lived)
    search.drop_happenings()
    search.calm()
    return search.best


def scenario_of(lived: Lived) -> str:
    """What the agent was told in this world, as a scenario file to be played and finished."""
    lines = [line for entry, line in _lines(lived.journal) if line]
    last = lived.journal[-1].at if lived.journal else START
    end = _after(last - START)
    return "\n".join(
        [
            *(f"# {violation}" for violation in lived.violations),
            f"# again: watchkeeper sim --seed {lived.plan.seed}",
            "apiVersion: watchkeeper.io/v1",
            "kind: Scenario",
            f"metadata: {{name: seed-{lived.plan.seed}}}",
            "spec:",
            f"  about: what is left of the world of seed {lived.plan.seed}",
            f"  start: {START.isoformat()}",
            "  timeline:",
            *(f"    - {line}" for line in lines or [json.dumps({"at": end})]),
            "  expect:",
            f"    - {json.dumps({'at': end, 'incident': {}})}",
            "",
        ]
    )


class _Search:
    def __init__(self, lived: Lived) -> None:
        self.best = lived
        self._broken = lived.violations[0].checker
        self._trials = 0

    def drop_happenings(self) -> None:
        """Leave out halves, quarters and so on, as long as that still fails."""
        size = max(1, len(self.best.plan.happenings) // 2)
        while size:
            start = 0
            while start < len(self.best.plan.happenings):
                kept = self.best.plan.happenings
                if not self._try(happenings=(*kept[:start], *kept[start + size :])):
                    start += size
            size //= 2

    def calm(self) -> None:
        """Switch chance faults off one by one."""
        for part in fields(self.best.plan.faults):
            faults = self.best.plan.faults
            if getattr(faults, part.name):
                self._live(replace(self.best.plan, faults=replace(faults, **{part.name: 0.0})))

    def _try(self, happenings: tuple[Happening, ...]) -> bool:
        return self._live(replace(self.best.plan, happenings=happenings))

    def _live(self, plan: Plan) -> bool:
        self._trials += 1
        if self._trials > TRIALS_MAX:
            return False
        lived = live_through(plan)
        is_same = any(violation.checker == self._broken for violation in lived.violations)
        if is_same:
            self.best = lived
        return is_same


def _lines(journal: tuple[Entry, ...]) -> list[tuple[Entry, str]]:
    state = State.empty()
    found: list[tuple[Entry, str]] = []
    for entry in journal:
        at = _after(entry.at - START)
        found += [(entry, json.dumps({"at": at, **what})) for what in _what(state, entry)]
        if entry is not journal[-1]:
            # The last one may be what the core could not bear.
            step(state, entry)
    return found


def _what(state: State, entry: Entry) -> list[dict[str, object]]:
    what = entry.what
    if isinstance(what, AlertsReceived):
        return [
            {"resolve" if alert.ends_at else "fire": dict(alert.labels)}
            for alert in what.alerts
            if (alert.fingerprint in state.alerts) == (alert.ends_at is not None)
        ]
    if isinstance(what, RunFinished) and what.run in state.runs:
        remediation = state.changes[state.runs[what.run].change].remediation
        return [{"runFinishes": {"remediation": remediation, "outcome": what.result.outcome}}]
    if isinstance(what, ApprovalGiven | ApprovalRejected) and what.change in state.changes:
        word = "approve" if isinstance(what, ApprovalGiven) else "reject"
        person = {"by": what.by, "roles": list(what.roles)}
        return [{word: {"remediation": state.changes[what.change].remediation, **person}}]
    if isinstance(what, SilenceAdded):
        labels = {matcher.name: matcher.value for matcher in what.silence.matchers}
        length = what.silence.ends_at - what.silence.starts_at
        return [{"silence": {"labels": labels, "for": _after(length)}}]
    return []


def _after(length: timedelta) -> str:
    return format_duration(timedelta(milliseconds=length // timedelta(milliseconds=1)))
