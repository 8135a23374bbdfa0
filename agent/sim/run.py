"""Worlds by the number: one seed, or many in a few processes, and what was found."""

import multiprocessing
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from agent.model.entry import Entry
from agent.sim.check_alerts import AlertsAgree, EveryAlertHasItsPlace, SilencesHold
from agent.sim.check_autonomy import ModesHold, StopsHold, TargetsAreSpared
from agent.sim.check_gate import GroupsStayUp, NothingRunsInTheWay, TemplatesHold
from agent.sim.check_incidents import ClocksSpeakOnce, IncidentsAreOne, RefusalsLeaveNoTrace
from agent.sim.check_people import EmergenciesAreAnsweredFor, FourEyesLook, MovesAreLegal
from agent.sim.check_policy import RunsAreAuthorised, RunsKeepToTheirTime
from agent.sim.check_problems import ProblemsAreMovedByPeople, SuspectsCameBefore
from agent.sim.check_rest import (
    LedgerIsTrue,
    OneTicketAnIncident,
    QuietIsReached,
    TimersAreSetOnce,
)
from agent.sim.check_runs import AttemptsAreLimited, FleetIsSpared, StartedOnce, VerifiedByFreshData
from agent.sim.checkers import Checker, Checks, Violation, ViolationFound
from agent.sim.plan import Plan, plan_of
from agent.sim.watch import COPIES, Codec
from agent.sim.world import World

SEEDS_A_CHUNK = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one world led to."""

    seed: int
    entries: int
    elapsed_s: float
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        found = "\n".join(f"  {violation}" for violation in self.violations)
        line = f"seed {self.seed}: {self.entries} entries in {self.elapsed_s:.2f} s"
        if not found:
            return f"{line}, every promise held"
        return f"{line}\n{found}\n  again: watchkeeper sim --seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A world that was lived through: its plan, its journal, and what did not hold in it."""

    plan: Plan
    journal: tuple[Entry, ...]
    violations: tuple[Violation, ...]


def simulate(seed: int, codec: Codec = COPIES) -> Report:
    """Live through the world of one seed, up to the first promise that does not hold."""
    began = time.perf_counter()
    lived = live_through(plan_of(seed), codec)
    return Report(
        seed=seed,
        entries=len(lived.journal),
        elapsed_s=time.perf_counter() - began,
        violations=lived.violations,
    )


def live_through(plan: Plan, codec: Codec = COPIES) -> Lived:
    """Live through one plan, up to the first promise that does not hold."""
    checkers: list[Checker] = [
        AlertsAgree(),
        EveryAlertHasItsPlace(),
        SilencesHold(),
        IncidentsAreOne(),
        RefusalsLeaveNoTrace(),
        ClocksSpeakOnce(),
        StartedOnce(),
        FleetIsSpared(),
        AttemptsAreLimited(),
        ModesHold(),
        StopsHold(),
        TargetsAreSpared(),
        VerifiedByFreshData(),
        FourEyesLook(),
        EmergenciesAreAnsweredFor(),
        MovesAreLegal(),
        RunsAreAuthorised(),
        GroupsStayUp(),
        NothingRunsInTheWay(),
        TemplatesHold(),
        RunsKeepToTheirTime(),
        TimersAreSetOnce(),
        ProblemsAreMovedByPeople(),
        SuspectsCameBefore(),
    ]
    checks = Checks(checkers)
    world = World(plan, checks, codec)
    checks.add(OneTicketAnIncident(world.desk.tickets))
    checks.add(LedgerIsTrue(world.sender.truth))
    checks.add(QuietIsReached())
    violations: tuple[Violation, ...] = ()
    try:
        world.live()
        world.heal()
        world.watch.replay()
        checks.at_rest(world.watch.state)
    except ViolationFound as found:
        violations = (found.violation,)
    except (AssertionError, LookupError, ValueError, TypeError, AttributeError) as error:
        # The core broke down on what it was given: as bad as a broken promise.
        violations = (checks.broken_down(error),)
    return Lived(plan=plan, journal=tuple(world.watch.journal), violations=violations)


def run_many(seeds: Iterable[int], *, processes: int = 1) -> list[Report]:
    """Live through many worlds, in as many processes."""
    wanted = list(seeds)
    if processes <= 1:
        return [simulate(seed) for seed in wanted]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(simulate, wanted, chunksize=SEEDS_A_CHUNK))
