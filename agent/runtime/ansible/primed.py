"""What every play would do first, done once in the warm process: plug-ins read, modules packed.

Runs in the fork server, never in the agent. Ansible is another program under another licence: its
parts are reached by name. A step that another version lacks is done by each play again.
Not here: importing its modules (`installation.PRELOADED`).
"""

import importlib
import os
import warnings
from collections.abc import Mapping
from typing import Any

from agent.runtime.ansible.processes import die_with_parent

PLUGINS: Mapping[str, tuple[str, ...]] = {
    "action_loader": ("command", "normal", "service"),
    "cache_loader": ("memory",),
    # Not runner's own: it reads the folder of its run when it is loaded.
    "callback_loader": ("default", "junit", "minimal", "oneline", "tree"),
    "inventory_loader": ("yaml",),
    "strategy_loader": ("linear",),
}
"""Those of the others that a small play needs."""
READ_WHOLE = ("become_loader", "connection_loader", "shell_loader")
"""The kinds of which each play reads every plug-in."""


MODULES = ("command", "service", "setup", "systemd_service")
"""Packed with all that they import, which takes longer than playing them: those most used."""


def prime() -> None:
    """Have plug-ins read and modules packed. Only time is lost where this is not called.

    Raises ImportError, AttributeError, KeyError or TypeError where this Ansible is another one.
    """
    # Each play sets the finder up again, finds that it is, and would say so in its output.
    warnings.filterwarnings("ignore", message="AnsibleCollectionFinder has already been configured")
    plugins = importlib.import_module("ansible.plugins.loader")
    plugins.init_plugin_loader()
    # Its table of what moved where takes a tenth of a second to read.
    importlib.import_module("ansible_collections.ansible.builtin")
    importlib.import_module("ansible.vars.plugins")._prime_vars_loader()
    for loader, names in PLUGINS.items():
        for name in names:
            getattr(plugins, loader).get(f"ansible.builtin.{name}", class_only=True)
    for loader in READ_WHOLE:
        list(getattr(plugins, loader).all(class_only=True))
    parent = os.getpid()
    if os.fork() == 0:
        # Apart, and waited for by nobody: what it needs of memory every child would share for ever.
        try:
            die_with_parent(parent)
            _pack(plugins.module_loader)
        finally:
            os._exit(0)


def _pack(modules: Any) -> None:
    """Leave packed modules in the folder for temporary files: a run begins with a copy of it."""
    packer = importlib.import_module("ansible.executor.module_common")
    compression = importlib.import_module("ansible.constants").DEFAULT_MODULE_COMPRESSION
    templar = importlib.import_module("ansible.template").Templar(loader=None)
    for name in MODULES:
        found = modules.find_plugin_with_context(f"ansible.builtin.{name}")
        packer.modify_module(
            module_name=found.resolved_fqcn,
            module_path=found.plugin_resolved_path,
            module_args={},
            templar=templar,
            task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
            module_compression=compression,
        )
