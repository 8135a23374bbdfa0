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
