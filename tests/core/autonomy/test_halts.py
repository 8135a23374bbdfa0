"""Automation that goes in circles, fails everywhere or wants too much at once is stopped."""

from dataclasses import replace
from datetime import timedelta

from agent.core.autonomy.halts import open_breakers
from agent.model.autonomy import DEFAULT_LIMITS, CaseOutcome, Mode
from agent.model.autonomy_entries import BreakerReset
from agent.model.change import ChangeType
from agent.model.effect import PrepareRun
from agent.model.reason import Reason
from agent.model.remediation import Host, Outcome
from agent.model.rule import Config
from tests.core.autonomy.test_modes import NAME, T, mode, outcomes
from tests.core.gate import ask
from tests.core.play import CONFIG, RESTART, Play, entity, ref, service_map

OFTEN = replace(RESTART, attempts_max=9, cooldown=timedelta(seconds=1), has_rollback=False)


def mended(play: Play, service: str) -> None:
    """A service dies, its restart is verified, and all is well for a while."""
    said = play.fire("ServiceDown", service=service)
    play.play()
    play.resolve(said)
    play.wait(60)


def shop(**changes: object) -> Config:
    """A shop whose restarts may be tried often."""
    return replace(CONFIG, remediations={OFTEN.name: OFTEN}, **changes)  # type: ignore[arg-type]


def farm(number: int, **limits: object) -> Config:
    """So many services that know nothing of each other."""
    names = [f"s{each}" for each in range(number)]
    parts = (entity(name, host=Host(name=name, address="127.0.0.1")) for name in names)
    spared = replace(DEFAULT_LIMITS, **limits)  # type: ignore[arg-type]
    assert CONFIG.policy is not None
    policy = replace(CONFIG.policy, concurrency_max=1000)
    return replace(shop(autonomy=spared, policy=policy), service_map=service_map(*parts))


def test_a_remediation_that_leads_to_its_own_alert_is_stopped() -> None:
    """Verified twice, back twice: the third does not start, a person has a problem."""
    play = Play(config=shop())
    mended(play, "web1")
    mended(play, "web1")
    play.fire("ServiceDown", service="web1")
    assert play.asked(PrepareRun) == 0
    key = f"{ref('web1')}|restart-service"
    assert [name for name, _, _ in open_breakers(play.state)] == [key]
    assert [each.reason for each in play.state.problems.values()] == [Reason.LOOP_FOUND]
    assert play.said("INC-1", "loop_found") == [
        "restart-service was verified 2 times and its alert came back each time (CHG-1, CHG-2); "
        "automation stops here, PRB-1 is for a person"
    ]
    assert (mode(play), outcomes(play)) == (Mode.SUGGEST, [CaseOutcome.HARMFUL] * 2)


def test_what_comes_back_long_after_is_no_loop() -> None:
    """Something else broke it."""
    play = Play(config=shop())
    for _ in range(3):
        mended(play, "web1")
        play.wait(DEFAULT_LIMITS.loop_within.total_seconds())
    assert (open_breakers(play.state), mode(play)) == ((), Mode.AUTO)


def test_two_that_undo_each_other_are_stopped() -> None:
    """A on one, B on its neighbour, A again: the second B does not start, and neither does A."""
    play = Play(config=shop(autonomy=replace(DEFAULT_LIMITS, loop_within=timedelta(0))))
    for service in ("web1", "db", "web1"):
        mended(play, service)
    play.fire("ServiceDown", service="db")
    assert play.asked(PrepareRun) == 0
    assert [name for name, _, _ in open_breakers(play.state)] == [
        f"{ref('db')}|restart-service",
        f"{ref('web1')}|restart-service",
    ]
    (problem,) = play.state.problems.values()
    assert (problem.reason, mode(play)) == (Reason.LOOP_FOUND, Mode.SUGGEST)


def test_two_far_from_each_other_only_happen_to_alternate() -> None:
    """Nothing that runs on one can undo what ran on the other."""
    play = Play(config=farm(2, loop_within=timedelta(0)))
    for service in ("s0", "s1", "s0", "s1"):
        mended(play, service)
    assert (len(play.state.changes), play.state.problems) == (4, {})


def test_a_circle_of_three_is_found() -> None:
    """web1, web2, db, and round again."""
    play = Play(config=shop(autonomy=replace(DEFAULT_LIMITS, loop_within=timedelta(0))))
    for service in ("web1", "web2", "db", "web1", "web2"):
        mended(play, service)
    play.fire("ServiceDown", service="db")
    assert (play.asked(PrepareRun), len(open_breakers(play.state))) == (0, 3)


def test_a_person_may_still_ask_and_is_told_that_automation_stopped() -> None:
    """The change says so; policy decides."""
    play = Play(config=shop())
    for _ in range(2):
        mended(play, "web1")
    play.fire("ServiceDown", service="web1")
    ask(play, type=ChangeType.STANDARD)
    assert play.said("CHG-3", "breaker_open")[0].startswith("automation stopped here: restart-serv")
    assert play.asked(PrepareRun) == 1


def test_a_breaker_is_reset_by_a_person_with_a_role() -> None:
    """Attempts are counted anew; what is not open cannot be reset."""
    play = Play(config=shop())
    for _ in range(2):
        mended(play, "web1")
    said = play.fire("ServiceDown", service="web1")
    key = f"{ref('web1')}|restart-service"
    refusal = play.feed(BreakerReset(breaker=key, by="bob", roles=("viewer",))).refusal
    assert refusal is not None
    assert refusal.reason is Reason.ROLE_MISSING
    play.feed(BreakerReset(breaker=key, by="bob", roles=("sre",)))
    refusal = play.feed(BreakerReset(breaker=key, by="bob", roles=("sre",))).refusal
    assert refusal is not None
    assert refusal.reason is Reason.NOT_FOUND
    play.resolve(said)
    play.trust()
    play.wait(60)
    mended(play, "web1")
    assert play.change(3).closure == "success"


def test_a_rule_that_wants_to_act_everywhere_pauses_and_asks() -> None:
    """What waits becomes a proposal; after the reset it may act again."""
    play = Play(config=farm(5, bulk_targets=3))
    for number in range(5):
        play.fire("ServiceDown", service=f"s{number}")
    play.wait(1)
    assert mode(play) is Mode.SUGGEST
    assert [name for name, _, _ in open_breakers(play.state)] == [f"rule:{NAME}"]
    proposed = [each for one in play.state.incidents.values() for each in one.proposals]
    assert [each.entity for each in proposed] == [ref("s3"), ref("s4")]
    assert len(play.state.problems) == 1
    play.feed(BreakerReset(breaker=f"rule:{NAME}", by="eve", roles=("approver",)))
    assert mode(play) is Mode.AUTO


def test_the_same_target_again_and_again_is_no_bulk() -> None:
    """Nor are many of them, one long after the other."""
    play = Play(config=farm(5, bulk_targets=3))
    for number in range(5):
        play.fire("ServiceDown", service=f"s{number}")
        play.wait(DEFAULT_LIMITS.bulk_within.total_seconds() / 2)
    assert mode(play) is Mode.AUTO


def test_a_rule_that_fails_on_many_targets_is_stopped_everywhere() -> None:
    """A person signed it back each time; the third failure in a row is enough."""
    play = Play(config=farm(4))
    for number in range(3):
        play.fire("ServiceDown", service=f"s{number}")
        play.play(Outcome.FAILED)
        play.trust()
    assert [name for name, _, _ in open_breakers(play.state)] == [f"rule:{NAME}"]
    play.fire("ServiceDown", service="s3")
    assert play.asked(PrepareRun) == 0


def test_a_success_between_them_is_no_row() -> None:
    """It helps here and there."""
    play = Play(config=farm(4))
    for number in range(2):
        play.fire("ServiceDown", service=f"s{number}")
        play.play(Outcome.FAILED)
        play.trust()
    mended(play, "s2")
    play.wait(T)
    play.fire("ServiceDown", service="s3")
    play.play(Outcome.FAILED)
    assert open_breakers(play.state) == ()
