"""Which variables of a remediation's files hold text from outside, however often it was renamed.

Follows `vars:`, `set_fact`, `register` and loops over all files at once, and errs on the side of
calling too much foreign. Not here: what may be done with such text (`playbook_lint`).
"""

import re
from collections.abc import Iterable, Iterator

import yaml

INPUT = "agent_input"
ROUNDS_MAX = 50
NUMBER = re.compile(r"\s*\{\{[^{}]*\|\s*int\s*\}\}\s*")
"""A template that ends in a number, whatever it began with."""
CONDITION = re.compile(r"\bif\b[^{}]*?\belse\b")
"""What only chooses between two values is in neither."""
KEYWORDS = frozenset(
    """action always any_errors_fatal args async become become_exe become_flags become_method
    become_user block changed_when check_mode collections connection debugger delay delegate_facts
    delegate_to diff environment failed_when gather_facts ignore_errors ignore_unreachable listen
    local_action loop loop_control module_defaults name no_log notify poll port register
    remote_user rescue retries run_once tags throttle timeout until vars when""".split()  # noqa: SIM905
)
"""What a task may say beside its module."""
LOOPS = re.compile(r"loop|with_[a-z_]+")


def foreign_names(roots: Iterable[tuple[yaml.Node, bool]], *, heard: bool = True) -> frozenset[str]:
    """Names of all variables that may hold it; each root with whether it is a file of variables.

    With `heard` also what a host answered to a task that was given such text.
    """
    given = [pair for root, is_variables in roots for pair in _given(root, is_variables, heard)]
    known = {INPUT}
    for _ in range(ROUNDS_MAX):
        mentioned = names_in(known)
        more = {name for name, node in given if name not in known and mentions(node, mentioned)}
        if not more:
            break
        known |= more
    return frozenset(known)


def names_in(names: Iterable[str]) -> re.Pattern[str]:
    """What finds one of these names, as a word of its own."""
    return re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(map(re.escape, names)))})\b")


def mentions(node: yaml.Node | None, names: re.Pattern[str]) -> bool:
    """Whether one of the names stands anywhere in it."""
    if isinstance(node, yaml.MappingNode):
        return any(mentions(part, names) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode):
        return any(mentions(item, names) for item in node.value)
    if not isinstance(node, yaml.ScalarNode) or NUMBER.fullmatch(node.value):
        return False
    return names.search(CONDITION.sub("", node.value)) is not None


def _given(node: yaml.Node, is_variables: bool, heard: bool) -> Iterator[tuple[str, yaml.Node]]:
    """Every variable that is set in it, with what it is made of."""
    if is_variables:
        yield from pairs(node)
    for mapping in mappings(node):
        for name, value in pairs(mapping):
            plain = name.rpartition(".")[2]
            if plain in ("vars", "set_fact"):
                yield from pairs(value)
            elif heard and name == "register" and isinstance(value, yaml.ScalarNode):
                for module, arguments in pairs(mapping):
                    if module not in KEYWORDS:
                        yield value.value, arguments
            elif LOOPS.fullmatch(name):
                yield _loop_variable(mapping), value


def _loop_variable(task: yaml.MappingNode) -> str:
    control = next((value for name, value in pairs(task) if name == "loop_control"), None)
    named = next((v for name, v in pairs(control) if name == "loop_var"), None)
    return named.value if isinstance(named, yaml.ScalarNode) else "item"


def mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every mapping in it, itself included."""
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from mappings(item)


def pairs(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    """The names of a mapping with their values; empty for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
