"""Objects to modules, roles and keywords of a playbook's tasks: unknown, outside, or not checkable.

Knows what a play and a task are made of. Not here: what is done with text from outside
(`playbook_lint`), or whether Ansible accepts the playbook (its own syntax check).
"""

import re
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import yaml

from agent.config.collections import Collections
from agent.config.references import did_you_mean
from agent.config.taint import KEYWORDS, LOOPS, mentions, pairs

LISTS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
READING = re.compile(
    r"(?:.*_facts|.*_info|assert|debug|fail|find|getent|include_tasks|import_tasks|meta|ping|"
    r"setup|set_fact|slurp|stat|wait_for|wait_for_connection)"
)
"""Modules that change nothing on a host."""
ONLY_IN_CHECK_MODE = re.compile(r"(?<!not )\bansible_check_mode\b")
FOREVER = frozenset({"true", "yes", "on", "1"})
NEVER = frozenset({"false", "no", "off", "0"})
BUILT_IN = ("ansible.builtin.", "ansible.legacy.")

Objection = tuple[yaml.Node, str, str]
"""Where, what is wrong, and the way out."""


class TaskLint:
    """Objects to what stands in plays and tasks of one remediation's files."""

    def __init__(self, folder: Path, collections: Collections) -> None:
        self._folder = folder
        self._collections = collections

    def plays(self, root: yaml.Node) -> Iterator[Objection]:
        """Of a playbook, or of a file of tasks."""
        items = root.value if isinstance(root, yaml.SequenceNode) else []
        for item in items:
            names = {name for name, _ in pairs(item)}
            if "hosts" in names:
                yield from self._play(item)
            elif "import_playbook" not in names and "ansible.builtin.import_playbook" not in names:
                yield from self._task(item)

    def _play(self, play: yaml.Node) -> Iterator[Objection]:
        yield from _keywords(play)
        for name, value in pairs(play):
            items = value.value if isinstance(value, yaml.SequenceNode) else []
            for item in items:
                if name in LISTS:
                    yield from self._task(item)
                elif name == "roles":
                    yield from self._role(item)
            if name == "check_mode" and _word(value) not in FOREVER:
                yield value, "`check_mode` of a whole play: a preview would act", "Leave it out."

    def _task(self, task: yaml.Node) -> Iterator[Objection]:
        yield from _keywords(task)
        fields = dict(pairs(task))
        for name, value in pairs(task):
            if name in LISTS:
                for item in value.value if isinstance(value, yaml.SequenceNode) else []:
                    yield from self._task(item)
        called = [
            (key, value)
            for key, value in (task.value if isinstance(task, yaml.MappingNode) else [])
            if _word(key) not in KEYWORDS and not LOOPS.fullmatch(_word(key))
        ]
        for key, value in called:
            yield from self._module(key, _word(key))
            yield from self._role_of(_word(key), value)
        yield from _check_mode(fields, [(_word(key), value) for key, value in called])

    def _module(self, key: yaml.Node, name: str) -> Iterator[Objection]:
        short = _short(name)
        if "." in short:
            yield from self._of_collection(key, short)
        elif self._built_in and short not in self._built_in and not self._own(short):
            near = did_you_mean(short, sorted(self._built_in))
            hint = near or "Name it fully, as in `community.general.MODULE`."
            yield key, f"there is no module `{name}` in ansible-core", hint

    def _of_collection(self, key: yaml.Node, name: str) -> Iterator[Objection]:
        parts = name.split(".", 2)
        if len(parts) < 3:
            yield key, f"`{name}` is no module", "Name it as in `community.general.MODULE`."
            return
        own = self._folder.joinpath("collections", "ansible_collections", *parts[:2])
        folder = own if own.is_dir() else self._collections.folder_of((parts[0], parts[1]))
        if folder is None:
            said = f"the collection {parts[0]}.{parts[1]} is not installed"
            yield key, said, f"Install it: ansible-galaxy collection install {parts[0]}.{parts[1]}"
        elif not _has_module(folder, parts[2]):
            said = f"the collection {parts[0]}.{parts[1]} has no module `{parts[2]}`"
            yield key, said, "Mind the spelling, and the version that is installed."

    @cached_property
    def _built_in(self) -> frozenset[str]:
        """Of ansible-core; empty where it is not installed, and nobody can say."""
        try:
            folder = Path(str(distribution("ansible-core").locate_file("ansible/modules")))
        except PackageNotFoundError:
            return frozenset()
        return frozenset(path.stem for path in folder.glob("[a-z]*.py"))

    def _own(self, name: str) -> bool:
        libraries = [self._folder / "library", *self._folder.glob("roles/*/library")]
        return any((library / f"{name}.py").is_file() for library in libraries)

    def _role_of(self, module: str, value: yaml.Node) -> Iterator[Objection]:
        if _short(module) in ("include_role", "import_role"):
            named = next((v for name, v in pairs(value) if name == "name"), None)
            if named is not None:
                yield from self._role(named)

    def _role(self, item: yaml.Node) -> Iterator[Objection]:
        node = item
        if isinstance(item, yaml.MappingNode):
            named = [value for name, value in pairs(item) if name in ("role", "name")]
            node = named[0] if named else item
        name = _word(node)
        if (
            not re.fullmatch(r"[A-Za-z0-9_-]+", name)
            or not (self._folder / "roles" / name).is_dir()
        ):
            yield (
                node,
                f'the role "{name}" is not in this folder, so no digest covers it',
                f"Copy it to {self._folder.name}/roles/ and name it plainly.",
            )


def _keywords(node: yaml.Node) -> Iterator[Objection]:
    for name, value in pairs(node):
        if name == "collections":
            said = "`collections` hides where a module comes from"
            yield value, said, "Leave it out, and name modules fully."
        elif name == "action":
            yield value, "`action` hides the module", "Write the module's name as the key."
        elif name == "poll" and _word(value) == "0":
            said = "`poll: 0` leaves work behind that outlives the run"
            yield value, said, "Wait for it: poll every few seconds."
        elif name == "vars_prompt":
            yield value, "`vars_prompt` asks, and nobody is there", "Declare a parameter."


def _check_mode(
    fields: dict[str, yaml.Node], called: list[tuple[str, yaml.Node]]
) -> Iterator[Objection]:
    """Who looks at a preview relies on it touching nothing."""
    wanted = fields.get("check_mode")
    if wanted is None or _word(wanted) in FOREVER:
        return
    for name, value in called:
        changed = fields.get("changed_when")
        is_command = _short(name) == "command" and any(key == "argv" for key, _ in pairs(value))
        says_when = changed is not None and _word(changed) not in FOREVER
        condition = fields.get("when")
        # Written for previews alone: `lvextend --test`, say.
        says_when |= condition is not None and mentions(condition, ONLY_IN_CHECK_MODE)
        if not READING.fullmatch(_short(name)) and not (is_command and says_when):
            yield (
                wanted,
                f"`check_mode: {_word(wanted) or '...'}` has `{name}` act in a preview",
                "Leave it out. A command that only reads says so by `argv` and `changed_when`.",
            )
    if not called:
        yield wanted, "`check_mode` of a whole block: a preview would act", "Set it by task."


def _has_module(folder: Path, name: str) -> bool:
    last = name.rpartition(".")[2]
    for kind in ("modules", "action"):
        if next((folder / "plugins" / kind).rglob(f"{last}.*"), None) is not None:
            return True
    routes = folder / "meta" / "runtime.yml"
    if not routes.is_file():
        return False
    return (
        re.search(rf"^\s+{re.escape(name)}:", routes.read_text("utf-8", "replace"), re.M)
        is not None
    )


def _short(name: str) -> str:
    for namespace in BUILT_IN:
        name = name.removeprefix(namespace)
    return name


def _word(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""
