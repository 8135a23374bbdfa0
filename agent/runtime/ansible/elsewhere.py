"""Ends what a run that was cut short had begun on other machines.

SSH gives no signal to what it started: closing it leaves a task running that a host has begun. So
every session of a run carries its tag in the environment, and whoever cuts the run short asks each
host once more: what carries the tag there is killed until nothing of it lives. sshd must accept the
variable (`AcceptEnv LC_*`, as distributions ship it); where it does not, or where we are not root
and could miss what another user runs, the host is named as not certain.

Not here: what runs on our own machine (`processes`).
"""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from agent.model.remediation import Host
from agent.runtime.log import logger

log = logger("ansible")

VARIABLE = "LC_WATCHKEEPER_RUN"
"""`LC_*` is what sshd accepts by default on Debian, Ubuntu, Fedora, RHEL and SUSE."""
CONNECT_S = 5
HOST_S_MAX = 15.0
ALL_S_MAX = 40.0
AT_ONCE = 16
OVER = "over"
REAPER = f"""
[ "${VARIABLE}" = look ] || {{ echo "the variable is not accepted"; exit; }}
[ "$(id -u)" = 0 ] || {{ echo "not root"; exit; }}
unset {VARIABLE}
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=
  for each in /proc/[0-9]*; do
    if tr '\\0' '\\n' < "$each/environ" 2>/dev/null | grep -qxF '{VARIABLE}=TAG'; then
      found="$found ${{each#/proc/}}"
    fi
  done
  [ -n "$found" ] || {{ echo {OVER}; exit; }}
  kill -9 $found 2>/dev/null
  sleep 0.1
done
echo "something lives on"
"""
"""For any POSIX shell. The tag is ours: letters, digits, `-`, `_`, `.`, `@`."""


async def end_on_hosts(
    hosts: Sequence[Host], tag: str, *, known_hosts: Path, checking: str
) -> tuple[str, ...]:
    """The names of the hosts on which something of the run may live on; none where all is over.

    Takes `HOST_S_MAX` for a host and `ALL_S_MAX` for all of them at most, `AT_ONCE` at a time;
    hosts of our own machine are left out. Raises nothing.
    """
    room, over = asyncio.Semaphore(AT_ONCE), set[str]()
    remote = [host for host in hosts if host.connection != "local"]

    async def end(host: Host) -> None:
        async with room:
            said = await _ask(host, tag, known_hosts, checking)
        if said == OVER:
            over.add(host.name)
        else:
            log.warning("ansible.not_ended_elsewhere", host=host.name, why=said)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ALL_S_MAX), asyncio.TaskGroup() as asking:
            for host in remote:
                asking.create_task(end(host), name=f"end on {host.name}")
    return tuple(host.name for host in remote if host.name not in over)


def marking(tag: str) -> str:
    """What ssh is told so that everything it starts carries the tag."""
    return f"-o SetEnv={VARIABLE}={tag}"


async def _ask(host: Host, tag: str, known_hosts: Path, checking: str) -> str:
    """What the host answers, or why it does not."""
    command = (
        *("ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S}"),
        *("-o", "ControlMaster=no", "-o", "ControlPath=none"),
        *("-o", f"UserKnownHostsFile={known_hosts}", "-o", f"StrictHostKeyChecking={checking}"),
        *("-o", f"SetEnv={VARIABLE}=look", "-p", str(host.port), "-l", host.user),
        *(("-i", host.private_key_file) if host.private_key_file else ()),
        *(host.address, REAPER.replace("TAG", tag)),
    )
    try:
        asking = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return str(error)
    try:
        async with asyncio.timeout(HOST_S_MAX):
            said, _ = await asking.communicate()
    except TimeoutError:
        return "no answer in time"
    finally:
        with contextlib.suppress(ProcessLookupError):
            if asking.returncode is None:
                asking.kill()
                await asking.wait()
    return said.decode(errors="replace").strip()[-200:]
