"""Changes as they come to the gate, in all kinds of circumstances."""

from dataclasses import replace
from datetime import datetime, timedelta

from agent.model.autonomy import DEFAULT_LIMITS
from agent.model.calendar import CalendarPurpose
from agent.model.change import ChangeType
from agent.model.entry import ChangeRequested
from agent.model.policy import PolicyRule, Verdict
from agent.model.remediation import Outcome
from agent.model.service import ServiceMap
from agent.model.transition import Transition
from tests.core.play import ALLOW, CONFIG, RESTART, RULE, SHOP, START, Play, calendar, minutes, ref

HOUR = timedelta(hours=1)
LONGER_THAN_A_LOOP = DEFAULT_LIMITS.loop_within.total_seconds() + 60
FREEZE, PERMIT = CalendarPurpose.FREEZE, CalendarPurpose.PERMIT
TARGETS = {"web1": "app1", "web2": "app2", "db": "app3"}


def ruled(*rules: PolicyRule, **changes: object) -> Play:
    """A play under a policy of these rules."""
    return Play(config=replace(CONFIG, policy=replace(ALLOW, rules=rules, **changes)))  # type: ignore[arg-type]


def rule(when: str = "true", verdict: Verdict = Verdict.ALLOWED, **more: object) -> PolicyRule:
    """A rule of policy."""
    return PolicyRule(name="it", when=when, verdict=verdict, **more)  # type: ignore[arg-type]


def down(play: Play, service: str = "web1") -> Play:
    """A service dies, and the rule asks for its restart."""
    play.fire("ServiceDown", service=service, host=TARGETS[service])
    return play


def ask(
    play: Play,
    service: str = "web1",
    type: ChangeType | None = None,
    *,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> Transition:
    """A person asks for a restart."""
    return play.feed(
        ChangeRequested(
            remediation="restart-service",
            entity=ref(service),
            parameters={"service": service},
            by="bob",
            type=type,
            not_before=not_before,
            not_after=not_after,
            incident=next(iter(play.state.incidents), None),
        )
    )


def answers(play: Play, number: int = 1) -> tuple[str, str, str]:
    """What policy said last of a change, and what became of it."""
    change = play.change(number)
    assert change.decision is not None
    return change.decision.verdict, change.decision.reason, change.closure or change.state


def unanswered() -> Play:
    """A second emergency of one who owes an answer for the first since yesterday."""
    play = ruled(rule())
    play.fire("Slow", service="web1")
    ask(play, "db", ChangeType.EMERGENCY)
    play.play()
    play.wait(25 * 3600)
    ask(play, "web1", ChangeType.EMERGENCY)
    return play


def frozen(*, type: ChangeType | None = None) -> Play:
    """A request in a freeze that lasts an hour."""
    play = Play()
    play.calendars(calendar("yule", (START, START + HOUR), purpose=FREEZE))
    ask(play, type=type)
    return play


def in_windows(*windows: tuple[int, int], required: bool = True) -> Play:
    """A normal change under a policy that allows it in windows, given in minutes."""
    play = ruled(rule(), windows_required=required)
    if windows:
        spans = ((START + minutes(a), START + minutes(b)) for a, b in windows)
        play.calendars(calendar("nightly", *spans, purpose=PERMIT))
    ask(play, type=ChangeType.NORMAL)
    return play


def failing(times: int, **changes: object) -> Play:
    """A restart that did not help so many times, asked for by the rule again and again."""
    remediation = replace(RESTART, has_rollback=False, **changes)  # type: ignore[arg-type]
    play = Play(config=replace(CONFIG, remediations={"restart-service": remediation}))
    down(play)
    for _ in range(times):
        play.play(Outcome.FAILED)
        play.trust()
        play.wait(60)
    return play


def broken() -> Play:
    """After two failures the breaker is open, and it fires again."""
    play = failing(2)
    play.fire("ServiceDown", service="web1", host="app1", again="1")
    return play


def exhausted() -> Play:
    """It helped each time, but not for long."""
    play = Play()
    for number in range(3):
        said = play.fire("ServiceDown", service="web1", host="app1")
        if number < 2:
            play.play()
            play.resolve(said)
            play.wait(LONGER_THAN_A_LOOP)
    return play


def tired() -> Play:
    """Enough was started on it, whatever it was."""
    play = Play(config=replace(CONFIG, autonomy=replace(DEFAULT_LIMITS, starts=1)))
    said = down(play).state.alerts
    (first,) = [active.alert for active in said.values()]
    play.play()
    play.resolve(first)
    play.wait(LONGER_THAN_A_LOOP)
    return down(play)


def cooling() -> Play:
    """It ran here a short while ago."""
    play = Play()
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.play()
    play.resolve(said)
    play.wait(10)
    return down(play)


def moved() -> ServiceMap:
    """The map of the shop after its databases were taken to another machine."""
    entities = dict(SHOP.entities)
    for name, item in entities.items():
        if item.host is not None:
            entities[name] = replace(item, host=replace(item.host, address="10.9.9.9"))
    return ServiceMap.of(entities)


def reloaded(**changes: object) -> Play:
    """A change that waits for its freeze to end, and meets another rule set."""
    play = frozen(type=ChangeType.STANDARD)
    play.reload(**changes)
    return play


def gone_meanwhile() -> Play:
    """The alert clears while its change waits for approval; the gate is asked again."""
    play = Play(
        config=replace(CONFIG, remediation_rules=(replace(RULE, change=ChangeType.NORMAL),))
    )
    said = play.fire("ServiceDown", service="web1", host="app1")
    play.resolve(said)
    play.reload()
    return play


def later(after: timedelta) -> Play:
    """A person asks for a restart that shall be done later."""
    play = Play()
    ask(play, not_before=START + after)
    return play


def missed() -> Play:
    """Nobody approves what was asked for until half an hour from now."""
    play = ruled(rule(verdict=Verdict.NEEDS_APPROVAL, roles=("approver",)))
    ask(play, not_after=START + minutes(30))
    play.wait(1800)
    return play


def crowded() -> Play:
    """Another change is under way, and one at a time is what policy says."""
    play = ruled(rule(), concurrency_max=1)
    ask(play, "db")
    ask(play, "web1")
    return play


def halved() -> Play:
    """One of two that stand in for each other is being restarted, and now the other."""
    play = Play()
    down(play, "web1")
    ask(play, "web2", ChangeType.STANDARD)
    return play


def below_a_change() -> Play:
    """The database is being restarted, and a service that rests on it dies."""
    play = Play()
    ask(play, "db", ChangeType.STANDARD)
    return down(play, "web1")


def promised(service: str = "web1", objective: float = 99.9, **more: object) -> Play:
    """A play in which a service has an objective, and rules ask for nothing."""
    entities = dict(SHOP.entities)
    entity = replace(entities[ref(service)], objective=objective, **more)  # type: ignore[arg-type]
    entities[ref(service)] = entity
    service_map = ServiceMap.of(entities)
    policy = replace(ALLOW, rules=(rule(),))
    return Play(
        config=replace(CONFIG, service_map=service_map, remediation_rules=(), policy=policy)
    )


def overspent() -> Play:
    """A service was down for longer than its objective allows, and somebody asks for a change."""
    play = down(promised())
    play.wait(2 * HOUR.total_seconds())
    ask(play, "web1", ChangeType.NORMAL)
    return play
