"""A standby is restarted and catches up; a primary is never touched."""

import pytest

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from deploy.demo.programs import free_ports
from tests.remediations.conftest import Library, Needs

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPLICATED = """
set -e; cd /tmp
V=$(ls /usr/lib/postgresql | sort -n | tail -1)
pg_createcluster $V first -p {first} --start -- --no-sync >/dev/null
D=/var/lib/postgresql/$V/second
pg_createcluster $V second -p {second} >/dev/null && rm -rf $D
B=/usr/lib/postgresql/$V/bin/pg_basebackup
runuser -u postgres -- $B --no-sync -c fast -R -p {first} -D $D
pg_ctlcluster $V second start
echo $V
"""
START = "/var/lib/postgresql/{version}/{name}/postmaster.pid"


async def test_only_a_standby_is_restarted(library: Library, app2: Host, needs: Needs) -> None:
    """Running or down it comes back and has all that the primary wrote; the primary runs on."""
    needs("pg_createcluster", "pg_ctlcluster", "/usr/lib/postgresql")
    first, second = free_ports(2)
    version = int(await app2.run(REPLICATED.format(first=first, second=second)))
    asked = {"version": version, "cluster": "second"}
    began = START.format(version=version, name="second")
    primary = START.format(version=version, name="first")
    was = [await app2.run(f"cat {began}"), await app2.run(f"cat {primary}")]

    checked = await library.play("restart-database-replica", app2, check=True, **asked)
    assert (Outcome.CHANGED, was[0]) == (checked.outcome, await app2.run(f"cat {began}"))
    assert "would restart the standby" in checked.text

    await app2.run(
        f"pg_ctlcluster {version} second stop --mode immediate; cd /tmp; "
        f"runuser -u postgres -- psql -p {first} -c 'create table t as select 42 as n'"
    )
    played = await library.play("restart-database-replica", app2, **asked)
    read = f"cd /tmp; runuser -u postgres -- psql -XAtq -p {second} -c 'select n from t'"
    assert (Outcome.CHANGED, "42") == (played.outcome, (await app2.run(read)).strip())

    refused = await library.play("restart-database-replica", app2, version=version, cluster="first")
    assert (Outcome.FAILED, was[1]) == (refused.outcome, await app2.run(f"cat {primary}"))
    assert "nothing was touched" in refused.text

    await app2.run(f"pg_ctlcluster {version} first stop --mode immediate")
    down = await library.play("restart-database-replica", app2, version=version, cluster="first")
    status = await app2.run(f"pg_lsclusters -h | grep first; pg_ctlcluster {version} second stop")
    assert (Outcome.FAILED, "down") == (down.outcome, status.split()[3])
