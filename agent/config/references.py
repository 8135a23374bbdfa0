"""Entity references as Backstage writes them, and what a mistyped name was probably meant to be.

Not here: whether an entity exists (`service_map`).
"""

import difflib
import re
from collections.abc import Collection
from functools import lru_cache

from agent.model.service import EntityKind, EntityRef

NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
SUGGESTION_WORDS_MAX = 5_000
"""Comparing with every name of a large map would take longer than loading it."""

_KINDS = frozenset(EntityKind)
_REF = re.compile(rf"(?:([a-zA-Z]+):)?(?:({NAME.pattern})/)?({NAME.pattern})")


@lru_cache(maxsize=65_536)
def entity_ref(text: str, *, kind: EntityKind | None = None) -> EntityRef:
    """`kind:namespace/name` in lower case; a missing namespace is `default`.

    `kind` stands in where the text has none; without one ValueError asks for it.
    """
    found = _REF.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no reference; write it like component:default/checkout')
    given, namespace, name = found.groups()
    word = given.lower() if given else kind
    if word is None:
        raise ValueError(
            f'"{text}" does not say its kind; write component:{name} or resource:{name}'
        )
    if word not in _KINDS:
        raise ValueError(
            f'"{text}" has the unknown kind "{given}"; kinds are {", ".join(EntityKind)}'
        )
    return f"{word}:{(namespace or 'default').lower()}/{name.lower()}"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`Did you mean "..."?` for the nearest of the known words, empty where none is near."""
    words = known if len(known) <= SUGGESTION_WORDS_MAX else _similar(word, known)
    nearest = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    if not nearest and words:
        lower = {text.lower(): text for text in sorted(words)}
        nearest = [lower[word.lower()]] if word.lower() in lower else []
    return f'Did you mean "{nearest[0]}"?' if nearest else ""


def _similar(word: str, known: Collection[str]) -> list[str]:
    ends = (word[:-4], word[-4:])
    near = [text for text in known if text.startswith(ends[0]) or text.endswith(ends[1])]
    return near[:SUGGESTION_WORDS_MAX]
