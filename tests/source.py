"""The project's own source as syntax trees: what the claims about its shape are checked on."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("agent", "connectors", "deploy", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted name, its size and its tree."""

    name: str
    path: Path
    lines: int
    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    """Every node of the tree."""

    def place(self, node: ast.AST) -> str:
        """`file:line` of a node, as an editor understands it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def modules(*packages: str) -> tuple[Module, ...]:
    """All modules below these packages (`agent`, `agent.core`), in order of their names."""
    found = []
    for package in packages:
        top = ROOT.joinpath(*package.split("."))
        files = [top.with_suffix(".py")] if top.with_suffix(".py").is_file() else top.rglob("*.py")
        found += [_read(file) for file in files]
    return tuple(sorted(found, key=lambda module: module.name))


@cache
def _read(file: Path) -> Module:
    parts = file.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(name, file, text.count("\n"), tree, tuple(ast.walk(tree)))


@cache
def known_names() -> frozenset[str]:
    """Dotted names of all our modules."""
    return frozenset(module.name for module in modules(*OURS))


def imports(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """What a module imports, wherever in it: our own modules in full, others by first name."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _resolve(alias.name), node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.place(node)}: imports are absolute"
            for alias in node.names:
                yield _resolve(f"{node.module}.{alias.name}"), node


def _resolve(name: str) -> str:
    parts = name.split(".")
    if parts[0] not in OURS:
        return parts[0]
    while parts and ".".join(parts) not in known_names():
        parts.pop()
    return ".".join(parts) or name


def is_standard(name: str) -> bool:
    """Whether it comes with Python."""
    return name in sys.stdlib_module_names


def is_within(name: str, packages: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether a dotted name is one of these, or lies below one of them."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def most_special(table: Mapping[str, object], name: str) -> str:
    """The longest of the table's packages that a dotted name lies in; empty where there is none."""
    parts = name.split(".")
    while parts and ".".join(parts) not in table:
        parts.pop()
    return ".".join(parts)


def called(node: ast.AST) -> str:
    """`asyncio.create_task` for a call of it; empty for what has no plain name."""
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def dotted(node: ast.AST) -> str:
    """A name or a chain of attributes as text; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return ""


def calls(searched: Iterable[Module], names: tuple[str, ...]) -> Iterator[str]:
    """Where these functions are called, whatever comes before the last two parts of their name."""
    for module in searched:
        for node in module.nodes:
            name = called(node)
            if name in names or ".".join(name.split(".")[-2:]) in names:
                yield f"{module.place(node)}: calls {name}"


def told(found: list[str]) -> str:
    """All violations, one a line, for whoever has to mend them."""
    return "\n".join(["", *sorted(set(found))])
