"""Matchers in Prometheus' syntax: `host="app1",service=~"nginx|redis"`.

Not here: how a matcher is applied to labels (`core`).
"""

import re

import re2

from agent.model.labels import Matcher, MatchOperator

MATCHERS_MAX = 32

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:.\-/]*"
_MATCHER = re.compile(
    rf"""\s*(?P<name>{_NAME})\s*(?P<operator>=~|!~|!=|=)\s*"""
    r"""(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"{}=!~]+))\s*"""
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_REGEX = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of a comma-separated list, with or without braces around it.

    Raises ValueError with a sentence for people: syntax, an illegal regular expression, or more
    than `MATCHERS_MAX` matchers.
    """
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
    quoted = piece["quoted"]
    value = piece["bare"] if quoted is None else quoted
    if quoted is not None and "\\" in quoted:
        # In a regular expression an unknown escape is the expression's own: \d stays \d.
        value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), quoted)
    operator = MatchOperator(piece["operator"])
    if operator in _REGEX:
        refuse_bad_pattern(value)
    return Matcher(name=piece["name"], operator=operator, value=value)


def refuse_bad_pattern(pattern: str) -> None:
    """Raise ValueError where RE2 does not take this regular expression."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        problem = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f'"{pattern}" is no RE2 pattern: {problem}') from None
