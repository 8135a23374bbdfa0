"""Refuses playbooks that would let a value from outside become more than a value.

Marking a value as unsafe keeps Ansible from evaluating it; it does not keep a playbook from
handing it to a shell, a path or a host pattern. Works on YAML and its positions alone.
Not here: whether Ansible accepts the playbook (its own syntax check does that).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import yaml

from agent.errors import Finding

INPUT = "agent_input"
GROUP = "targets"
FILE_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 64

_SHELLS = frozenset({"shell", "raw", "expect"})
_FREE_FORM = frozenset({"command", "script"})
_LOADS = frozenset(
    {"include_tasks", "import_tasks", "include_role", "import_role", "include_vars"}
    | {"import_playbook", "include"}
)
_PLACES = frozenset({"hosts", "delegate_to", "connection", "remote_user", "vars_files"})
_LOCAL = frozenset({"local_action"})
_NAMESPACES = ("ansible.builtin.", "ansible.legacy.")
_PIPE = re.compile(r"(?:lookup|query|q)\s*\(\s*['\"](?:ansible\.builtin\.)?pipe['\"]")
_OWN_TEMPLATE = re.compile(r"\{\{.*\}\}|\{%.*%\}", re.DOTALL)


def lint_folder(folder: Path) -> tuple[Finding, ...]:
    """Everything to object to in the YAML files of a remediation, in order of place."""
    findings = [
        finding
        for path in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml")))
        if path.name != "remediation.yaml" and path.is_file()
        for finding in lint_playbook(path)
    ]
    return tuple(sorted(findings))


def lint_playbook(path: Path, *, text: str | None = None) -> tuple[Finding, ...]:
    """Everything to object to in one playbook or task file; `text` stands in for its content."""
    if text is None and path.stat().st_size > FILE_BYTES_MAX:
        return (_finding(path, None, f"is larger than {FILE_BYTES_MAX} bytes", "Split it."),)
    try:
        content = path.read_text("utf-8") if text is None else text
        alias = next((e for e in yaml.parse(content) if isinstance(e, yaml.AliasEvent)), None)
        if alias is not None:
            # An alias may repeat an alias: what is a line to read is a world to walk.
            return (_finding(path, alias.start_mark, "uses a YAML alias", "Write it out."),)
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as unreadable:
        mark = getattr(unreadable, "problem_mark", None)
        return (_finding(path, mark, "is not YAML that can be read", "Mend its syntax."),)
    if root is None:
        return ()
    return tuple(sorted(set(Finder(path).walk(root, depth=0))))


class Mark(Protocol):
    """A place in a file, counted from zero, as either of YAML's readers gives it."""

    line: int
    column: int


class Finder:
    """Walks one file's nodes and objects to what must not stand there."""

    def __init__(self, path: Path) -> None:
        self._path = path

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
        elif _PIPE.search(_text(node)):
            yield self._at(
                node,
                "runs a command on the controller by lookup('pipe')",
                "Use a task with `ansible.builtin.command` and `argv`.",
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
        elif name in _LOADS and _mentions_input(value):
            yield self._at(
                key,
                f"`{name}` would load a file named by {INPUT}",
                "Name the file, and choose between several with `when:`.",
            )
        elif name in _LOCAL:
            yield self._at(
                key, "`local_action` leaves the approved hosts", f"Play it on `{GROUP}`."
            )
        elif name in _PLACES:
            yield from self._place(name, key, value)
        elif name == "template" and _mentions_input(_option(value, "src")):
            yield self._at(
                key, f"`template` would evaluate a file named by {INPUT}", "Name the file."
            )
        elif name == "with_pipe":
            yield self._at(
                key, "`with_pipe` runs a command on the controller", "Use `command` with `argv`."
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
        elif (argv := _option(value, "argv")) is not None and INPUT in _text(argv):
            yield self._at(
                argv,
                f"`argv` is made of {INPUT} as a whole, so a value decides how many arguments",
                "Write a list with one item an argument.",
            )
        elif argv is not None and _is_shell(argv):
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
        elif name == "delegate_to":
            yield self._at(key, "`delegate_to` leaves the approved hosts", f"Play it on `{GROUP}`.")
        elif name != "hosts" and _mentions_input(value):
            yield self._at(key, f"`{name}` would be chosen by {INPUT}", "Write it out.")

    def _at(self, node: yaml.Node, message: str, hint: str) -> Finding:
        return _finding(self._path, node.start_mark, message, hint)


def _finding(path: Path, mark: Mark | None, message: str, hint: str) -> Finding:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding(file=str(path), line=line, column=column, message=message, hint=hint)


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


def _mentions_input(node: yaml.Node | None) -> bool:
    if isinstance(node, yaml.MappingNode):
        return any(_mentions_input(value) for _, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return any(_mentions_input(item) for item in node.value)
    return INPUT in _text(node)


def _is_shell(argv: yaml.Node) -> bool:
    if not isinstance(argv, yaml.SequenceNode) or not argv.value:
        return False
    words = [_text(item) for item in argv.value]
    program = words[0].rpartition("/")[2]
    is_inline = any(re.fullmatch(r"-[a-z]*c|-e|--command", word) for word in words[1:])
    programs = {"sh", "bash", "dash", "ash", "zsh", "ksh", "python", "python3", "perl", "ruby"}
    return program in programs and is_inline and any(INPUT in word for word in words)
