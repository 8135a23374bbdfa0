"""A process is ended, or its lock cleared, only when nothing speaks against it."""

import asyncio

import pytest

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from tests.remediations.conftest import Library

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOCK = "/run/lock/job.lock"
AWAY = "setsid {} >/dev/null 2>&1 </dev/null &"


async def alive(host: Host, name: str) -> int:
    return len((await host.run(f"pgrep -x {name} || :")).split())


async def test_a_runaway_is_ended(library: Library, app1: Host) -> None:
    """Only the one that is busy: its idle namesake and, in check mode, both go on."""
    await app1.run(
        "mkdir /tmp/idle; cp /usr/bin/yes /tmp/stress; cp /usr/bin/sleep /tmp/idle/stress; "
        + AWAY.format("/tmp/stress")
        + AWAY.format("/tmp/idle/stress 300")
        + "sleep 1.2"
    )
    began = await alive(app1, "stress")
    asked = {"program": "stress", "cpu_percent": 10, "older_than_s": 1}
    checked = await library.play("kill-runaway-process", app1, check=True, **asked)
    while_checked = await alive(app1, "stress")
    played = await library.play("kill-runaway-process", app1, **asked)
    after = await alive(app1, "stress")
    await app1.run("pkill -x stress")

    assert (2, 2) == (began, while_checked)
    assert "would end 1 processes" in checked.text
    assert (Outcome.CHANGED, 1) == (played.outcome, after)


async def test_one_that_ignores_the_request_is_ended_by_force(library: Library, app1: Host) -> None:
    """And where more match than may be ended, none is."""
    stubborn = (
        "/tmp/gs -c 'import signal as s; s.signal(15, s.SIG_IGN); b = b\"x\" * 99999999; s.pause()'"
    )
    await app1.run(
        "cp $(readlink -f /usr/bin/python3) /tmp/gs; " + AWAY.format(stubborn) * 2 + " sleep 1.5"
    )
    asked = {"program": "gs", "memory_mib": 64, "older_than_s": 1}
    refused = await library.play("kill-runaway-process", app1, **asked)
    while_refused = await alive(app1, "gs")
    played = await library.play("kill-runaway-process", app1, **asked, at_most=2)

    assert (Outcome.FAILED, 2) == (refused.outcome, while_refused)
    assert (Outcome.CHANGED, 0) == (played.outcome, await alive(app1, "gs"))


async def test_a_lock_of_the_dead_is_cleared_and_put_back(library: Library, app1: Host) -> None:
    """Check mode leaves it, the play moves it away, the rollback brings it back as it was."""
    await app1.run(f"echo 4194301 > {LOCK} && touch -d '1 hour ago' {LOCK}")
    look = f"cat {LOCK} 2>/dev/null || echo none"
    checked = await library.play("clear-stale-lock", app1, check=True, file=LOCK)
    seen = [await app1.run(look)]
    played = await library.play("clear-stale-lock", app1, file=LOCK)
    seen += [await app1.run(look)]
    again = await library.play("clear-stale-lock", app1, file=LOCK)
    undone = await library.play("clear-stale-lock", app1, undo=True, file=LOCK)
    seen += [await app1.run(look + f"; rm {LOCK}")]

    assert [Outcome.CHANGED] * 3 == [checked.outcome, played.outcome, undone.outcome]
    assert Outcome.OK == again.outcome
    assert ["4194301", "none", "4194301"] == [each.strip() for each in seen]


async def test_a_lock_that_somebody_holds_stays(library: Library, app1: Host) -> None:
    """Held by the living process that it names, by an open file alone, or reached by a symlink."""
    await app1.run(
        "cd /run/lock; echo 1 > living.pid; : > held.lock; ln -s /srv aside; : > /srv/x.lock; "
        "touch -d '1 hour ago' living.pid held.lock /srv/x.lock; "
        + AWAY.format("flock held.lock sh -c 'mkfifo /tmp/hold; read x < /tmp/hold'")
        + "until [ -p /tmp/hold ]; do :; done"
    )
    said = await asyncio.gather(
        *(
            library.play("clear-stale-lock", app1, file=f"/run/lock/{name}")
            for name in ("living.pid", "held.lock", "aside/x.lock")
        )
    )
    left = await app1.run(
        "cd /run/lock; ls living.pid held.lock aside/x.lock; echo > /tmp/hold; "
        "rm living.pid held.lock aside /tmp/hold"
    )

    assert [Outcome.FAILED] * 3 == [each.outcome for each in said]
    assert 3 == len(left.split())
