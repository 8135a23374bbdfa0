"""Matchers as Alertmanager's API takes them in `filter=`: the one notation, and two things more.

A single matcher without quotes goes to the end of the text, commas and all: `job=a,b` is one.
And an empty filter is one that everything satisfies.
"""

import re
from collections.abc import Iterable

from agent.config.matchers import MATCHERS_CHARACTERS_MAX, MATCHERS_MAX, parse_matchers
from agent.core.matching import Predicate, compile_all
from agent.model.labels import Matcher, MatchOperator

_BARE = re.compile(r'\s*(?P<name>[^\s"=!~{},]+)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>[^"{}]*)')
_EMPTY = ("", "{}")


def compile_filters(texts: Iterable[str]) -> Predicate:
    """Whether a label set satisfies every matcher of every filter. Raises ValueError."""
    matchers = [matcher for text in texts for matcher in _parse_filter(text)]
    if len(matchers) > MATCHERS_MAX:
        raise ValueError(f"more than {MATCHERS_MAX} matchers")
    return compile_all(matchers)


def _parse_filter(text: str) -> tuple[Matcher, ...]:
    if len(text) > MATCHERS_CHARACTERS_MAX:
        raise ValueError(f"longer than {MATCHERS_CHARACTERS_MAX} characters")
    if "".join(text.split()) in _EMPTY:
        return ()
    if bare := _BARE.fullmatch(text):
        operator = MatchOperator(bare["operator"])
        return (Matcher(name=bare["name"], operator=operator, value=bare["value"].strip()),)
    return parse_matchers(text)
