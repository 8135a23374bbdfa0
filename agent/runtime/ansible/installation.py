"""The Ansible that is installed beside us: the command, its version, what to import ahead of time.

Ansible is another program under another licence: it is found by its package's metadata and
started by name, never imported here. Not here: starting it (`fork_server`).
"""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec
from pathlib import Path

from agent.errors import PermanentError

COMMAND = "ansible-playbook"
PACKAGE = "ansible-core"

PRELOADED = (
    "agent.runtime.ansible.supervisor",
    "multiprocessing.popen_fork",
    "multiprocessing.synchronize",
    *(
        f"ansible.{name}"
        for name in (
            "_internal._errors._task_timeout",
            "cli.playbook",
            "executor.module_common",
            "executor.process.worker",
            "executor.task_executor",
            "module_utils.basic",
            "module_utils.connection",
            "modules.command",
            "modules.service",
            "playbook.handler",
            "playbook.handler_task_include",
            "playbook.included_file",
            "playbook.role_include",
            "playbook.task_include",
            "plugins.action.command",
            "plugins.action.normal",
            "plugins.action.service",
            "plugins.become.sudo",
            "plugins.cache.memory",
            "plugins.callback.default",
            "plugins.connection.local",
            "plugins.connection.ssh",
            "plugins.filter.core",
            "plugins.inventory.yaml",
            "plugins.shell.sh",
            "plugins.strategy.linear",
            "plugins.test.core",
        )
    ),
)
"""Names that a play is sure to need; one that a version of Ansible lacks costs nothing."""

PRIMED = "agent.runtime.ansible.primed:prime"
"""What is called once these are imported."""

READ_AT_IMPORT = "ansible.constants:DEFAULT_LOCAL_TMP"
"""Where Ansible keeps temporary files: read once at import, so that each run must set it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One state of the installed Ansible."""

    call: str
    """`module:function` behind the command."""
    version: str
    release: Path
    """A file that every upgrade writes anew."""
    changed_ns: int
    callbacks: Path
    """The folder of ansible-runner's display callback."""

    def is_current(self) -> bool:
        """Whether this is still what is installed; cheap enough to ask before every run."""
        try:
            return self.release.stat().st_mtime_ns == self.changed_ns
        except OSError:
            return False


def find_installation() -> Installation:
    """What is installed now. Raises `PermanentError`, saying how to install it, when it is not."""
    try:
        package = distribution(PACKAGE)
        (command,) = entry_points(group="console_scripts", name=COMMAND)
        release = Path(str(package.locate_file("ansible/release.py")))
        changed_ns = release.stat().st_mtime_ns
    except (PackageNotFoundError, ValueError, OSError) as absent:
        raise PermanentError(
            "Ansible is not installed beside Watchkeeper, so no remediation can run. "
            "Install it into the same environment: pip install 'watchkeeper[ansible]'"
        ) from absent
    return Installation(
        call=command.value,
        version=package.version,
        release=release,
        changed_ns=changed_ns,
        callbacks=_callbacks(),
    )


def _callbacks() -> Path:
    runner = find_spec("ansible_runner")
    if runner is None or runner.origin is None:
        raise PermanentError("ansible-runner is not installed: pip install ansible-runner")
    return Path(runner.origin).parent / "display_callback" / "callback"
