"""Whatever alerts say, a run reaches the host that the map gives the target, and no other."""

import random
import string
from pathlib import Path

from agent.model.alert import Alert
from agent.model.effect import PrepareRun
from agent.model.entry import AlertsReceived
from agent.runtime.ansible.inventory import inventory, refuse
from tests.core.play import CONFIG, Play, alert

SETS = 1_000
PIECES = (
    *("all", "*", "~.*", "web1,all", "!web1", "@/etc/passwd", "a[1:9]", "localhost,", "targets"),
    *("app1", "app2", "web1", "web2", "db", "{{ x }}", "app1,app2", "web1 web2", ""),
)
NAMES = (
    *("service", "host", "instance", "ansible_host", "ansible_connection", "groups", "hostvars"),
    *("inventory_hostname", "limit", "target", "delegate_to", "job", "namespace"),
)


def hostile(dice: random.Random, play: Play, number: int) -> Alert:
    """An alert that fires, of names and values that mean something to Ansible, or nothing."""
    labels = {dice.choice(NAMES): text(dice) for _ in range(dice.randrange(6))}
    labels |= {"service": dice.choice(("web1", "web2", "db", text(dice)))}
    labels |= {"number": str(number)}
    return alert("ServiceDown", at=play.now, ends=None, expires=None, **labels)


def text(dice: random.Random) -> str:
    letters = "".join(dice.choices(string.printable, k=dice.randrange(8)))
    return dice.choice((dice.choice(PIECES), letters, dice.choice(PIECES) + letters))


def test_a_run_reaches_only_the_host_of_its_target() -> None:
    """Of 1,000 random label sets, each run is of exactly the host that the map names."""
    dice, play = random.Random(11), Play()
    approved = {entity.ref: entity.host for entity in CONFIG.service_map.entities.values()}
    said = [hostile(dice, play, number) for number in range(SETS)]
    for start in range(0, SETS, 10):
        play.feed(AlertsReceived(source="test", alerts=tuple(said[start : start + 10])))
        play.wait(60)
    specs = [effect.spec for effect in play.effects if isinstance(effect, PrepareRun)]
    known = {host for host in approved.values() if host is not None}

    assert specs
    for change in play.state.changes.values():
        assert (approved[change.entity],) == change.hosts
    for spec in specs:
        listed = inventory(spec.hosts, folder=Path("/x"), known_hosts=Path("/x/k"), tag="r@0")
        assert refuse(spec.hosts, spec.parameters) is None
        assert {host.name for host in spec.hosts} <= {host.name for host in known}
        assert [host.name for host in spec.hosts] == list(
            listed["all"]["children"]["targets"]["hosts"]  # type: ignore[index]
        )
