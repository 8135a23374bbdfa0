"""What a seed stands for: the faults of its world, and what happens there when.

A plan is data, so that a failing one can be made smaller happening by happening.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random

from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.interval import Interval
from agent.sim.town import HOSTS, SERVICES, VARIANTS, ref_of

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LASTS = timedelta(hours=3)
"""How long the world deals faults; after that it heals."""
HORIZON = timedelta(days=30)
WINDOWED = tuple(ref_of(name) for name in ("queue", "db"))
"""On these a normal change needs a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely each fault of this world is, each time it could happen."""

    late: float = 0.0
    lost: float = 0.0
    twice: float = 0.0
    crash: float = 0.0
    tool_answer_lost: float = 0.0
    tool_lies: float = 0.0
    receiver_fails: float = 0.0
    metrics_stale: float = 0.0
    metrics_empty: float = 0.0
    run_fails: float = 0.0
    run_hangs: float = 0.0
    run_halves: float = 0.0
    run_is_vain: float = 0.0
    run_harms: float = 0.0
    disk_differs: float = 0.0
    disk_slow: float = 0.0


class Kind(StrEnum):
    """What can be planned."""

    BREAK = "break"
    SLOW = "slow"
    FLAP = "flap"
    FILL = "fill"
    RELOAD = "reload"
    CALENDARS = "calendars"
    TOOL_DOWN = "tool_down"
    WATCHDOG_DIES = "watchdog_dies"
    CRASH = "crash"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    UNRELATED = "unrelated"
    RESOLVE = "resolve"
    CONFIRM_CAUSE = "confirm_cause"
    REQUEST = "request"
    APPROVE = "approve"
    APPROVE_OTHERS_BINDING = "approve_others_binding"
    REJECT = "reject"
    CANCEL = "cancel"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    CLOSE_TICKET = "close_ticket"
    COMMENT_TICKET = "comment_ticket"
    DEPLOY = "deploy"
    JUDGE_SUSPECT = "judge_suspect"
    WORK_ON_PROBLEM = "work_on_problem"
    WITHDRAW = "withdraw"
    DELEGATE = "delegate"
    APPROVE_FOR = "approve_for"
    ANSWER = "answer"
    REVIEW = "review"
    RECONCILE = "reconcile"
    TAKE_UP = "take_up"
    PROMOTE = "promote"
    DEMOTE = "demote"
    STOP = "stop"
    RESUME = "resume"
    RESET_BREAKER = "reset_breaker"


WORLD_WEIGHTS = {
    Kind.BREAK: 16,
    Kind.SLOW: 4,
    Kind.FLAP: 3,
    Kind.FILL: 2,
    Kind.RELOAD: 2,
    Kind.CALENDARS: 2,
    Kind.TOOL_DOWN: 1,
    Kind.WATCHDOG_DIES: 1,
    Kind.CRASH: 1,
}
PEOPLE_WEIGHTS = {
    Kind.ACKNOWLEDGE: 3,
    Kind.ASSIGN: 1,
    Kind.COMMENT: 2,
    Kind.MERGE: 2,
    Kind.SPLIT: 2,
    Kind.MOVE: 2,
    Kind.UNRELATED: 2,
    Kind.RESOLVE: 2,
    Kind.CONFIRM_CAUSE: 1,
    Kind.REQUEST: 9,
    Kind.APPROVE: 6,
    Kind.APPROVE_OTHERS_BINDING: 2,
    Kind.REJECT: 1,
    Kind.CANCEL: 3,
    Kind.SILENCE: 3,
    Kind.UNSILENCE: 2,
    Kind.CLOSE_TICKET: 2,
    Kind.COMMENT_TICKET: 1,
}

BOARD_WEIGHTS = {
    Kind.WITHDRAW: 2,
    Kind.DELEGATE: 2,
    Kind.APPROVE_FOR: 4,
    Kind.ANSWER: 3,
    Kind.REVIEW: 3,
    Kind.RECONCILE: 2,
}
PROBLEM_WEIGHTS = {Kind.DEPLOY: 4, Kind.JUDGE_SUSPECT: 2, Kind.WORK_ON_PROBLEM: 4}
"""Drawn apart, so that a world without them is the world that it was."""
RULE_WEIGHTS = {
    Kind.TAKE_UP: 5,
    Kind.PROMOTE: 8,
    Kind.DEMOTE: 1,
    Kind.STOP: 1,
    Kind.RESUME: 2,
    Kind.RESET_BREAKER: 2,
}
DILIGENT = 0.5
"""How many worlds have approvers who look for work all the time, and how often they look."""
LOOKS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that is going to happen; `which` and `pick` say to whom, in the world's terms."""

    at: datetime
    kind: Kind
    which: str = ""
    pick: float = 0.0
    lasts: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that makes one world differ from another."""

    seed: int
    faults: Faults
    happenings: tuple[Happening, ...]
    calendars: tuple[Calendar, ...]


def plan_of(seed: int) -> Plan:
    """The plan that this seed stands for, always the same."""
    random = Random(f"plan {seed}")  # noqa: S311 - the point is to be repeatable
    return Plan(
        seed=seed,
        faults=_faults(random),
        happenings=tuple(
            sorted(
                [
                    *_happenings(random),
                    *_about_problems(seed),
                    *_about_rules(seed),
                    *_apart(f"board {seed}", BOARD_WEIGHTS, 24),
                ],
                key=lambda happening: happening.at,
            )
        ),
        calendars=calendars_of(random),
    )


def _faults(random: Random) -> Faults:
    """Swarm: each world is calm in most respects and hard in some."""
    hard = {
        part.name: random.choice((0.05, 0.2, 0.5))
        for part in fields(Faults)
        if random.random() < 0.3
    }
    if "crash" in hard:
        hard["crash"] = random.choice((0.002, 0.01, 0.04))
    if "disk_differs" in hard:
        hard["disk_differs"] = 0.1
    if "disk_slow" in hard:
        hard["disk_slow"] = random.choice((0.4, 0.8))
    return replace(Faults(), **hard)


def _happenings(random: Random) -> list[Happening]:
    count = random.randint(6, 22)
    kinds = [
        *random.choices(list(WORLD_WEIGHTS), list(WORLD_WEIGHTS.values()), k=count),
        *random.choices(
            list(PEOPLE_WEIGHTS), list(PEOPLE_WEIGHTS.values()), k=random.randint(0, 25)
        ),
    ]
    which = {
        Kind.BREAK: SERVICES,
        Kind.SLOW: SERVICES,
        Kind.FLAP: SERVICES,
        Kind.FILL: ("rack1", "rack2"),
        Kind.RELOAD: tuple(VARIANTS),
        Kind.REQUEST: tuple(HOSTS),
        Kind.SILENCE: SERVICES,
        Kind.CONFIRM_CAUSE: SERVICES,
    }
    if random.random() < DILIGENT:
        kinds += [Kind.APPROVE] * LOOKS
    return [
        Happening(
            at=START + random.random() * LASTS,
            kind=kind,
            which=random.choice(which[kind]) if kind in which else "",
            pick=random.random(),
            lasts=timedelta(
                seconds=int(random.choice((120, 600, 1800, 5400)) * random.random()) + 5
            ),
        )
        for kind in kinds
    ]


def _about_problems(seed: int) -> list[Happening]:
    return _apart(f"problems {seed}", PROBLEM_WEIGHTS, 14)


def _about_rules(seed: int) -> list[Happening]:
    return _apart(f"rules {seed}", RULE_WEIGHTS, 30)


def _apart(name: str, weights: Mapping[Kind, int], most: int) -> list[Happening]:
    random = Random(name)  # noqa: S311 - the point is to be repeatable
    kinds = random.choices(list(weights), list(weights.values()), k=random.randint(0, most))
    return [
        Happening(
            at=START + random.random() * LASTS,
            kind=kind,
            which=random.choice(SERVICES),
            pick=random.random(),
            lasts=timedelta(seconds=int(1800 * random.random())),
        )
        for kind in kinds
    ]


def calendars_of(random: Random) -> tuple[Calendar, ...]:
    """A year with a freeze now and then, windows for changes, and maintenance of the cache."""
    return (
        _calendar("year", CalendarPurpose.FREEZE, (), _windows(random, 0.6, 25)),
        _calendar("work", CalendarPurpose.PERMIT, WINDOWED, _windows(random, 0.9, 15)),
        _calendar("care", CalendarPurpose.MUTE, (ref_of("cache"),), _windows(random, 0.4, 30)),
    )


def _calendar(
    name: str,
    purpose: CalendarPurpose,
    entities: tuple[str, ...],
    spans: tuple[Interval, ...],
) -> Calendar:
    windows = (
        CalendarWindow(
            interval=span, summary="window", purposes=(purpose,), entities=entities, who="sim"
        )
        for span in spans
    )
    return Calendar(
        name=name,
        permits=(entities,) if purpose is CalendarPurpose.PERMIT else (),
        windows=tuple(windows),
        horizon=Interval(START - timedelta(days=1), START + HORIZON),
    )


def _windows(random: Random, likely: float, minutes: int) -> tuple[Interval, ...]:
    """Windows on full minutes, so that what happens on a border is met."""
    if random.random() > likely:
        return ()
    found: list[Interval] = []
    for _ in range(random.randint(1, 5)):
        start = START + timedelta(minutes=random.randrange(0, 180))
        end = start + timedelta(minutes=random.randint(3, minutes))
        found.append(Interval(start, end))
    return tuple(sorted(found))
