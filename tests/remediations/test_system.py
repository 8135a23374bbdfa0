"""What stands below services: clock, mounts, volumes, certificates."""

import asyncio
from pathlib import Path

import pytest

from agent.model.remediation import Outcome
from deploy.demo.hosts import Host
from deploy.demo.programs import free_ports
from tests.remediations.conftest import Library, Needs

HAS_DEVICE_MAPPER = "device-mapper" in Path("/proc/misc").read_text()
pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCKS = """
mkdir -p /run/chrony && chmod 700 /run/chrony && cat > /tmp/far.conf <<END
local stratum 5
port {port}
bindaddress 127.0.0.1
allow 127.0.0.1
cmdport 0
bindcmdaddress /
pidfile /run/far.pid
END
cat > /tmp/near.conf <<END
server 127.0.0.1 port {port} iburst minpoll -4 maxpoll -4 offset {offset}
port 0
cmdport 0
user root
bindcmdaddress /run/chrony/chronyd.sock
pidfile /run/near.pid
END
chronyd -u root -x -f /tmp/far.conf && chronyd -u root -x -f /tmp/near.conf
i=0
until chronyc -n -c tracking 2>/dev/null | grep -q Normal || [ $i -gt 100 ]; do
  i=$((i+1)); sleep 0.1
done
"""
STOP = "kill $(cat /run/far.pid /run/near.pid); while [ -e /run/near.pid ]; do sleep 0.05; done"


async def test_a_clock_is_measured_before_it_is_stepped(
    library: Library, app1: Host, needs: Needs
) -> None:
    """A real source is three seconds away: that is told, and left alone where it is too much.

    The daemon may not touch the machine's clock here, so its step fails, and so does the run.
    """
    needs("chronyd", "chronyc")
    (port,) = free_ports(1)
    await app1.run(CLOCKS.format(port=port, offset=3))
    checked, refused = await asyncio.gather(
        library.play("fix-clock-drift", app1, check=True),
        library.play("fix-clock-drift", app1, step_max_s=1),
    )
    off = float((await app1.run("chronyc -n -c tracking")).split(",")[4])
    played = await library.play("fix-clock-drift", app1)
    await app1.run(STOP)
    without = await library.play("fix-clock-drift", app1)

    assert (Outcome.CHANGED, 3) == (checked.outcome, abs(round(off)))
    assert "would step the clock, which is off by" in checked.text
    assert "nothing was touched" in refused.text
    assert "500 Failure" in played.text
    assert [Outcome.FAILED] * 3 == [each.outcome for each in (refused, played, without)]


async def test_a_mount_is_made_writable_as_fstab_wants(library: Library, app1: Host) -> None:
    """Not in check mode, not where fstab says otherwise; the rollback makes it read-only again."""
    await app1.run(
        "mkdir -p /srv/want /srv/keep /srv/none; for n in want keep none; do "
        "mount -t tmpfs -o ro none /srv/$n; done; "
        "echo 'none /srv/want tmpfs rw 0 0' >> /etc/fstab; "
        "echo 'none /srv/keep tmpfs ro 0 0' >> /etc/fstab"
    )
    look = "findmnt -n -o OPTIONS /srv/want | cut -c1-2"
    name, asked = "remount-read-write", {"mount": "/srv/want", "despite_errors": True}
    checked = await library.play(name, app1, check=True, **asked)
    seen = [await app1.run(look)]
    played = await library.play(name, app1, **asked)
    seen += [await app1.run(look)]
    again = await library.play(name, app1, **asked)
    undone = await library.play(name, app1, undo=True, **asked)
    seen += [await app1.run(look)]
    others = await asyncio.gather(
        *(
            library.play(name, app1, mount=f"/srv/{each}", despite_errors=True)
            for each in ("keep", "none")
        )
    )
    await app1.run("umount /srv/want /srv/keep /srv/none")

    assert [Outcome.CHANGED] * 3 == [each.outcome for each in (checked, played, undone)]
    assert ["ro", "rw", "ro"] == [each.strip() for each in seen]
    assert Outcome.OK == again.outcome
    assert [Outcome.FAILED] * 2 == [each.outcome for each in others]


async def test_a_disk_that_the_kernel_complained_about_is_left(
    library: Library, app2: Host
) -> None:
    """Writing would make it worse. The kernel's log is one of ours: a real one stays dirty."""
    await app2.run(
        "mkdir -p /srv/bad && mount -t tmpfs -o ro none /srv/bad && "
        "echo 'none /srv/bad tmpfs rw 0 0' >> /etc/fstab; "
        "printf '#!/bin/sh\\necho [1.0] EXT4-fs error: remounting filesystem read-only\\n' "
        "> /usr/local/bin/dmesg; chmod 755 /usr/local/bin/dmesg"
    )
    refused = await library.play("remount-read-write", app2, mount="/srv/bad")
    options = await app2.run(
        "findmnt -n -o OPTIONS /srv/bad; rm /usr/local/bin/dmesg; umount /srv/bad"
    )

    assert (Outcome.FAILED, "ro") == (refused.outcome, options[:2])
    assert "EXT4-fs error" in refused.text


HOOK = """#!/bin/sh
exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days {days} \\
  -subj /CN=shop -addext subjectAltName=DNS:{name} \\
  -keyout "$1/privkey.pem" -out "$1/fullchain.pem" 2>/dev/null
"""
PLACE = "/etc/watchkeeper/renew-certificate/shop.example"
SERVED = (
    "echo | openssl s_client -connect 127.0.0.1:{port} -servername shop.example 2>/dev/null | "
    "openssl x509 -noout -fingerprint"
)
FIRST_PAIR = """
mkdir -p /tmp/n && {place} /tmp/n && cp /tmp/n/fullchain.pem /etc/ssl/certs/shop.example.pem &&
install -m 640 /tmp/n/privkey.pem /etc/ssl/private/shop.example.key &&
cat > /etc/nginx/conf.d/tls.conf <<END && service nginx reload
server {{
  listen 127.0.0.1:{port} ssl;
  ssl_certificate /etc/ssl/certs/shop.example.pem;
  ssl_certificate_key /etc/ssl/private/shop.example.key;
}}
END
"""


async def served(host: Host, port: int) -> str:
    return await host.run(SERVED.format(port=port))


async def install_hook(host: Host, *, days: int, name: str = "shop.example") -> None:
    text = HOOK.format(days=days, name=name)
    await host.run(
        f"mkdir -p $(dirname {PLACE}) && cat > {PLACE} <<'END'\n{text}END\nchmod 755 {PLACE}"
    )


async def test_a_certificate_is_renewed_and_put_back(library: Library, app1: Host) -> None:
    """It is served after the play; one for other names never is."""
    (port,) = free_ports(1)
    await install_hook(app1, days=5)
    await app1.run(FIRST_PAIR.format(place=PLACE, port=port))
    name, asked = "renew-certificate", {"name": "shop.example", "service": "nginx"}
    old = await served(app1, port)
    await install_hook(app1, days=90, name="evil.example")
    refused = await library.play(name, app1, **asked)
    seen = [await served(app1, port)]
    await install_hook(app1, days=90)
    checked = await library.play(name, app1, check=True, **asked)
    seen += [await served(app1, port)]
    played = await library.play(name, app1, **asked)
    new = await served(app1, port)
    mode = await app1.run("stat -c %a /etc/ssl/private/shop.example.key")
    undone = await library.play(name, app1, undo=True, **asked)
    seen += [await served(app1, port)]
    await app1.run("rm /etc/nginx/conf.d/tls.conf && service nginx reload")

    assert Outcome.FAILED == refused.outcome
    assert [Outcome.CHANGED] * 3 == [each.outcome for each in (checked, played, undone)]
    assert [old] * 3 == seen
    assert (True, "640") == (new not in {"", old}, mode.strip())


DISK = """
{before}
truncate -s 256M /root/disk && L=$(losetup -f --show /root/disk) && echo $L &&
vgcreate -qq wktest $L >&2 && lvcreate -qq {how} -n data -L 64M wktest >&2 || echo no
"""


async def test_a_volume_grows_within_its_bounds(library: Library, app1: Host, needs: Needs) -> None:
    """Check mode tries it; more than is free, or than the maximum, is refused."""
    needs("lvm", "losetup")
    without_kernel = "printf 'global {\\n  activation = 0\\n}\\n' > /etc/lvm/lvmlocal.conf"
    made = (await app1.run(DISK.format(before=without_kernel, how="-an -Zn"))).split()
    size = "lvs --noheadings --units m --nosuffix -o lv_size wktest/data"
    name = "extend-logical-volume"
    asked = {"volume_group": "wktest", "logical_volume": "data", "raw": True}
    try:
        if "no" in made:
            pytest.skip("LVM or loop devices are refused here: no volume was extended")
        checked = await library.play(name, app1, check=True, **asked, add_mib=64, maximum_mib=200)
        seen = [await app1.run(size)]
        refused = await asyncio.gather(
            *(
                library.play(name, app1, **asked, add_mib=add, maximum_mib=maximum)
                for add, maximum in ((1024, 10_000), (64, 100))
            )
        )
        seen += [await app1.run(size)]
        played = await library.play(name, app1, **asked, add_mib=64, maximum_mib=200)
        seen += [await app1.run(size)]
    finally:
        await app1.run(
            f"vgremove -ff -qq wktest; losetup -d {made[0]}; rm -f /etc/lvm/lvmlocal.conf"
        )

    assert [Outcome.FAILED] * 2 == [each.outcome for each in refused]
    assert [Outcome.CHANGED] * 2 == [checked.outcome, played.outcome]
    assert [64, 64, 128] == [round(float(each)) for each in seen]


async def test_a_file_system_grows_with_its_volume(library: Library, app1: Host) -> None:
    """What is mounted has the new size at once."""
    if not HAS_DEVICE_MAPPER:
        pytest.skip("no device mapper here: no file system was grown with its volume")
    made = (await app1.run(DISK.format(before=":", how="-ay"))).split()
    try:
        await app1.run(
            "mkfs.ext4 -q /dev/wktest/data && mkdir -p /srv/v && mount /dev/wktest/data /srv/v"
        )
        played = await library.play(
            "extend-logical-volume",
            app1,
            volume_group="wktest",
            logical_volume="data",
            add_mib=64,
            maximum_mib=200,
        )
        size = int((await app1.run("df --output=size -BM /srv/v")).split()[-1].rstrip("M"))
    finally:
        await app1.run(f"umount /srv/v; vgremove -ff -qq wktest; losetup -d {made[0]}")

    assert Outcome.CHANGED == played.outcome
    assert size > 100
