"""Getting the peers that we measure ourselves against, once, into a cache folder.

Alertmanager is the distribution's package, unpacked without being installed: no service starts
and no root is needed. ansible-rulebook comes from PyPI into a virtual environment of its own.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.bench.servers import Unavailable

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "watchkeeper-bench"
ALERTMANAGER_PACKAGE = "prometheus-alertmanager"
RULEBOOK_REQUIREMENTS = ("ansible-rulebook>=1.3,<2", "ansible-core>=2.19,<2.20", "ansible-runner")
JAVA_HOMES = Path("/usr/lib/jvm")
INSTALL_WITHIN_S = 900


def alertmanager() -> str:
    """The path of an Alertmanager binary. Raises Unavailable where none can be had."""
    for name in ("prometheus-alertmanager", "alertmanager"):
        if found := shutil.which(name):
            return found
    unpacked = CACHE / "alertmanager" / "usr" / "bin" / "prometheus-alertmanager"
    if not unpacked.exists():
        _unpack_alertmanager(CACHE / "alertmanager")
    return str(unpacked)


def _unpack_alertmanager(folder: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Unavailable("Alertmanager is not on PATH and there is no apt-get to fetch it with")
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"fetching {ALERTMANAGER_PACKAGE} (unpacked under {folder}, not installed)")
    _command(["apt-get", "download", "-q", ALERTMANAGER_PACKAGE], folder)
    packages = sorted(folder.glob(f"{ALERTMANAGER_PACKAGE}_*.deb"))
    _command(["dpkg", "-x", str(packages[-1]), str(folder)], folder)


def rulebook() -> tuple[str, dict[str, str]]:
    """The path of ansible-rulebook and the environment it needs.

    Raises Unavailable where there is no Java 17 or the installation fails.
    """
    environment = {"JAVA_HOME": str(_java_home()), "PYTHONUNBUFFERED": "1"}
    home = CACHE / "rulebook"
    program = home / "bin" / "ansible-rulebook"
    if not program.exists():
        _say(f"installing ansible-rulebook into {home} (once, about 200 MB)")
        venv.create(home, with_pip=True, clear=True)
        _command([str(home / "bin" / "pip"), "install", "-q", *RULEBOOK_REQUIREMENTS], home)
    # ansible-runner finds ansible-playbook by PATH.
    environment["PATH"] = f"{home / 'bin'}:{os.environ.get('PATH', '')}"
    return str(program), environment


def _java_home() -> Path:
    if given := os.environ.get("JAVA_HOME"):
        return Path(given)
    homes = sorted(JAVA_HOMES.glob("*-17-*")) if JAVA_HOMES.is_dir() else []
    if not homes:
        raise Unavailable("ansible-rulebook needs Java 17: set JAVA_HOME or install openjdk-17-jre")
    return homes[0]


def _command(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} failed: {error}") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unavailable(f"{Path(command[0]).name} failed: {last}")


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
