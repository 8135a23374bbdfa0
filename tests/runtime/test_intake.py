"""What intake hands on, what it answers for itself, and what it refuses."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from agent.core.state import State
from agent.core.step import step
from agent.errors import PayloadError
from agent.model.alert import Alert
from agent.model.entry import AlertsReceived, Entry, What
from agent.model.labels import fingerprint
from agent.runtime.intake import Intake, IntakeLimits, IntakeMetrics, Taken

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = START + timedelta(minutes=1)
AGAIN = START + timedelta(seconds=30)
LEASE = timedelta(minutes=4)


class SlowLoop:
    """The real core behind a disk that is done when the test says so."""

    def __init__(self) -> None:
        self.state = State.empty()
        self.renewed: dict[str, datetime | None] = {}
        self.batches: list[Sequence[Alert]] = []
        self.disk = asyncio.Event()
        self.disk.set()

    async def append(self, what: What) -> None:
        assert isinstance(what, AlertsReceived)
        self.batches.append(what.alerts)
        step(self.state, Entry(self.state.last_number + 1, LATER, what))
        await self.disk.wait()

    def renew(self, fingerprint: str, expires_at: datetime | None) -> None:
        self.renewed[fingerprint] = expires_at


def firing(name: str = "Down", *, starts_at: datetime = START, at: datetime = LATER) -> Alert:
    labels = {"alertname": name}
    return Alert(
        fingerprint=fingerprint(labels),
        labels=labels,
        annotations={"summary": "it is down"},
        starts_at=starts_at,
        expires_at=at + LEASE,
    )


def over(alert: Alert) -> Alert:
    return replace(alert, ends_at=LATER, expires_at=None)


@pytest.fixture
def loop() -> SlowLoop:
    """A loop without a history."""
    return SlowLoop()


@pytest.fixture
def intake(loop: SlowLoop) -> Intake:
    """An intake with small limits."""
    limits = IntakeLimits(
        alerts_per_request_max=5, labels_per_alert_max=3, characters_per_alert_max=100
    )
    return Intake(loop, IntakeMetrics(CollectorRegistry()), limits)


async def test_a_repeat_only_renews_its_lease(intake: Intake, loop: SlowLoop) -> None:
    """The same alert again never reaches the journal, and moves its expiry."""
    await intake.take("prometheus", [firing()], LATER)
    again = firing(at=LATER + timedelta(minutes=1))
    taken = await intake.take("prometheus", [again], LATER)
    assert Taken(kept=0, repeated=1, stale=0) == taken
    assert len(loop.batches) == 1
    assert {again.fingerprint: again.expires_at} == loop.renewed


async def test_news_about_an_alert_is_kept(intake: Intake, loop: SlowLoop) -> None:
    """Other annotations, a later start, an end: each is an entry."""
    await intake.take("prometheus", [firing()], LATER)
    words = replace(firing(), annotations={"summary": "still down"})
    for news in (words, firing(starts_at=AGAIN), over(firing(starts_at=AGAIN))):
        assert (await intake.take("prometheus", [news], LATER)).kept == 1
    assert loop.state.alerts == {}


async def test_a_late_end_never_closes_a_new_firing(intake: Intake, loop: SlowLoop) -> None:
    """Prometheus repeats an end for 15 minutes, also when the alert fires anew."""
    await intake.take("prometheus", [firing()], LATER)
    await intake.take("prometheus", [firing(starts_at=AGAIN)], LATER)
    taken = await intake.take("prometheus", [over(firing())], LATER)
    assert Taken(kept=0, repeated=0, stale=1) == taken
    assert len(loop.state.alerts) == 1


async def test_an_end_is_said_once(intake: Intake, loop: SlowLoop) -> None:
    """A repeated end, or one of what never began, does not grow the journal."""
    await intake.take("prometheus", [firing()], LATER)
    taken = [await intake.take("prometheus", [over(firing())], LATER) for _ in range(3)]
    assert [each.kept for each in taken] == [1, 0, 0]
    assert (await intake.take("prometheus", [over(firing("Other"))], LATER)).stale == 1


async def test_a_missing_start_means_the_active_occurrence(intake: Intake, loop: SlowLoop) -> None:
    """Without a start (that is: the moment of receipt) an alert repeats or ends what fires."""
    await intake.take("tool", [firing()], LATER)
    moment = LATER + timedelta(seconds=7)
    assert (await intake.take("tool", [firing(starts_at=moment)], moment)).repeated == 1
    assert (await intake.take("tool", [over(firing(starts_at=moment))], moment)).kept == 1
    assert loop.batches[-1][0].starts_at == START
    assert loop.state.alerts == {}


async def test_a_second_prometheus_is_no_news(intake: Intake, loop: SlowLoop) -> None:
    """A pair that began to see the same alert at two moments does not restart it each minute."""
    await intake.take("a", [firing(starts_at=AGAIN)], LATER)
    taken = await intake.take("b", [replace(firing(), annotations={"summary": "5"})], LATER)
    assert taken.repeated == 1


async def test_nobody_hides_behind_a_fingerprint(intake: Intake, loop: SlowLoop) -> None:
    """Other labels with the same fingerprint are no repeat."""
    await intake.take("prometheus", [firing()], LATER)
    forged = replace(firing(), labels={"alertname": "Forged"})
    assert (await intake.take("prometheus", [forged], LATER)).kept == 1


async def test_order_within_a_request_is_kept(intake: Intake, loop: SlowLoop) -> None:
    """A firing and its end in one request are both handed on, in this order."""
    taken = await intake.take("tool", [firing(), over(firing()), firing("Other")], LATER)
    assert taken.kept == 3
    assert len(loop.batches) == 1
    assert [active.alert.name for active in loop.state.alerts.values()] == ["Other"]


async def test_nothing_is_answered_for_before_it_is_durable(intake: Intake, loop: SlowLoop) -> None:
    """A repeat of an alert whose commit is under way waits for a commit of its own."""
    loop.disk.clear()
    first = asyncio.ensure_future(intake.take("a", [firing()], LATER))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(intake.take("b", [firing()], LATER))
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (False, False)
    loop.disk.set()
    assert ((await first).kept, (await second).kept) == (1, 1)
    assert (await intake.take("a", [firing()], LATER)).repeated == 1


async def test_beyond_a_limit_nothing_is_kept(intake: Intake, loop: SlowLoop) -> None:
    """Each limit refuses the whole request and names the alert that is beyond it."""
    await intake.take("prometheus", [firing()], LATER)
    renewing = firing(at=LATER + timedelta(minutes=1))
    many = replace(firing("B"), labels=dict.fromkeys("abcd", "x"))
    long = replace(firing("C"), annotations={"summary": "x" * 101})
    refused = {
        "$[1].labels": [renewing, many],
        "$[1]": [renewing, long],
        "$": [firing(str(number)) for number in range(6)],
    }
    for where, alerts in refused.items():
        with pytest.raises(PayloadError) as caught:
            await intake.take("prometheus", alerts, LATER)
        assert where == caught.value.where
    assert (len(loop.batches), loop.renewed) == (1, {})
