"""How the code is written: sizes, handlers, tasks, secrets, docstrings, and tests that wait.

Every claim collects all its violations, each with file and line.
"""

import ast
from collections.abc import Iterator

from tests.source import (
    OURS,
    Function,
    Module,
    called,
    calls,
    dotted,
    imports,
    is_within,
    modules,
    told,
)
from tests.test_layers import COMPOSITION_ROOT, PURE

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

BROAD_EXCEPT = {
    "agent.web.server": (1, "one request"),
    "agent.runtime.perform": (1, "one effect"),
    # A run is an effect that lasts: its launch is one, its end is another.
    "agent.runtime.runs": (2, "one run"),
    # Nothing is swallowed: the error is handed to the one whose write it was.
    "agent.runtime.database": (1, "one caller's write"),
    # A forked child that must not return: its last word to its parent.
    "agent.runtime.snapshot_schedule": (1, "one child"),
    "agent.cli.main": (1, "one command"),
}
"""Where an error of any kind ends, how often in that file, and what ends with it."""

READERS_OF_YAML = ("agent.config.yaml_lines", "agent.config.playbook_lint")
SECRET_WORDS = ("token", "secret", "signature", "password", "api_key", "hmac")


def test_files_and_functions_are_short() -> None:
    """A file is read in one sitting, a function on one screen."""
    found = [
        f"{module.place(module.tree)}: {module.lines} lines"
        for module in modules(*OURS)
        if module.lines > FILE_LINES_MAX
    ]
    found += [
        f"{module.place(node)}: {node.name} has {_length(node)} lines"
        for module in modules(*OURS)
        for node in module.nodes
        if isinstance(node, Function) and _length(node) > FUNCTION_LINES_MAX
    ]

    assert not found, told(found)


def test_broad_handlers_stand_where_something_ends() -> None:
    """An error of any kind ends with one request, effect or command; elsewhere it is known."""
    broad = [
        (module.name, module.place(node))
        for module in modules("agent", "connectors", "deploy")
        for node in module.nodes
        if _is_broad(node)
    ]
    names = [name for name, _ in broad]
    found = [
        place for name, place in broad if names.count(name) > BROAD_EXCEPT.get(name, (0, ""))[0]
    ]

    assert not found, told(found)


def test_tasks_are_made_in_the_composition_root() -> None:
    """Elsewhere only inside a group that ends with the function which opened it."""
    found = [
        f"{module.place(node)}: {called(node)}"
        for module in modules("agent", "connectors")
        if module.name != COMPOSITION_ROOT
        for node in module.nodes
        if called(node).endswith(("create_task", "ensure_future", "run_coroutine_threadsafe"))
        and called(node).removesuffix(".create_task") not in _groups(module)
    ]

    assert not found, told(found)


def test_tasks_have_names() -> None:
    """A stuck task can be told from the others."""
    found = [
        module.place(node)
        for module in modules("agent")
        for node in module.nodes
        if isinstance(node, ast.Call)
        and called(node).endswith("create_task")
        and all(keyword.arg != "name" for keyword in node.keywords)
    ]

    assert not found, told(found)


def test_yaml_is_read_by_our_own_loader() -> None:
    """It knows places and refuses bombs and duplicate keys; nothing makes objects from YAML."""
    loading = ("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load")
    found = list(calls(modules(*OURS), loading))
    reading = ("yaml.safe_load", "yaml.safe_load_all", "yaml.compose", "yaml.parse")
    found += [
        call
        for module in modules("agent", "connectors", "deploy")
        if not is_within(module.name, READERS_OF_YAML)
        for call in calls((module,), reading)
    ]

    assert not found, told(found)


def test_secrets_are_compared_in_constant_time() -> None:
    """Nobody learns a token by how long its refusal takes."""
    found = [
        f"{module.place(node)}: compares a {_last_word(side)}"
        for module in modules("agent", "connectors")
        if not is_within(module.name, PURE)
        for node in module.nodes
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        for side in (node.left, *node.comparators)
        if _last_word(side).endswith(SECRET_WORDS)
    ]

    assert not found, told(found)


def test_everything_public_says_what_it_promises() -> None:
    """Each module, class and function that others may use begins with a docstring."""
    promised = _promises()
    found = [
        f"{module.place(node)}: {name} has no docstring"
        for module in modules("agent", "connectors", "deploy")
        for name, node in _public(module)
        if ast.get_docstring(node) is None and name not in promised
    ]

    assert not found, told(found)


def test_tests_do_not_sleep_or_patch() -> None:
    """They wait for what they claim, and hand in what they need instead of replacing it inside."""
    tests = tuple(m for m in modules("tests") if not m.name.startswith("tests.bench"))
    found = list(calls(tests, ("time.sleep", "sleep")))
    found += [
        f"{module.place(node)}: imports {name}"
        for module in tests
        for name, node in imports(module)
        if name in ("mock", "pytest_mock")
    ]
    found += [
        f"{module.place(node)}: patches {node.args[0].value!r}"
        for module in tests
        for node in module.nodes
        if isinstance(node, ast.Call)
        and called(node).endswith((".setattr", "patch"))
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]

    assert not found, told(found)


def _length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_broad(node: ast.AST) -> bool:
    broad = ("Exception", "BaseException")
    if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
        return any(dotted(argument) in broad for argument in node.args)
    if not isinstance(node, ast.ExceptHandler):
        return False
    if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
        return False
    if node.type is None:
        return True
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(dotted(kind) in broad for kind in kinds)


def _groups(module: Module) -> set[str]:
    return {
        dotted(item.optional_vars)
        for node in module.nodes
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if called(item.context_expr) == "asyncio.TaskGroup" and item.optional_vars is not None
    }


def _last_word(node: ast.AST) -> str:
    return dotted(node).split(".")[-1].lower()


def _promises() -> set[str]:
    """Methods that keep what a method of the same name in a base class promises."""
    classes = [
        node
        for module in modules("agent", "connectors", "deploy")
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
    ]
    documented = {
        f"{each.name}.{inner.name}"
        for each in classes
        for inner in each.body
        if isinstance(inner, Function) and ast.get_docstring(inner) is not None
    }
    return {
        f"{each.name}.{inner.name}"
        for each in classes
        for base in each.bases
        for inner in each.body
        if isinstance(inner, Function) and f"{dotted(base)}.{inner.name}" in documented
    }


def _public(module: Module) -> Iterator[tuple[str, ast.Module | ast.ClassDef | Function]]:
    if module.tree.body:
        yield module.name, module.tree
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.ClassDef | Function) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner
