"""A Python that has an older ansible-core and, besides that, everything of this one.

Made once, outside of the checkout, and used by every later run.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.bench.servers import Unavailable

INSTALL_S_MAX = 240


def old_ansible(version: str) -> Path:
    """The interpreter. Raises `Unavailable`, with what pip said, where it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / "watchkeeper-tests" / f"ansible-core-{version}-python-{python}"
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        try:
            subprocess.run(
                [interpreter, "-m", "pip", "install", "--quiet", f"ansible-core=={version}.*"],
                check=True,
                capture_output=True,
                text=True,
                timeout=INSTALL_S_MAX,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
            said = str(failed.stderr or failed)
            raise Unavailable(f"ansible-core {version} cannot be installed: {said}") from failed
        (folder / "complete").touch()
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # Behind its own packages: what the older Ansible brings is found first.
    (site / "zz_project.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return interpreter
