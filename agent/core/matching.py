"""Matchers at work: compiled once, anchored, in linear time (RE2)."""

from collections.abc import Callable, Iterable

import re2

from agent.model.labels import Labels, Matcher, MatchOperator

Predicate = Callable[[Labels], bool]


def compile_matcher(matcher: Matcher) -> Predicate:
    """Whether a label set satisfies the matcher; an absent label is the empty string.

    Raises ValueError where the value is no regular expression of RE2.
    """
    name, value = matcher.name, matcher.value
    match matcher.operator:
        case MatchOperator.EQUAL:
            return lambda labels: labels.get(name, "") == value
        case MatchOperator.NOT_EQUAL:
            return lambda labels: labels.get(name, "") != value
        case MatchOperator.REGEX:
            pattern = _pattern(value)
            return lambda labels: pattern.fullmatch(labels.get(name, "")) is not None
        case MatchOperator.NOT_REGEX:
            pattern = _pattern(value)
            return lambda labels: pattern.fullmatch(labels.get(name, "")) is None


def compile_all(matchers: Iterable[Matcher]) -> Predicate:
    """Whether a label set satisfies every one of the matchers."""
    predicates = tuple(compile_matcher(matcher) for matcher in matchers)
    return lambda labels: all(predicate(labels) for predicate in predicates)


def _pattern(value: str) -> "re2._Regexp[str]":
    options = re2.Options()
    # Or the library prints what it is asked to compile, for anybody's filter.
    options.log_errors = False
    try:
        return re2.compile(value, options)
    except re2.error as error:
        raise ValueError(f"{value!r} is no regular expression (RE2): {error}") from error
