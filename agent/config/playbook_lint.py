"""Refuses playbooks that would let a value from outside become more than a value.

Marking a value as unsafe keeps Ansible from evaluating it; it does not keep a playbook from
handing it to a shell, a path or a host pattern. Works on YAML and its positions alone.
Not here: whether Ansible accepts the playbook (its own syntax check does that).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import yaml

from agent.config.collections import Collections
from agent.config.documents import shown
from agent.config.taint import INPUT, foreign_names, mentions, names_in, pairs
from agent.config.task_lint import TaskLint
from agent.errors import Finding

GROUP = "targets"
FILE_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 64

_SHELLS = frozenset({"shell", "raw", "expect"})
_FREE_FORM = frozenset({"command", "script"})
_LOADS = frozenset(
    {"include_tasks", "import_tasks", "include_role", "import_role", "include_vars"}
    | {"import_playbook", "include", "vars_files"}
)
_PLACES = frozenset({"hosts", "delegate_to", "connection", "remote_user", "add_host"})
_LEAVING = {
    "delegate_to": "leaves the approved hosts",
    "local_action": "leaves the approved hosts",
    "add_host": "adds a host that nobody approved",
}
_TAKING = frozenset({"template", "copy", "script", "unarchive", "assemble"})
_VARIABLES = frozenset({"vars", "set_fact"})
_VARIABLE_FOLDERS = frozenset({"vars", "defaults", "group_vars", "host_vars"})
_TASK_FOLDERS = frozenset({"tasks", "handlers"})
_NAMESPACES = ("ansible.builtin.", "ansible.legacy.")
_RUNS = frozenset({"pipe", "lines"})
"""Lookups that run a command on the machine of the agent."""
_LOOKUP = re.compile(
    r"\b(?:lookup|query|q)\s*\(\s*(?:['\"](?:ansible\.\w+\.)?([\w.]+)['\"]|([^'\"\s]))([^{}]*)"
)
_BY_NAME = re.compile(r"\b(?:hostvars|groups|vars)\s*\[([^\]]*)")
_FILE_OPTIONS = ("file", "name", "dir", "tasks_from", "vars_from", "defaults_from", "handlers_from")
_SHELL_PROGRAMS = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "python", "python3", "perl", "ruby"}
)
_ITEMS = re.compile(r"\[[^\[\]]*\]")
"""Within a list that is written out, each value stays one item."""
_OWN_TEMPLATE = re.compile(r"\{\{.*\}\}|\{%.*%\}", re.DOTALL)


def lint_folder(folder: Path, collections: Collections | None = None) -> tuple[Finding, ...]:
    """Everything to object to in the YAML files of a remediation, in order of place."""
    findings: list[Finding] = []
    roots: dict[Path, yaml.Node] = {}
    for path in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml"))):
        if path.name != "remediation.yaml" and path.is_file():
            read = _read(path)
            if isinstance(read, yaml.Node):
                roots[path] = read
            elif read is not None:
                findings.append(read)
    files = [(root, _is_variables(path)) for path, root in roots.items()]
    said, heard = names_in(foreign_names(files, heard=False)), names_in(foreign_names(files))
    tasks = TaskLint(folder, collections or Collections())
    for path, root in roots.items():
        finder = Finder(path, said, heard)
        findings += finder.walk(root, depth=0)
        if _is_variables(path):
            findings += finder.variables(root)
        if path.parent == folder or path.parent.name in _TASK_FOLDERS:
            findings += finder.placed(tasks.plays(root))
    return tuple(sorted(set(findings)))


def lint_playbook(path: Path, *, text: str | None = None) -> tuple[Finding, ...]:
    """What to object to in one playbook or task file alone; `text` stands in for its content."""
    read = _read(path, text)
    if not isinstance(read, yaml.Node):
        return () if read is None else (read,)
    said, heard = (names_in(foreign_names([(read, False)], heard=each)) for each in (False, True))
    return tuple(sorted(set(Finder(path, said, heard).walk(read, depth=0))))


def _read(path: Path, text: str | None = None) -> yaml.Node | Finding | None:
    """Its nodes, or why it cannot be judged; None where it is empty."""
    if text is None and path.stat().st_size > FILE_BYTES_MAX:
        return _finding(path, None, f"is larger than {FILE_BYTES_MAX} bytes", "Split it.")
    try:
        content = path.read_text("utf-8") if text is None else text
        alias = next((e for e in yaml.parse(content) if isinstance(e, yaml.AliasEvent)), None)
        if alias is not None:
            # An alias may repeat an alias: what is a line to read is a world to walk.
            return _finding(path, alias.start_mark, "uses a YAML alias", "Write it out.")
        return yaml.compose(content, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as unreadable:
        mark = getattr(unreadable, "problem_mark", None)
        return _finding(path, mark, "is not YAML that can be read", "Mend its syntax.")


def _is_variables(path: Path) -> bool:
    return bool({path.parent.name, path.parent.parent.name} & _VARIABLE_FOLDERS)


class Mark(Protocol):
    """A place in a file, counted from zero, as either of YAML's readers gives it."""

    line: int
    column: int


class Finder:
    """Walks one file's nodes and objects to what must not stand there."""

    def __init__(self, path: Path, said: re.Pattern[str], heard: re.Pattern[str]) -> None:
        self._path = path
        self._said = said
        """What finds a variable that holds text from outside as it came..."""
        self._names = heard
        """...and one that may also hold what a host answered to it."""

    def walk(self, node: yaml.Node, *, depth: int) -> Iterator[Finding]:
        """Findings in `node` and all below it."""
        if depth > DEPTH_MAX:
            yield self._at(node, f"is nested deeper than {DEPTH_MAX}", "Flatten it.")
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield from self._pair(key, value)
                yield from self.walk(value, depth=depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self.walk(item, depth=depth + 1)
        else:
            yield from self._template(node)

    def placed(self, objections: Iterable[tuple[yaml.Node, str, str]]) -> Iterator[Finding]:
        """What others object to in this file."""
        for node, message, hint in objections:
            yield self._at(node, message, hint)

    def variables(self, node: yaml.Node) -> Iterator[Finding]:
        """Findings in names of variables: some of them tell Ansible where and how to act."""
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if _text(key).startswith("ansible_"):
                yield self._at(
                    key,
                    f"`{_text(key)}` changes how and where Ansible acts",
                    "Leave it out: hosts and the way to them come from the map.",
                )

    def _template(self, node: yaml.Node) -> Iterator[Finding]:
        for name, computed, arguments in _LOOKUP.findall(_text(node)):
            if name in _RUNS:
                yield self._at(
                    node,
                    f"runs a command on the controller by lookup('{name}')",
                    "Use a task with `ansible.builtin.command` and `argv`.",
                )
            elif computed or self._names.search(arguments):
                what = f"lookup('{name}')" if name else "lookup of a computed kind"
                yield self._at(
                    node,
                    f"{what} would read what a value from outside names",
                    "Name it yourself, and choose between several by a condition.",
                )
        if any(self._names.search(inside) for inside in _BY_NAME.findall(_text(node))):
            yield self._at(
                node,
                "a value from outside would name the variable or host that is read",
                "Compare the value with names that you write out.",
            )

    def _pair(self, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        name = _plain_name(_text(key))
        if name in _SHELLS:
            yield self._at(
                key,
                f"`{name}` gives its text to a shell",
                "Use `ansible.builtin.command` with `argv`, or a module made for the purpose.",
            )
        elif name in _FREE_FORM:
            yield from self._command(name, key, value)
        elif name in _LOADS:
            yield from self._load(name, key, value)
        elif name in _LEAVING:
            yield self._at(key, f"`{name}` {_LEAVING[name]}", f"Play it on `{GROUP}`.")
        elif name in _PLACES:
            yield from self._place(name, key, value)
        elif name in _TAKING:
            yield from self._take(name, key, value)
        elif name in _VARIABLES:
            yield from self.variables(value)
        elif name == "fetch" and mentions(_option(value, "dest"), self._names):
            yield self._at(key, f"`fetch` would write where {INPUT} says", "Name the file.")
        elif name.startswith("with_"):
            yield from self._loop(name, key, value)

    def _loop(self, name: str, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        kind = name.removeprefix("with_")
        if kind in _RUNS:
            yield self._at(
                key, f"`{name}` runs a command on the controller", "Use `command` with `argv`."
            )
        elif kind not in ("items", "list", "dict") and mentions(value, self._names):
            yield self._at(
                key, f"`{name}` would read what {INPUT} names", "Use `loop`, and names of your own."
            )

    def _load(self, name: str, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        files = _files_of(value)
        if mentions(value if name == "include" else files, self._names):
            yield self._at(
                key,
                f"`{name}` would load a file named by {INPUT}",
                "Name the file, and choose between several with `when:`.",
            )
        elif any(_is_outside(_text(file)) for file in _scalars(files)):
            yield self._at(
                key,
                f"`{name}` loads a file outside of the folder, which no digest covers",
                "Copy it into the folder, and name it from there.",
            )

    def _take(self, name: str, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        source = _option(value, "src")
        is_remote = _text(_option(value, "remote_src")).lower() in ("true", "yes")
        if source is None or is_remote:
            return
        if mentions(source, self._names):
            does = "evaluate" if name == "template" else "send"
            yield self._at(key, f"`{name}` would {does} a file named by {INPUT}", "Name the file.")
        elif _is_outside(_text(source)):
            yield self._at(
                key,
                f"`{name}` takes a file of the agent's machine, which no digest covers",
                "Copy it into the folder, or say `remote_src: true`.",
            )

    def _command(self, name: str, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        if isinstance(value, yaml.ScalarNode) or _option(value, "cmd") is not None:
            free = value if isinstance(value, yaml.ScalarNode) else _option(value, "cmd")
            # Text without a template is split the same way every time; it is data that splits.
            if name == "command" or _OWN_TEMPLATE.search(_text(free)):
                yield self._at(
                    key,
                    f"free-form `{name}` splits values into further arguments",
                    "Write `argv:` with one list item an argument.",
                )
        elif (argv := _option(value, "argv")) is not None and self._said.search(
            _ITEMS.sub("", _text(argv))
        ):
            yield self._at(
                argv,
                f"`argv` is made of {INPUT} as a whole, so a value decides how many arguments",
                "Write a list with one item an argument.",
            )
        elif argv is not None and self._is_shell(argv):
            yield self._at(
                argv,
                f"`argv` starts a shell on text that holds {INPUT}",
                "Call the program itself; no shell is needed to pass an argument.",
            )

    def _place(self, name: str, key: yaml.Node, value: yaml.Node) -> Iterator[Finding]:
        if name == "hosts" and _text(value) not in (GROUP, "all"):
            yield self._at(
                key,
                "`hosts` reaches beyond what was approved",
                f"Write `hosts: {GROUP}`: the inventory holds exactly the approved hosts.",
            )
        elif name != "hosts" and mentions(value, self._names):
            yield self._at(key, f"`{name}` would be chosen by {INPUT}", "Write it out.")
        elif name in ("connection", "remote_user"):
            yield self._at(
                key, f"`{name}` goes another way than the map says", "Leave it out: the map says."
            )

    def _is_shell(self, argv: yaml.Node) -> bool:
        if not isinstance(argv, yaml.SequenceNode) or not argv.value:
            return False
        words = [_text(item) for item in argv.value]
        program = words[0].rpartition("/")[2]
        is_inline = any(re.fullmatch(r"-[a-z]*c|-e|--command", word) for word in words[1:])
        return program in _SHELL_PROGRAMS and is_inline and any(map(self._names.search, words))

    def _at(self, node: yaml.Node, message: str, hint: str) -> Finding:
        return _finding(self._path, node.start_mark, message, hint)


def _finding(path: Path, mark: Mark | None, message: str, hint: str) -> Finding:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding(file=shown(path), line=line, column=column, message=message, hint=hint)


def _plain_name(text: str) -> str:
    for namespace in _NAMESPACES:
        text = text.removeprefix(namespace)
    return text


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _option(node: yaml.Node, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if _text(key) == name), None)


def _files_of(value: yaml.Node) -> yaml.Node:
    """What names the file: `file:`, `name:`, `tasks_from:` and the like, or the text itself."""
    if not isinstance(value, yaml.MappingNode):
        return value
    named = [node for name, node in pairs(value) if name in _FILE_OPTIONS]
    return yaml.SequenceNode(tag="", value=named)


def _scalars(node: yaml.Node) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _is_outside(path: str) -> bool:
    return path.startswith(("/", "~")) or ".." in path.split("/")
