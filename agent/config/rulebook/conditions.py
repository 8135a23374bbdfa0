"""Conditions of ansible-rulebook in our own language (CEL), with the same answers.

There, a part about something that an event does not have neither holds nor fails to hold: it is
passed over. CEL's errors behave just so in `&&`, `||` and `!`. `holds` and `fails` write the same
without errors, for use inside other conditions.
"""

import json
import re

from agent.config.matchers import refuse_bad_pattern
from agent.config.rulebook.grammar import (
    Compared,
    GrammarError,
    Items,
    Joined,
    Literal,
    Node,
    Not,
    Path,
    Tested,
)

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    (
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"),
        *("in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void"),
        "while",
    )
)
_ALWAYS = tuple(("event", "alert", part) for part in ("labels", "annotations", "status"))
"""What every event of an alert has."""
_PATTERNS = ("match", "search", "regex")
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def condition_of(node: Node) -> str:
    """The condition in CEL. Raises GrammarError for what cannot be said in it."""
    _refuse_lone_absence(node, is_beside=False)
    return _cel(node)


def holds(node: Node) -> str:
    """A condition that is true where this one holds, else false; never an error."""
    return _known(node, is_true=True)


def fact_of(path: Path) -> str:
    """The fact of ours that a path means, such as `alert.labels.host`. Raises GrammarError."""
    return _text_fact(path)


def _cel(node: Node) -> str:
    match node:
        case Joined(word=word, parts=parts):
            return (" && " if word == "and" else " || ").join(map(_inner, parts))
        case Not(part=Tested(name="defined", subject=subject)):
            return f"!({_is_defined(subject)})"
        case Not(part=Compared(left=left, operator="==", right=right, column=column)):
            return _comparison(Compared(left, "!=", right, column))
        case Not(part=part):
            return f"!({_cel(part)})"
        case Compared():
            return _comparison(node)
        case Tested(name="defined", subject=subject):
            return _is_defined(subject)
        case Tested():
            return _matches(node)
        case Literal(value=bool() as value):
            return "true" if value else "false"
    raise GrammarError(node.column, "this is no condition", "Compare it with something.")


def _refuse_lone_absence(node: Node, *, is_beside: bool) -> None:
    """`is not defined` alone holds for nothing there, though it says something else."""
    match node:
        case Not(part=Tested(name="defined")) if not is_beside:
            said = "`is not defined` holds only beside another condition joined by `and`"
            raise GrammarError(node.column, said, "Say with `and` which alerts it is about.")
        case Joined(word=word, parts=parts):
            for part in parts:
                _refuse_lone_absence(part, is_beside=word == "and")
        case Not(part=part) if not isinstance(part, Tested):
            _refuse_lone_absence(part, is_beside=False)


def _inner(node: Node) -> str:
    return f"({_cel(node)})" if isinstance(node, Joined) else _cel(node)


def _known(node: Node, *, is_true: bool) -> str:
    """Where the node is known to be so, with every label asked for before it is used."""
    match node:
        case Joined(word=word, parts=parts):
            joint = " && " if (word == "and") == is_true else " || "
            return "(" + joint.join(_known(part, is_true=is_true) for part in parts) + ")"
        case Not(part=part):
            return _known(part, is_true=not is_true)
        case Literal(value=bool() as value):
            return "true" if value == is_true else "false"
        case Tested(name="defined", subject=subject):
            defined = _is_defined(subject)
            return f"({defined})" if is_true else f"!({defined})"
    asked = _asked_first(node)
    said = _cel(node) if is_true else f"!({_cel(node)})"
    return "(" + " && ".join([*asked, said]) + ")"


def _asked_first(node: Node) -> list[str]:
    parts = {Compared: ("left", "right"), Tested: ("subject",)}.get(type(node), ())
    paths = [getattr(node, part) for part in parts]
    return [_is_defined(p) for p in paths if isinstance(p, Path) and _is_text(p)]


def _comparison(node: Compared) -> str:
    left, operator, right = node.left, node.operator, node.right
    if operator == "in":
        return _is_among(node)
    if isinstance(left, Literal) and isinstance(right, Path):
        left, operator, right = right, _MIRRORED[operator], left
    if not isinstance(left, Path):
        raise GrammarError(node.column, "nothing of the alert is compared here")
    if left.steps == ("event", "alert", "status"):
        return _status(left, operator, right)
    if isinstance(right, Path):
        return f"{_text_fact(left)} {operator} {_text_fact(right)}"
    return f"{_text_fact(left)} {operator} {_text(right)}"


def _is_among(node: Compared) -> str:
    if not isinstance(node.left, Path) or not isinstance(node.right, Items):
        said = "`in` needs something of the alert before it, and a list of texts behind it"
        raise GrammarError(node.column, said)
    items = ", ".join(_text(item) for item in node.right.items)
    return f"{_text_fact(node.left)} in [{items}]"


def _matches(node: Tested) -> str:
    if node.name not in _PATTERNS:
        said = f"`is {node.name}` is not understood here"
        raise GrammarError(node.column, said, "Use ==, in, `is defined` or `is search(...)`.")
    if not isinstance(node.subject, Path) or len(node.arguments) != 1:
        raise GrammarError(node.column, f"`{node.name}` takes one pattern, about one label")
    (pattern,) = node.arguments
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise GrammarError(pattern.column, "a pattern must be a text in quotes")
    text = _flags(node) + (f"^(?:{pattern.value})" if node.name == "match" else pattern.value)
    try:
        refuse_bad_pattern(text)
    except ValueError as error:
        said = str(error)
        hint = "RE2 has neither look-around nor back references; write it without them."
        raise GrammarError(pattern.column, said, hint) from None
    return f"{_text_fact(node.subject)}.matches({_quoted(text)})"


def _flags(node: Tested) -> str:
    flags = ""
    for name, value in node.options:
        known = {"ignorecase": "i", "multiline": "m"}.get(name)
        if known is None or not isinstance(value, Literal) or not isinstance(value.value, bool):
            raise GrammarError(node.column, f"the option `{name}` is not understood here")
        flags += known if value.value else ""
    return f"(?{flags})" if flags else ""


def _status(path: Path, operator: str, right: Node) -> str:
    """A rule is only ever asked about alerts that fire."""
    words = (right.value, operator) if isinstance(right, Literal) else ()
    if words in (("firing", "=="), ("resolved", "!=")):
        return "true"
    hint = "Nothing needs to be done about an alert that is over; leave the rule out."
    raise GrammarError(path.column, "a rule is asked about firing alerts only", hint)


def _is_defined(node: Node) -> str:
    if isinstance(node, Path):
        if node.steps == ("event", "alert") or node.steps in _ALWAYS:
            return "true"
        _text_fact(node)
        return f"{_quoted(str(node.steps[3]))} in alert.{node.steps[2]}"
    raise GrammarError(node.column, "only something of the alert can be defined")


def _is_text(path: Path) -> bool:
    return path.steps[:2] == ("event", "alert") and len(path.steps) == 4


def _text_fact(path: Path) -> str:
    match path.steps:
        case ("event", "alert", ("labels" | "annotations") as texts, str() as name):
            if _WORD.fullmatch(name) and name not in _RESERVED:
                return f"alert.{texts}.{name}"
            return f"alert.{texts}[{_quoted(name)}]"
        case ("event", "alert", *_):
            said = f"`{path}` is nothing that a rule here looks at"
            hint = "Use event.alert.labels.NAME or event.alert.annotations.NAME."
        case ("event", "meta", *_):
            said = f"`{path}` is set by ansible-rulebook's sources"
            hint = "Use alert.source, and let the service map say the host."
        case ("event", *_):
            said = f"`{path}` is no part of an Alertmanager event"
            hint = "Let the source's mapping make a label of it, and ask that label."
        case ("vars", *_):
            said, hint = f"`{path}` is given at the start of ansible-rulebook", "Write the value."
        case _:
            said = f"`{path}` is something that ansible-rulebook remembers"
            hint = "Write a rule about the alerts themselves, with `also` for other alerts."
    raise GrammarError(path.column, said, hint)


def _text(node: Node) -> str:
    if isinstance(node, Literal) and isinstance(node.value, str):
        return _quoted(node.value)
    if isinstance(node, Literal) and node.value is None:
        raise GrammarError(node.column, "a label is never null", "Ask `is defined`.")
    if isinstance(node, Literal):
        said = "a label is text: ansible-rulebook never finds it equal to, or beyond, a number"
        hint = f'Compare with a text ("{node.value}"), or write int(alert.labels.NAME) in our rule.'
        raise GrammarError(node.column, said, hint)
    raise GrammarError(node.column, "a text in quotes is needed here")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
