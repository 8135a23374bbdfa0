"""What a real Alertmanager mutes is what we mute: silences and inhibition over drawn label sets."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import aiohttp
import pytest

from agent.model.entry import SilenceAdded
from agent.model.labels import Labels, Matcher, MatchOperator
from agent.model.rule import InhibitRule
from agent.model.silence import Silence
from deploy.demo.monitoring import Alertmanager, why_no_alertmanager
from tests.core.play import CONFIG, START, Play, alert

NAMES = ("service", "cluster", "severity", "zone")
VALUES = ("a", "ab", "b")
PATTERNS = ("a", "a|b", "b.*", ".*", ".+", "", "ab?", "(a|b)b")
OPERATORS = tuple(MatchOperator)
AGREES_S_MAX = 10.0

Muted = dict[tuple[tuple[str, str], ...], tuple[bool, tuple[str, ...]]]
"""By labels: whether something inhibits it, and the comments of the silences on it."""


def matcher(random: Random) -> Matcher:
    """Any matcher: a label that may be missing, an expression that may match nothing."""
    operator = random.choice(OPERATORS)
    is_pattern = operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX)
    value = random.choice(PATTERNS if is_pattern else (*VALUES, ""))
    return Matcher(name=random.choice(NAMES), operator=operator, value=value)


def inhibit_rules(random: Random) -> tuple[InhibitRule, ...]:
    """Rules of which many have sources that are targets too, and equal labels that are missing."""
    return tuple(
        InhibitRule(
            name=f"rule-{number}",
            source=(Matcher(name="alertname", operator=OPERATORS[0], value="S"), matcher(random)),
            target=(matcher(random), matcher(random)),
            equal=tuple(random.sample(NAMES, k=random.randint(0, 2))),
        )
        for number in range(10)
    )


def silences(random: Random) -> list[tuple[Matcher, ...]]:
    """What silences ask for; each has one condition that no empty label meets, as it must."""
    return [
        (
            Matcher(name=random.choice(NAMES), operator=MatchOperator.EQUAL, value="a"),
            *(matcher(random) for _ in range(random.randint(0, 2))),
        )
        for _ in range(12)
    ]


def label_sets(random: Random) -> list[dict[str, str]]:
    """Alerts with labels that are there or not."""
    sets = {
        tuple(
            sorted(
                {
                    "alertname": random.choice("ST"),
                    **{name: random.choice(VALUES) for name in NAMES if random.random() < 0.7},
                }.items()
            )
        )
        for _ in range(160)
    }
    return [dict(labels) for labels in sorted(sets)]


def ours(
    sets: list[dict[str, str]], rules: tuple[InhibitRule, ...], asked: list[tuple[Matcher, ...]]
) -> Muted:
    """What the core mutes."""
    play = Play(config=replace(CONFIG, inhibit_rules=rules, remediation_rules=()))
    for number, matchers in enumerate(asked):
        silence = Silence(
            id=str(number),
            matchers=matchers,
            starts_at=START,
            ends_at=START + timedelta(hours=1),
            created_by="ann",
            comment=str(number),
            updated_at=START,
        )
        play.feed(SilenceAdded(silence=silence))
    said = [
        replace(alert("x", at=START), labels=labels, fingerprint=str(labels)) for labels in sets
    ]
    play.say(*said)
    found: Muted = {}
    for active in play.state.alerts.values():
        kinds = [muter.partition(":") for muter in active.suppressed_by]
        found[key(active.alert.labels)] = (
            any(kind == "inhibit" for kind, _, _ in kinds),
            tuple(sorted(name for kind, _, name in kinds if kind == "silence")),
        )
    return found


async def theirs(session: aiohttp.ClientSession, url: str) -> Muted:
    """What the real one says of every alert."""
    async with session.get(f"{url}/api/v2/silences") as answer:
        comments = {each["id"]: each["comment"] for each in await answer.json()}
    async with session.get(f"{url}/api/v2/alerts") as answer:
        alerts: list[dict[str, Any]] = await answer.json()
    return {
        key(each["labels"]): (
            bool(each["status"]["inhibitedBy"]),
            tuple(sorted(comments[name] for name in each["status"]["silencedBy"])),
        )
        for each in alerts
    }


def key(labels: Labels) -> tuple[tuple[str, str], ...]:
    """Labels as something to look up by."""
    return tuple(sorted(labels.items()))


def written(matchers: tuple[Matcher, ...]) -> list[str]:
    """As its configuration wants them."""
    return [f'{each.name}{each.operator.value}"{each.value}"' for each in matchers]


async def tell(
    session: aiohttp.ClientSession,
    url: str,
    sets: list[dict[str, str]],
    asked: list[tuple[Matcher, ...]],
) -> None:
    """Silence, and raise, the same at the real one."""
    now = datetime.now().astimezone()
    for number, matchers in enumerate(asked):
        body = {
            "matchers": [
                {
                    "name": each.name,
                    "value": each.value,
                    "isRegex": each.operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX),
                    "isEqual": each.operator in (MatchOperator.EQUAL, MatchOperator.REGEX),
                }
                for each in matchers
            ],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "ann",
            "comment": str(number),
        }
        async with session.post(f"{url}/api/v2/silences", json=body) as answer:
            assert answer.status == 200, await answer.text()
    body_of_all = [{"labels": labels} for labels in sets]
    async with session.post(f"{url}/api/v2/alerts", json=body_of_all) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_alertmanager_mutes_we_mute(seed: int, tmp_path: Path) -> None:
    """Anchored expressions, missing labels, equal labels that both lack, sources that are targets,
    alerts that would inhibit themselves: alert by alert the same, and by the same silences.
    """
    if reason := why_no_alertmanager():
        pytest.skip(reason)
    random = Random(seed)
    rules, asked, sets = inhibit_rules(random), silences(random), label_sets(random)
    settings = [
        {
            "source_matchers": written(rule.source),
            "target_matchers": written(rule.target),
            "equal": list(rule.equal),
        }
        for rule in rules
    ]
    expected = ours(sets, rules, asked)
    real = Alertmanager(tmp_path, webhook="http://127.0.0.1:9/", inhibit_rules=settings)
    async with real, aiohttp.ClientSession() as session:
        await tell(session, real.url, sets, asked)
        actual = await theirs(session, real.url)
        deadline = monotonic() + AGREES_S_MAX
        # It hears of its own alerts a moment after it has taken them.
        while actual != expected and monotonic() < deadline:
            await asyncio.sleep(0.1)
            actual = await theirs(session, real.url)
    assert expected == actual
    assert 0 < sum(inhibited for inhibited, _ in expected.values()) < len(expected)
    assert 0 < sum(bool(by) for _, by in expected.values()) < len(expected)
