"""The condition language of ansible-rulebook, as far as it is documented, as a tree.

A grammar for Lark: LALR(1), so the time is linear whatever a file holds, with a place for every
part. `and` and `or` bind alike there; who mixes them must write brackets, as its documentation
asks. Not here: what of it can be said in our conditions (`conditions`).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

CONDITION_CHARS_MAX = 4_000
NESTED_MAX = 100
"""Brackets and negations of one condition, which may stand inside each other."""

_NEGATION = re.compile(r"\bnot\b")

GRAMMAR = r"""
start: [path ASSIGN] logical
?logical: unary | unary (AND unary)+ -> conjunction | unary (OR unary)+ -> disjunction
?unary: NOT unary -> negation | comparison
?comparison: value
    | value COMPARED value -> compared
    | value "in" value -> contained
    | value NOT "in" value -> not_contained
    | value "is" test -> tested
    | value "is" NOT test -> not_tested
test: NAME | NAME "(" [argument ("," argument)*] ")"
?argument: value | NAME "=" value -> option
?value: path | text | number | boolean | null | items | "(" logical ")"
path: ROOT step*
step: "." NAME -> name_step | "[" STRING "]" -> text_step | "[" INTEGER "]" -> number_step
items: "[" [value ("," value)*] "]"
text: STRING
number: NUMBER | INTEGER
boolean: BOOLEAN
null: "null"
ASSIGN.3: "<<"
AND: "and"
OR: "or"
NOT: "not"
COMPARED: "==" | "!=" | ">=" | "<=" | ">" | "<"
ROOT.2: /(events|event|facts|fact|vars)(?![A-Za-z0-9_])/
BOOLEAN.2: /(true|True|false|False)(?![A-Za-z0-9_])/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
STRING: /"[^"\n]*"|'[^'\n]*'/
INTEGER: /[+-]?[0-9]+/
NUMBER: /[+-]?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)/
%import common.WS
%ignore WS
"""


@dataclass(frozen=True, slots=True)
class Path:
    """`event.alert.labels.host`, by its steps."""

    steps: tuple[str | int, ...]
    column: int

    def __str__(self) -> str:
        return ".".join(str(step) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written."""

    value: str | int | float | bool | None
    column: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values."""

    items: "tuple[Node, ...]"
    column: int


@dataclass(frozen=True, slots=True)
class Compared:
    """`left operator right`, the operator among == != >= <= > < in."""

    left: "Node"
    operator: str
    right: "Node"
    column: int


@dataclass(frozen=True, slots=True)
class Tested:
    """`subject is name(arguments)`."""

    subject: "Node"
    name: str
    arguments: "tuple[Node, ...]"
    options: "tuple[tuple[str, Node], ...]"
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite, where both are known."""

    part: "Node"
    column: int


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts (`and`), or one of them (`or`)."""

    word: str
    parts: "tuple[Node, ...]"
    column: int


Node = Path | Literal | Items | Compared | Tested | Not | Joined


class GrammarError(Exception):
    """The text is no condition that is understood here: where (from 1), what, and a way out."""

    def __init__(self, column: int, message: str, hint: str = "") -> None:
        super().__init__(f"{column}: {message}")
        self.column, self.message, self.hint = column, message, hint


def parse(text: str) -> Node:
    """The tree of a condition. Raises GrammarError."""
    if len(text) > CONDITION_CHARS_MAX:
        raise GrammarError(1, f"a condition is longer than {CONDITION_CHARS_MAX} characters")
    if text.count("(") + len(_NEGATION.findall(text)) > NESTED_MAX:
        raise GrammarError(1, f"more than {NESTED_MAX} brackets and negations stand here")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    found: Node = _Nodes().transform(tree)
    return found


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _explained(text: str, error: UnexpectedInput) -> GrammarError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return GrammarError(len(text) + 1, "the condition ends too early")
    column = error.column if isinstance(error.column, int) and error.column > 0 else len(text) + 1
    rest = text[column - 1 :].lstrip()
    if rest.startswith(("and", "or")):
        said = "`and` and `or` are mixed without brackets"
        return GrammarError(column, said, "Write brackets around what belongs together.")
    if rest[:1] in ("+", "-", "*", "/"):
        said = "arithmetic is not understood here"
        return GrammarError(column, said, "Compare with the value itself.")
    if rest.startswith(("contains", "not contains")):
        said = "`contains` asks lists, and no label is one"
        return GrammarError(column, said, "Use `is search(...)` for a part of a text.")
    word = (rest.split() or ["nothing"])[0][:40]
    return GrammarError(column, f"`{word}` is not understood here", "Texts need quotes.")


@v_args(meta=True)
class _Nodes(Transformer[Token, Any]):
    """Lark's tree as ours."""

    def start(self, meta: Any, parts: list[Any]) -> Any:
        # A name that an event is kept by changes nothing; a condition that uses it is refused.
        return parts[-1]

    def conjunction(self, meta: Any, parts: list[Any]) -> Joined:
        return Joined("and", tuple(p for p in parts if not isinstance(p, Token)), meta.column)

    def disjunction(self, meta: Any, parts: list[Any]) -> Joined:
        return Joined("or", tuple(p for p in parts if not isinstance(p, Token)), meta.column)

    def negation(self, meta: Any, parts: list[Any]) -> Not:
        return Not(parts[-1], meta.column)

    def compared(self, meta: Any, parts: list[Any]) -> Compared:
        return Compared(parts[0], str(parts[1]), parts[2], meta.column)

    def contained(self, meta: Any, parts: list[Any]) -> Compared:
        return Compared(parts[0], "in", parts[-1], meta.column)

    def not_contained(self, meta: Any, parts: list[Any]) -> Not:
        return Not(self.contained(meta, parts), meta.column)

    def tested(self, meta: Any, parts: list[Any]) -> Tested:
        name, arguments, options = parts[-1]
        return Tested(parts[0], name, arguments, options, meta.column)

    def not_tested(self, meta: Any, parts: list[Any]) -> Not:
        return Not(self.tested(meta, parts), meta.column)

    def test(self, meta: Any, parts: list[Any]) -> tuple[str, tuple[Any, ...], tuple[Any, ...]]:
        options = tuple(part for part in parts[1:] if isinstance(part, tuple))
        arguments = tuple(part for part in parts[1:] if not isinstance(part, tuple))
        return str(parts[0]), arguments, options

    def option(self, meta: Any, parts: list[Any]) -> tuple[str, Any]:
        return str(parts[0]), parts[1]

    def path(self, meta: Any, parts: list[Any]) -> Path:
        return Path((str(parts[0]), *parts[1:]), meta.column)

    def name_step(self, meta: Any, parts: list[Any]) -> str:
        return str(parts[0])

    def text_step(self, meta: Any, parts: list[Any]) -> str:
        return str(parts[0])[1:-1]

    def number_step(self, meta: Any, parts: list[Any]) -> int:
        return int(parts[0])

    def items(self, meta: Any, parts: list[Any]) -> Items:
        return Items(tuple(parts), meta.column)

    def text(self, meta: Any, parts: list[Any]) -> Literal:
        return Literal(str(parts[0])[1:-1], meta.column)

    def number(self, meta: Any, parts: list[Any]) -> Literal:
        text = str(parts[0])
        return Literal(float(text) if {".", "e", "E"} & set(text) else int(text), meta.column)

    def boolean(self, meta: Any, parts: list[Any]) -> Literal:
        return Literal(str(parts[0]).lower() == "true", meta.column)

    def null(self, meta: Any, parts: list[Any]) -> Literal:
        return Literal(None, meta.column)
