"""A member is drained only where enough others are up, and comes back as it was."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from deploy.demo.programs import free_ports
from tests.remediations.conftest import Library, Needs

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIGURATION = """
global
  stats socket /run/haproxy/admin.sock mode 660 level admin
  pidfile /run/haproxy.pid
  daemon
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
listen shop
  bind 127.0.0.1:{port}
  server app1 127.0.0.1:{app1}
  server app2 127.0.0.1:{app2}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def balancer(app1: Host, app2: Host, needs: Needs) -> AsyncIterator[Host]:
    """A host on which HAProxy balances between both."""
    needs("haproxy", "socat")
    (port,) = free_ports(1)
    text = CONFIGURATION.format(port=port, app1=app1.http_port, app2=app2.http_port)
    await app1.run(
        f"mkdir -p /run/haproxy && printf %s '{text}' > /etc/haproxy/haproxy.cfg && "
        "haproxy -f /etc/haproxy/haproxy.cfg >/dev/null 2>&1 </dev/null"
    )
    yield app1
    await app1.run("kill $(cat /run/haproxy.pid)")


async def status(host: Host, member: str) -> str:
    listed = await host.run("echo show stat | socat stdio /run/haproxy/admin.sock")
    return next(
        row.split(",")[17] for row in listed.splitlines() if row.startswith(f"shop,{member},")
    )


async def test_a_member_is_drained_and_put_back(library: Library, balancer: Host) -> None:
    """Check mode says so only; the last one that is up stays; the rollback re-adds."""
    asked = {"backend": "shop", "server": "app1"}
    name = "drain-load-balancer-member"
    checked = await library.play(name, balancer, check=True, **asked)
    seen = [await status(balancer, "app1")]
    played = await library.play(name, balancer, **asked)
    seen += [await status(balancer, "app1")]
    refused = await library.play(name, balancer, backend="shop", server="app2")
    seen += [await status(balancer, "app2")]
    undone = await library.play(name, balancer, undo=True, **asked)
    seen += [await status(balancer, "app1")]
    again = await library.play(name, balancer, **asked, state="ready")
    unknown = await library.play(name, balancer, backend="shop", server="BACKEND")

    assert [Outcome.CHANGED] * 3 == [each.outcome for each in (checked, played, undone)]
    assert "would set shop/app1 to drain" in checked.text
    assert Outcome.FAILED == refused.outcome
    assert "0 of 2" in refused.text
    assert ["no check", "DRAIN", "no check", "no check"] == seen
    assert [Outcome.OK, Outcome.FAILED] == [again.outcome, unknown.outcome]
