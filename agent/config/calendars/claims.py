"""What one entry of a calendar is for: purposes, entities, who made it and why.

`CATEGORIES` names its purposes, of those that the Calendar document grants; without any of these
words the document's `unmarked` purposes hold. `X-WATCHKEEPER-ENTITIES` names whom it concerns
instead of the document's entities. `CONTACT`, else `ORGANIZER`, is who; `SUMMARY` and
`DESCRIPTION` are why. A tentative entry freezes, and does nothing else: what may not come to be
must not allow anything. Not here: when it is (`expand`).
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from agent.config.calendars.entries import Problem
from agent.config.references import did_you_mean, entity_ref
from agent.model.calendar import CalendarPurpose
from agent.model.service import EntityRef

ENTITIES = "X-WATCHKEEPER-ENTITIES"
ENTITIES_MAX = 200
SUMMARY_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 500
_LIKE = 0.75
"""A category this near to a purpose is one that was mistyped, not a word for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the Calendar document says of all entries of its calendar."""

    purposes: tuple[CalendarPurpose, ...]
    """What its entries may do at most."""
    unmarked: tuple[CalendarPurpose, ...]
    """What those do that name no purpose."""
    entities: tuple[EntityRef, ...]
    zone: ZoneInfo | None
    known: Collection[EntityRef]
    """Every entity on the map."""
    scope: Collection[EntityRef] | None
    """Whom entries may concern: the document's entities and all they rest on; None: everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one entry is for."""

    KEYS: ClassVar = ("CATEGORIES", ENTITIES, "CONTACT", "ORGANIZER", "SUMMARY", "DESCRIPTION")

    purposes: tuple[CalendarPurpose, ...]
    entities: tuple[EntityRef, ...]
    summary: str
    who: str
    why: str
    zone: str
    is_marked: bool
    """Whether it names its purposes itself."""


def claims_of(entry: Any, declared: Declared, zone: str) -> tuple[Claims, list[Problem]]:
    """What this entry is for, and what is wrong about that."""
    words = list(_categories(entry))
    marked = tuple(p for p in CalendarPurpose if p.value in words)
    purposes = marked or declared.unmarked
    if str(entry.get("STATUS", "")).upper() == "TENTATIVE":
        purposes = tuple(p for p in purposes if p is CalendarPurpose.FREEZE)
    names = [name.strip() for name in _text(entry, ENTITIES).replace("\\,", ",").split(",")]
    entities, problems = _entities([name for name in names if name], declared)
    problems += _purpose_problems(words, marked, declared)
    claims = Claims(
        purposes=purposes,
        entities=entities or declared.entities,
        summary=_plain(_text(entry, "SUMMARY"), SUMMARY_CHARACTERS_MAX),
        who=_plain(_who(entry), SUMMARY_CHARACTERS_MAX),
        why=_plain(_text(entry, "DESCRIPTION"), REASON_CHARACTERS_MAX),
        zone=zone,
        is_marked=bool(marked),
    )
    return claims, problems


def _purpose_problems(
    words: list[str], marked: tuple[CalendarPurpose, ...], declared: Declared
) -> list[Problem]:
    granted = ", ".join(declared.purposes)
    problems: list[Problem] = [
        (f"{purpose.upper()} is no purpose of this calendar, which has {granted}.", _GRANT)
        for purpose in marked
        if purpose not in declared.purposes
    ]
    for word in words:
        near = difflib.get_close_matches(word, list(CalendarPurpose), n=1, cutoff=_LIKE)
        if near and word not in list(CalendarPurpose):
            problems.append(
                (f'the category "{word.upper()}" is no purpose.', f'Did you mean "{near[0]}"?')
            )
    return problems


_GRANT = "Add it to `purposes` of the Calendar document, or take it from CATEGORIES."


def _entities(names: list[str], declared: Declared) -> tuple[tuple[EntityRef, ...], list[Problem]]:
    found: list[EntityRef] = []
    problems: list[Problem] = []
    if len(names) > ENTITIES_MAX:
        return (), [(f"{ENTITIES} names more than {ENTITIES_MAX} entities.", "")]
    for name in names:
        try:
            ref = entity_ref(name)
        except ValueError as error:
            problems.append((f"{ENTITIES}: {error}.", ""))
            continue
        if ref not in declared.known:
            said = f'{ENTITIES}: the map has no entity "{ref}".'
            problems.append((said, did_you_mean(ref, declared.known)))
        elif declared.scope is not None and ref not in declared.scope:
            said = f'{ENTITIES}: "{ref}" is none of those that this calendar is about.'
            problems.append((said, "Add it to `entities` of the Calendar document."))
        else:
            found.append(ref)
    return tuple(found), problems


def _categories(entry: Any) -> Iterator[str]:
    given = entry.get("CATEGORIES", [])
    for each in given if isinstance(given, list) else [given]:
        for word in getattr(each, "cats", [each]):
            yield str(word).strip().lower()


def _who(entry: Any) -> str:
    """A person as people write one: the contact's words, or the organizer's name and address."""
    if contact := _text(entry, "CONTACT"):
        return contact
    organizer = entry.get("ORGANIZER")
    if organizer is None or isinstance(organizer, list):
        return ""
    address = str(organizer)
    address = address[len("mailto:") :] if address.lower().startswith("mailto:") else address
    name = str(organizer.params.get("CN", ""))
    return f"{name} <{address}>" if name and address else name or address


def _text(entry: Any, key: str) -> str:
    given = entry.get(key, "")
    return ", ".join(map(str, given)) if isinstance(given, list) else str(given)


def _plain(text: str, characters_max: int) -> str:
    """One line of what can be printed, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= characters_max else line[: characters_max - 1] + "…"
