"""Matchers in Prometheus' syntax: `host="app1",service=~"nginx|redis"`.

The one notation for rules, for silences and for the command line. Not here: how a matcher is
applied to labels (`core`), and what Alertmanager's `filter=` takes besides (`web`).
"""

import re
from typing import Annotated

import re2
from pydantic import BeforeValidator

from agent.model.labels import Matcher, MatchOperator

MATCHERS_MAX = 32
MATCHERS_CHARACTERS_MAX = 4096

_RESERVED = r"""\s,"'`{}=!~"""
"""Alertmanager's own: a name or a value that holds one of them stands in quotes."""
_CHARACTER = r"""(?:[^"\\]|\\.)"""
_MATCHER = re.compile(
    rf"""\s*(?:"(?P<quoted_name>{_CHARACTER}+)"|(?P<name>[^{_RESERVED}]+))"""
    r"""\s*(?P<operator>=~|!~|!=|=)"""
    rf"""\s*(?:"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"|(?P<bare>[^{_RESERVED}]+))\s*""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_OPERATORS = {operator.value: operator for operator in MatchOperator}
_REGEX = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a comma-separated list, with or without braces around it.

    Raises ValueError with a sentence for people: syntax, an illegal regular expression, more
    than `MATCHERS_MAX` matchers or `MATCHERS_CHARACTERS_MAX` characters.
    """
    if len(text) > MATCHERS_CHARACTERS_MAX:
        raise ValueError(f"longer than {MATCHERS_CHARACTERS_MAX} characters")
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    found: list[Matcher] = []
    at = 0
    while at < len(inner):
        piece = _MATCHER.match(inner, at)
        if piece is None or (piece.end() < len(inner) and inner[piece.end()] != ","):
            raise ValueError(
                f'"{inner[at:].strip()}" is no matcher; write it like host="app1",service=~"a|b"'
            )
        found.append(_matcher(piece))
        at = piece.end() + 1
    if not found:
        raise ValueError('no matcher given; write it like host="app1"')
    if len(found) > MATCHERS_MAX:
        raise ValueError(f"more than {MATCHERS_MAX} matchers")
    return tuple(found)


def _matcher(piece: re.Match[str]) -> Matcher:
    quoted_name, name, sign, quoted, bare = piece.groups()
    name = name or _unescaped(quoted_name)
    value = bare or _unescaped(quoted)
    operator = _OPERATORS[sign]
    if operator in _REGEX:
        refuse_bad_pattern(value)
    return Matcher(name=name, operator=operator, value=value)


def _unescaped(quoted: str) -> str:
    # In a regular expression an unknown escape is the expression's own: \d stays \d.
    if "\\" not in quoted:
        return quoted
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), quoted)


def refuse_bad_pattern(pattern: str) -> None:
    """Raise ValueError where RE2 does not take this regular expression."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        problem = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f'"{pattern}" is no RE2 pattern: {problem}') from None


def _matchers(value: object) -> tuple[Matcher, ...]:
    if not isinstance(value, str):
        raise ValueError('is no matcher; write it like host="app1",service=~"a|b"')  # noqa: TRY004
    return parse_matchers(value)


Matchers = Annotated[tuple[Matcher, ...], BeforeValidator(_matchers)]
"""Text in Prometheus' matcher syntax, as a key of a document holds it."""
