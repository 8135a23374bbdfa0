"""Matchers as people and tools write them in a query: `a="b"`, `a=~b`, `{a="b","ü.v"!~"c"}`."""

import re
from collections.abc import Iterable

import promql_parser

from agent.core.matching import Predicate, compile_all
from agent.model.labels import Matcher, MatchOperator

MATCHERS_MAX = 32
MATCHER_CHARACTERS_MAX = 4096

_BARE = re.compile(r'\s*(?P<name>[^\s"=!~{},]+)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>[^"{}]*)')
_NAMED = re.compile(r'^\s*(?P<name>[^\s"=!~{},]+)(?P<rest>\s*(?:=~|!~|!=|=)\s*".*)$', re.DOTALL)
# PromQL wants quotes around names beyond ASCII, Alertmanager does not.
_OPERATORS = {
    "MatchOp.Equal": MatchOperator.EQUAL,
    "MatchOp.NotEqual": MatchOperator.NOT_EQUAL,
    "MatchOp.Re": MatchOperator.REGEX,
    "MatchOp.NotRe": MatchOperator.NOT_REGEX,
}
_WITNESS = "watchkeeper_witness"
# PromQL refuses a selector that an empty label set satisfies; a filter may well be one.


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of one `filter`. Raises ValueError that says what was wrong."""
    if len(text) > MATCHER_CHARACTERS_MAX:
        raise ValueError(f"longer than {MATCHER_CHARACTERS_MAX} characters")
    if bare := _BARE.fullmatch(text):
        operator = MatchOperator(bare["operator"])
        return (Matcher(name=bare["name"], operator=operator, value=bare["value"].strip()),)
    text = _NAMED.sub(r'"\g<name>"\g<rest>', text)
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("{") and inner.endswith("}") else inner
    inner = inner.strip().removesuffix(",")
    if not inner:
        return ()
    selector = _selector(f'{{{inner},{_WITNESS}="1"}}', text)
    found = [m for m in selector.matchers.matchers if m.name != _WITNESS]
    if selector.matchers.or_matchers or selector.name or not found:
        raise ValueError(f'{text!r} is no list of matchers; write it like {{host="app1"}}')
    return tuple(Matcher(name=m.name, operator=_OPERATORS[str(m.op)], value=m.value) for m in found)


def compile_filters(texts: Iterable[str]) -> Predicate:
    """Whether a label set satisfies every matcher of every filter. Raises ValueError."""
    matchers = [matcher for text in texts for matcher in parse_matchers(text)]
    if len(matchers) > MATCHERS_MAX:
        raise ValueError(f"more than {MATCHERS_MAX} matchers")
    return compile_all(matchers)


def _selector(query: str, text: str) -> "promql_parser.VectorSelector":
    try:
        expression = promql_parser.parse(query)
    except ValueError as error:
        raise ValueError(f"{text!r} is no list of matchers: {error}") from None
    if not isinstance(expression, promql_parser.VectorSelector):
        raise ValueError(f"{text!r} is no list of matchers")  # noqa: TRY004
    return expression
