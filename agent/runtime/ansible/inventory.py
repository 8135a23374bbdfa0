"""The hosts and variables of one run, as files that Ansible reads and does not evaluate.

Names and addresses come from the service map and from nowhere else, and are refused unless they
are plain. Parameters came from outside: they are data for ever. Not here: which hosts.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.model.remediation import Host, ParameterValue
from agent.runtime.ansible.elsewhere import marking

GROUP = "targets"
"""What a playbook writes behind `hosts:`."""
VARIABLE = "agent_input"
HOSTS_MAX = 1_000

CONTROL_PATH_BYTES_MAX = 70
"""A socket's path ends at 108 bytes; ssh adds a name and a random ending to the folder."""
PERSIST_S = 15
RESERVED = frozenset({"all", "ungrouped", GROUP})

_PLAIN = {
    "name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}"),
    "address": re.compile(r"[A-Za-z0-9:][A-Za-z0-9:._%-]{0,252}"),
    "user": re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,63}"),
    "connection": re.compile(r"ssh|local"),
    "python": re.compile(r"/[A-Za-z0-9._/-]{1,255}"),
    "private_key_file": re.compile(r"/[A-Za-z0-9._/ -]{1,1023}"),
}
_KEY = re.compile(r"[a-z_][a-z0-9_]{0,63}")


def refuse(hosts: Sequence[Host], parameters: Mapping[str, ParameterValue]) -> str | None:
    """Why these must not reach Ansible, or None."""
    names = [host.name for host in hosts]
    if not 0 < len(hosts) <= HOSTS_MAX:
        return f"a run needs 1 to {HOSTS_MAX} hosts, not {len(hosts)}"
    if len(set(names)) < len(names):
        return "a host is named twice"
    for host in hosts:
        for field, plain in _PLAIN.items():
            value = getattr(host, field)
            if value is not None and not plain.fullmatch(value):
                return f"host {host.name!r}: {field} {value!r} is not plain text; mend the map"
        if host.name in RESERVED:
            return f"host {host.name!r}: the name means a group to Ansible"
        if not 0 < host.port < 65_536:
            return f"host {host.name!r}: {host.port} is no port"
    return next(
        (f"parameter {key!r} is not a plain name" for key in parameters if not _KEY.fullmatch(key)),
        None,
    )


def inventory(
    hosts: Sequence[Host], *, folder: Path, known_hosts: Path, tag: str
) -> dict[str, object]:
    """Exactly these hosts, in the form of Ansible's YAML inventory; what ssh starts is tagged."""
    return {
        "all": {
            "children": {GROUP: {"hosts": {host.name: _variables(host, folder) for host in hosts}}},
            "vars": {
                "ansible_ssh_args": _ssh_arguments(folder),
                "ansible_ssh_common_args": " ".join(
                    ("-o", f"UserKnownHostsFile={shlex.quote(str(known_hosts))}", marking(tag))
                ),
            },
        }
    }


def hosts_of(content: bytes) -> tuple[Host, ...]:
    """The hosts that an inventory of `inventory` has by SSH, as far as it takes to reach them."""
    try:
        listed = json.loads(content)["all"]["children"][GROUP]["hosts"]
    except (ValueError, KeyError):
        return ()  # it was being written when its writer died: nothing was begun
    return tuple(
        Host(
            name=name,
            address=host["ansible_host"],
            port=host["ansible_port"],
            user=host["ansible_user"],
            private_key_file=host.get("ansible_ssh_private_key_file"),
        )
        for name, host in listed.items()
        if host["ansible_connection"] == "ssh"
    )


def _variables(host: Host, folder: Path) -> dict[str, object]:
    variables: dict[str, object] = {
        "ansible_connection": host.connection,
        "ansible_host": host.address,
        "ansible_python_interpreter": host.python,
    }
    if host.connection == "local":
        return variables | {"ansible_remote_tmp": str(folder / "tmp")}
    variables |= {"ansible_port": host.port, "ansible_user": host.user}
    if host.private_key_file is not None:
        variables["ansible_ssh_private_key_file"] = host.private_key_file
    return variables


def _ssh_arguments(folder: Path) -> str:
    if len(str(folder)) > CONTROL_PATH_BYTES_MAX:
        return "-o ControlMaster=no"
    return f"-o ControlMaster=auto -o ControlPersist={PERSIST_S}s"


def variables(parameters: Mapping[str, ParameterValue]) -> dict[str, object]:
    """The one variable that a playbook gets, every text in it marked as never to be evaluated."""
    return {
        VARIABLE: {
            key: {"__ansible_unsafe": value} if isinstance(value, str) else value
            for key, value in sorted(parameters.items())
        }
    }
