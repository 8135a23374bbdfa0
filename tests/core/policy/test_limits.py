"""How much at once: k of n with those that are ill, the fleet, and concurrency keys."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.alert import Severity
from agent.model.change import ChangeType
from agent.model.effect import PrepareRun
from agent.model.entry import ChangeRequested
from agent.model.remediation import Host, Remediation
from agent.model.service import ServiceMap
from tests.core.gate import answers, ask, rule
from tests.core.play import ALLOW, CONFIG, RESTART, RULE, Play, entity, ref, service_map

SIZE = 4


def farm(min_up: int | None = None, **kept: object) -> Play:
    """Four web servers that stand in for each other; anybody may restart them."""
    remediation = replace(RESTART, redundancy_share_max=1.0, **kept)  # type: ignore[arg-type]
    return Play(
        config=replace(
            CONFIG,
            service_map=_map(min_up),
            remediations={"restart-service": remediation},
            remediation_rules=(),
            policy=replace(ALLOW, rules=(rule(),), concurrency_max=100),
        )
    )


def _map(min_up: int | None) -> ServiceMap:
    return service_map(
        *(
            entity(
                f"web{number}",
                redundancy_group="web",
                host=Host(name=f"app{number}", address="127.0.0.1"),
                min_up=min_up if number == 1 else None,
                owner=f"group:default/team{number % 2}",
                part_of="system:default/shop" if number < 3 else None,
            )
            for number in range(1, SIZE + 1)
        )
    )


@pytest.mark.parametrize("min_up", range(1, SIZE + 1))
@pytest.mark.parametrize("ill", range(SIZE))
def test_never_fewer_healthy_ones_than_the_map_demands(min_up: int, ill: int) -> None:
    """Whoever asks, and however many are ill already: k of n, against counting by hand."""
    play = farm(min_up)
    for number in range(SIZE - ill + 1, SIZE + 1):
        play.fire("Slow", service=f"web{number}", severity=Severity.WARNING.value)
    for number in range(1, SIZE - ill + 1):
        ask(play, f"web{number}")
    begun = play.asked(PrepareRun)
    assert begun == max(0, SIZE - ill - min_up)
    assert all(
        answers(play, number)[:2] == ("deferred", "blast_radius")
        for number in range(begun + 1, SIZE - ill + 1)
    )


def test_a_person_may_have_repaired_what_is_down() -> None:
    """It takes nothing away; a degraded one does."""
    play = farm(4)
    play.fire("ServiceDown", service="web1")
    play.fire("Slow", service="web2", severity="warning")
    ask(play, "web1")
    ask(play, "web2")
    assert [answers(play, 1)[0], answers(play, 2)[0]] == ["allowed", "deferred"]


def test_a_rule_does_not_restart_a_group_that_is_said_to_be_down() -> None:
    """The monitoring may be what is broken: people look first."""
    play = farm(2)
    play.reload(remediation_rules=(RULE,))
    for number in range(1, SIZE + 1):
        play.fire("ServiceDown", service=f"web{number}", host=f"app{number}")
    # The first two died while enough others were up.
    assert [answers(play, number)[0] for number in range(1, SIZE + 1)] == [
        *("allowed", "allowed", "deferred", "deferred")
    ]


def test_the_fleet_is_begun_on_a_few_at_a_time() -> None:
    """So many targets within the time; then the next one goes on by itself."""
    play = farm(fleet_max=2, fleet_window=timedelta(minutes=30), verification=RESTART.verification)
    for number in range(1, 4):
        ask(play, f"web{number}")
    assert [answers(play, each)[0] for each in (1, 2, 3)] == ["allowed", "allowed", "deferred"]
    for _ in range(2):
        play.play()
        play.wait(60)
    assert answers(play, 3)[:2] == ("deferred", "blast_radius")
    play.wait(30 * 60)
    assert answers(play, 3)[0] == "allowed"


@pytest.mark.parametrize(
    ("keys", "first", "second", "waits"),
    [
        (("owner",), "web1", "web3", True),
        (("owner",), "web1", "web2", False),
        (("service",), "web1", "web2", True),
        (("service",), "web1", "web3", False),
        (("backup",), "web1", "web4", True),
        ((), "web1", "web3", False),
    ],
)
def test_no_two_share_a_key(keys: tuple[str, ...], first: str, second: str, *, waits: bool) -> None:
    """An owner, what it is part of, or a word of one's own."""
    play = farm(concurrency_keys=keys)
    ask(play, first)
    ask(play, second)
    assert answers(play, 2)[0] == ("deferred" if waits else "allowed")


def test_a_key_of_the_other_one_counts_too() -> None:
    """What must not run beside others of one owner keeps those away."""
    jealous = Remediation(
        name="jealous", title="Alone", digest="sha256:1", author="ann", concurrency_keys=("owner",)
    )
    play = farm()
    remediations = dict(play.state.config.remediations)
    play.reload(remediations={**remediations, "jealous": jealous})
    play.feed(
        ChangeRequested(
            remediation="jealous",
            entity=ref("web1"),
            parameters={},
            by="bob",
            type=ChangeType.NORMAL,
        )
    )
    ask(play, "web3")
    assert answers(play, 2)[:2] == ("deferred", "concurrency")
