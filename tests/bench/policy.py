"""`make bench-policy`: what a decision of policy costs with 500 rules, beside one rule.

Ratios in one run: machines differ, ratios should not. Measured is the whole judgement: risk,
conflicts, facts, rules and all checks, on a map of 50,000 entities with 20 changes under way.
Processor time, so that what else the machine does is not in it.
"""

import gc
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import process_time

from agent.core.conditions import Scope, compile_condition
from agent.core.policy.assessment import assess
from agent.core.policy.judge import judge
from agent.core.state import State
from agent.core.step import step
from agent.model.change import Change, ChangeState, ChangeType
from agent.model.entry import ConfigLoaded, Entry
from agent.model.policy import Policy, PolicyRule, Verdict
from agent.model.remediation import Host, Remediation
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind, ServiceMap

START = datetime(2026, 1, 1, tzinfo=UTC)
ENTITIES = 50_000
UNDER_WAY = 20
RULES = 500
ROUNDS = 2_000
P99_S_MAX = 0.002


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for one decision."""

    median_s: float
    p99_s: float

    def __str__(self) -> str:
        return f"{self.median_s * 1e6:7.0f} us median, {self.p99_s * 1e6:7.0f} us p99"


def main() -> int:
    """Print the costs; 1 where the limit is missed."""
    named = tuple(_rule(f'change.remediation == "other-{n}" && {_HARD}', n) for n in range(RULES))
    free = tuple(_rule(f'"kind-{n}" in change.conflicts', n) for n in range(RULES))
    one = measure(())
    first = measure((), targets=ROUNDS)
    many, worst = measure(named), measure(free)
    print(f"1 rule (baseline):                       {one}")
    print(f"1 rule, a target never asked about:      {first}, {_times(first, one)}")
    print(f"{RULES} rules, each for one remediation:     {many}, {_times(many, one)}")
    print(f"{RULES} rules, each evaluated to the end:    {worst}, {_times(worst, one)}")
    print(f"one condition alone:                     {_condition_us():.2f} us")
    print(f"limit: p99 under {P99_S_MAX * 1e3:g} ms, of rules that begin with plain comparisons")
    return int(max(first.p99_s, many.p99_s) > P99_S_MAX)


_HARD = 'change.type == "normal" && !(change.risk_score < 10)'


def _rule(when: str, number: int) -> PolicyRule:
    return PolicyRule(name=f"rule-{number}", when=when, verdict=Verdict.REFUSED)


def measure(rules: tuple[PolicyRule, ...], targets: int = 50) -> Cost:
    """What a decision costs where these rules do not hold and one below them does.

    With fewer targets than rounds the walks of the map are made before: they are remembered.
    """
    state, change = _world((*rules, PolicyRule(name="all", when="true", verdict=Verdict.ALLOWED)))
    wanted = [f"component:default/e{number * 37 % ENTITIES}" for number in range(targets)]
    if targets < ROUNDS:
        for entity in wanted:
            judge(state, replace(change, entity=entity), START)
    taken: list[float] = []
    gc.collect()
    gc.disable()
    for number in range(ROUNDS):
        target = replace(change, entity=wanted[number % targets])
        began = process_time()
        judge(state, target, START)
        taken.append(process_time() - began)
    gc.enable()
    taken.sort()
    return Cost(taken[ROUNDS // 2], taken[ROUNDS * 99 // 100])


def _world(rules: tuple[PolicyRule, ...]) -> tuple[State, Change]:
    remediation = Remediation(name="restart", title="Restart", digest="d", author="ann")
    entities = {}
    for number in range(ENTITIES):
        ref = f"component:default/e{number}"
        below = (f"component:default/e{number // 3}",) if number else ()
        entities[ref] = Entity(
            ref=ref,
            kind=EntityKind.COMPONENT,
            name=f"e{number}",
            depends_on=below,
            tier=1 + number % 5,
            host=_HOST,
            redundancy_group=f"g{number // 3}",
        )
    config = Config(
        digest="bench",
        service_map=ServiceMap.of(entities),
        remediations={"restart": remediation},
        policy=Policy(rules=rules, digest="p", concurrency_max=1000),
    )
    state = State.empty()
    step(state, Entry(1, START, ConfigLoaded(config=config)))
    change = Change(
        id="CHG-0",
        state=ChangeState.DRAFT,
        type=ChangeType.NORMAL,
        title="",
        remediation="restart",
        digest="d",
        entity="component:default/e0",
        hosts=(_HOST,),
        parameters={},
        requested_by="person:bob",
        rule_author=None,
        requested_at=START - timedelta(minutes=1),
        binding="",
    )
    for number in range(1, UNDER_WAY + 1):
        other = replace(
            change,
            id=f"CHG-{number}",
            state=ChangeState.RUNNING,
            entity=f"component:default/e{number * 2000}",
            hosts=(Host(name=f"h{number}", address="127.0.0.1"),),
        )
        state.changes[other.id] = other
    return state, change


_HOST = Host(name="h0", address="127.0.0.1")


def _condition_us() -> float:
    """Microseconds for evaluating one condition whose facts are prepared."""
    state, change = _world((PolicyRule(name="all", when="true", verdict=Verdict.ALLOWED),))
    known = assess(state, change, START).facts
    condition = compile_condition('"kind-1" in change.conflicts', Scope.POLICY)
    began = process_time()
    for _ in range(ROUNDS * 10):
        condition.holds(known)
    return (process_time() - began) / (ROUNDS * 10) * 1e6


def _times(cost: Cost, one: Cost) -> str:
    return f"{cost.median_s / one.median_s:.1f} times"


if __name__ == "__main__":
    sys.exit(main())
