"""Puts the console's third-party browser code into the wheel, so that its users need no npm."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserCode(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Runs before the wheel is packed; an editable install (a checkout) is left as it is."""

    PLUGIN_NAME = "browser-code"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Install by lock file where needed, and name the ignored folder as part of the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        assets = _load(root / "agent" / "web" / "assets.py")
        if not assets.is_current():
            assets.install()
        build_data["artifacts"].append("agent/web/static/vendor/*")


def _load(path: Path) -> ModuleType:
    """The module without its package: the build environment has none of our dependencies."""
    spec = importlib.util.spec_from_file_location("watchkeeper_assets", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
