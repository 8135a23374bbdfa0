"""Names of things as references: what cannot stand in a name is replaced, and no two become one.

Not here: whether a thing is one that the map knows by another name (`proposal`).
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.model.discovery import Thing
from agent.model.service import EntityRef

NAME_CHARACTERS_MAX = 63
_FOREIGN = re.compile(r"[^a-z0-9_.-]+")
_EDGE = "-_."
_MARK = 8


@dataclass(frozen=True, slots=True)
class Names:
    """The reference of each thing, and what had to be changed for it."""

    refs: Mapping[Thing, EntityRef]
    warnings: tuple[str, ...]


def name_of(text: str) -> str:
    """The text as a name: lower case, what is not allowed as a dash; empty where nothing is left.

    Accents are taken off (Unicode NFKD); at most `NAME_CHARACTERS_MAX` characters.
    """
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    # A character that has no plain form leaves a gap that must be seen, as any other foreign one.
    plain = plain if plain or not text else "-"
    return _FOREIGN.sub("-", plain).strip(_EDGE)[:NAME_CHARACTERS_MAX].rstrip(_EDGE)


def names_of(things: Iterable[Thing]) -> Names:
    """References of all things, the same ones whatever the order.

    Of several that come to one name, the one that is written exactly so keeps it; the others get
    a mark made of their own name. A thing of whose name nothing can be kept has no reference.
    """
    alike: dict[EntityRef, list[Thing]] = {}
    warnings = []
    for thing in sorted(set(things)):
        namespace, name = name_of(thing.namespace or "default"), name_of(thing.name)
        if namespace and name:
            alike.setdefault(f"{thing.kind}:{namespace}/{name}", []).append(thing)
        else:
            warnings.append(f"{_shown(thing)} cannot be named here, and was left out")
    refs: dict[Thing, EntityRef] = {}
    for plain, group in alike.items():
        for thing in group:
            # Without a namespace, or in that of the name: the same.
            same = [o for o in group if _whole(o) == _whole(thing)]
            is_plain = len(same) == len(group) or _is_exact(thing, plain)
            refs[thing] = plain if is_plain else _marked(plain, thing)
        if len({refs[thing] for thing in group}) > 1:
            shown = ", ".join(f"{_shown(thing)} as {refs[thing]}" for thing in group)
            warnings.append(f"names that come to the same: {shown}")
    return Names(refs=refs, warnings=tuple(warnings))


def _whole(thing: Thing) -> tuple[str, str]:
    return thing.namespace or "default", thing.name


def _is_exact(thing: Thing, ref: EntityRef) -> bool:
    return ref == f"{thing.kind}:{thing.namespace or 'default'}/{thing.name}"


def _marked(ref: EntityRef, thing: Thing) -> EntityRef:
    whole = "\0".join(_whole(thing)).encode("utf-8", "surrogatepass")
    mark = hashlib.sha256(whole).hexdigest()[:_MARK]
    place, _, name = ref.rpartition("/")
    return f"{place}/{name[: NAME_CHARACTERS_MAX - _MARK - 1].rstrip(_EDGE)}-{mark}"


def _shown(thing: Thing) -> str:
    return f"{thing.kind} {f'{thing.namespace}/' if thing.namespace else ''}{thing.name}"[:200]
