"""Services are reloaded only when valid, and restarted one host after the other."""

import pytest

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from deploy.demo.programs import get
from tests.remediations.conftest import Library

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONF = "/etc/nginx/conf.d/demo.conf"


def says(host: Host) -> str:
    return get(f"http://127.0.0.1:{host.http_port}/").decode().strip()


async def test_a_valid_configuration_comes_into_force(library: Library, app1: Host) -> None:
    """Check mode leaves the old one in force; the play itself brings the new one."""
    await app1.run(f"sed -i.was 's/app1/app1 anew/' {CONF}")
    checked = await library.play("reload-configuration", app1, check=True, service="nginx")
    while_checked = says(app1)
    played = await library.play("reload-configuration", app1, service="nginx")
    after = says(app1)
    await app1.run(f"mv {CONF}.was {CONF} && service nginx reload")

    assert (Outcome.CHANGED, "app1") == (checked.outcome, while_checked)
    assert "would reload it" in checked.text
    assert (Outcome.CHANGED, "app1 anew") == (played.outcome, after)


async def test_what_does_not_validate_is_not_reloaded(library: Library, app1: Host) -> None:
    """The service goes on with what it has, and the run says what is wrong."""
    await app1.run("echo 'nonsense;' > /etc/nginx/conf.d/broken.conf")
    pids = await app1.run("pgrep nginx")
    played = await library.play("reload-configuration", app1, service="nginx")
    after = await app1.run("rm /etc/nginx/conf.d/broken.conf; pgrep nginx")

    assert Outcome.FAILED == played.outcome
    assert "nonsense" in played.text
    assert pids == after


async def test_a_group_is_restarted_one_by_one(library: Library, app1: Host, app2: Host) -> None:
    """In order, each well before the next; the first that is not ends it, and those after stay."""
    both, pid = (app1, app2), "cat /run/nginx.pid"
    before = [await host.run(pid) for host in both]
    asked = {"service": "nginx", "settle_s": 0}
    checked = await library.play("rolling-restart", *both, check=True, **asked)
    while_checked = [await host.run(pid) for host in both]
    played = await library.play("rolling-restart", *both, **asked)
    after = [await host.run(pid) for host in both]

    assert [Outcome.CHANGED] * 2 == [checked.outcome, played.outcome]
    assert before == while_checked
    assert [False, False] == [old == new for old, new in zip(before, after, strict=True)]
    restarted = [
        line for line in played.text.splitlines() if line.startswith(("changed:", "TASK [Restart"))
    ]
    assert ["TASK", "changed: [app1]", "TASK", "changed: [app2]"] == [
        line.split(" [Restart")[0] for line in restarted
    ]


INIT_SCRIPT = """
cat > /etc/init.d/shopd <<'END'
#!/bin/sh
D="start-stop-daemon --pidfile /run/shopd.pid --exec /bin/sleep"
case $1 in
  start) [ ! -e /etc/shopd.broken ] && $D --start --background --make-pidfile -- infinity ;;
  stop) $D --stop --retry 2 --remove-pidfile ;;
  restart) $0 stop; $0 start ;;
  status) $D --status ;;
esac
END
chmod 755 /etc/init.d/shopd && service shopd start
"""


async def test_a_roll_ends_at_the_first_failure(library: Library, app1: Host, app2: Host) -> None:
    """The second host keeps what it has; the rollback starts the first again."""
    for host in (app1, app2):
        await host.run(INIT_SCRIPT)
    pid = await app2.run("cat /run/shopd.pid")
    await app1.run("touch /etc/shopd.broken")
    asked = {"service": "shopd", "settle_s": 0}
    played = await library.play("rolling-restart", app1, app2, **asked)
    down = await app1.run("service shopd status || echo down; rm /etc/shopd.broken")
    undone = await library.play("rolling-restart", app1, app2, undo=True, **asked)
    up = await app1.run("service shopd status && echo up")
    left = await app2.run("cat /run/shopd.pid")
    for host in (app1, app2):
        await host.run("service shopd stop")

    assert (Outcome.FAILED, "down") == (played.outcome, down.strip())
    assert (Outcome.CHANGED, "up") == (undone.outcome, up.strip())
    assert pid == left


async def test_a_group_that_is_not_well_is_left(library: Library, app1: Host, app2: Host) -> None:
    """Where one member is down already, none of the others is touched."""
    pid = await app1.run("cat /run/nginx.pid")
    await app2.run("service nginx stop")
    played = await library.play("rolling-restart", app1, app2, service="nginx", settle_s=0)
    left = await app1.run("cat /run/nginx.pid")
    await app2.run("service nginx start")

    assert (Outcome.FAILED, pid) == (played.outcome, left)
    assert "nothing was touched" in played.text


async def test_what_is_seen_is_handed_over(library: Library, app1: Host, app2: Host) -> None:
    """By name, for each host; nothing is changed, and nothing that was not seen is told."""
    played = await library.play("collect-diagnostics", app1, app2, service="nginx")
    seen = {(piece.host, piece.name): piece.text for piece in played.result.evidence}

    assert Outcome.OK == played.outcome
    assert {"app1", "app2"} == {host for host, _ in seen}
    assert "load average" in seen["app1", "load and uptime"]
    assert "Mem:" in seen["app2", "memory (MiB)"]
    assert "nginx is running" in seen["app1", "service nginx"]
    assert ("app1", "failed units") not in seen
