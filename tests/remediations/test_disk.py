"""Only what nobody needs leaves the disk, and a log that is rotated goes on being written."""

import asyncio

import pytest

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from tests.remediations.conftest import Library, Needs

pytestmark = pytest.mark.asyncio(loop_scope="session")

OLD = "touch -d '40 days ago'"
CONSOLE = "/var/log/shop/console.log"

INSTALLED = """
v=0; for n in {names}; do
  printf 'Package: %s\\nStatus: install ok installed\\nArchitecture: amd64\\n' $n
  v=$((v+1)); printf 'Version: 4.19.%s-1\\n' $v
  printf 'Maintainer: a <a@b.c>\\nDescription: d\\n\\n'
done >> /var/lib/dpkg/status
for n in {names}; do
  echo /. > /var/lib/dpkg/info/$n.list
  printf 'Package: %s\\nArchitecture: amd64\\nAuto-Installed: 1\\n\\n' $n
done >> /var/lib/apt/extended_states
"""


async def disk(host: Host) -> list[str]:
    """What is left of the files and packages of the test."""
    return (
        await host.run(
            "cd /var/log; ls -d shop/* /srv/kept/* /var/cache/apt/archives/x.deb; "
            "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' unneeded 'linux-image-4.19*' | "
            "sed -n 's/^installed //p'"
        )
    ).split()


async def test_only_what_nobody_needs_goes(library: Library, app1: Host) -> None:
    """Stays: young and live logs, numbered databases, what a symlink leads to, new kernels."""
    kernels = [f"linux-image-4.19.0-{number}-amd64" for number in range(1, 5)]
    await app1.run(INSTALLED.format(names=" ".join([*kernels, "unneeded"])))
    await app1.run(
        "mount -t tmpfs none /var/cache/apt/archives && mkdir -p /var/log/shop /srv/kept && "
        "cd /var/log/shop && "
        "touch young.log.1 live.log db.000001 old.log.1 old.log-20260101 old.gz /srv/kept/old.gz "
        "/var/cache/apt/archives/x.deb && ln -s /srv/kept leads && ln -s /srv/kept/old.gz l.gz && "
        f"{OLD} db.000001 live.log old.* /srv/kept/old.gz && touch -h -d '40 days ago' l.gz leads"
    )
    before = await disk(app1)
    checked = await library.play("free-disk-space", app1, check=True, kernels=True)
    while_checked = await disk(app1)
    played = await library.play("free-disk-space", app1, kernels=True)
    after = await disk(app1)
    again = await library.play("free-disk-space", app1)
    await app1.run("rm -r /var/log/shop /srv/kept")

    assert before == while_checked
    assert "would delete 3 rotated logs" in checked.text
    assert "2 kernels" in checked.text
    assert Outcome.CHANGED == played.outcome
    assert "KiB were freed" in played.text
    old_kernels = {*kernels[:2]}
    gone = {f"shop/{name}" for name in ("old.log.1", "old.log-20260101", "old.gz")}
    assert gone | old_kernels | {"/var/cache/apt/archives/x.deb"} == set(before) - set(after)
    assert Outcome.OK == again.outcome


async def test_a_log_is_cut_while_it_is_written(library: Library, app1: Host) -> None:
    """Every line before is in the compressed file; the writer goes on in the same one."""
    await app1.run(
        f"mkdir -p /var/log/shop && seq 1000 > {CONSOLE} && "
        f"mkfifo /tmp/more && (cat /tmp/more >> {CONSOLE} &) >/dev/null 2>&1"
    )
    checked = await library.play("rotate-logs", app1, check=True, file=CONSOLE)
    while_checked = await app1.run(f"wc -l < {CONSOLE}")
    played = await library.play("rotate-logs", app1, file=CONSOLE)
    await app1.run(f"echo 1001 > /tmp/more; until grep -q . {CONSOLE}; do :; done")
    kept = await app1.run(f"zcat {CONSOLE}.*.gz | md5sum; seq 1000 | md5sum; cat {CONSOLE}")
    await app1.run("rm -r /var/log/shop /tmp/more")

    assert "would compress 3893 bytes" in checked.text
    assert "1000" == while_checked.strip()
    assert Outcome.CHANGED == played.outcome
    ours, expected, now = kept.splitlines()
    assert expected == ours
    assert "1001" == now


async def test_a_symlink_is_no_log(library: Library, app1: Host) -> None:
    """Neither as the file nor as a folder on the way: what it leads to keeps its content."""
    await app1.run(
        "mkdir -p /srv/data && echo precious > /srv/data/a.log && "
        "ln -sfn /srv/data /var/log/way && ln -sf /srv/data/a.log /var/log/direct.log"
    )
    by_way, direct = await asyncio.gather(
        *(
            library.play("rotate-logs", app1, file=f"/var/log/{name}")
            for name in ("way/a.log", "direct.log")
        )
    )
    left = await app1.run("cat /srv/data/a.log; ls /srv/data; rm /var/log/way /var/log/direct.log")

    assert [Outcome.FAILED] * 2 == [by_way.outcome, direct.outcome]
    assert ["precious", "a.log"] == left.split()


async def test_logrotate_does_what_its_entry_says(
    library: Library, app1: Host, needs: Needs
) -> None:
    """In check mode it only says so; an entry that would keep nothing is refused."""
    needs("logrotate")
    await app1.run(
        "mkdir -p /var/log/mine && echo line > /var/log/mine/a.log && cd /etc/logrotate.d && "
        "printf '/var/log/mine/a.log {\\n  rotate 3\\n  compress\\n}\\n' > mine && "
        "printf '/var/log/mine/a.log {\\n  weekly\\n}\\n' > forgetful && chmod 644 mine forgetful"
    )
    look = "ls /var/log/mine"
    checked = await library.play("rotate-logs", app1, check=True, config="mine")
    while_checked = await app1.run(look)
    refused = await library.play("rotate-logs", app1, config="forgetful")
    while_refused = await app1.run(look)
    played = await library.play("rotate-logs", app1, config="mine")
    after = await app1.run(f"{look} && zcat /var/log/mine/a.log.1.gz && rm -r /var/log/mine")

    assert (Outcome.CHANGED, "a.log") == (checked.outcome, while_checked.strip())
    assert (Outcome.FAILED, "a.log") == (refused.outcome, while_refused.strip())
    assert (Outcome.CHANGED, ["a.log.1.gz", "line"]) == (played.outcome, after.split())
