"""People in audit events: a salted commitment stands for a name, so that the name can be erased.

The tree keeps the commitment for ever; the name and its salt lie in a table beside it. Without the
salt nobody can tell whose commitment it is, and every event still verifies. One person has one
commitment, so that "who asked also approved" shows even after an erasure.
"""

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator

SALT_BYTES = 32
COMMITMENT_HEX = 32
SUFFIX = "_by"
KEYS = frozenset(
    {
        "by",
        "actor",
        "approver",
        "assignee",
        "author",
        "delegate",
        "on_behalf_of",
        "person",
        "rule_author",
    }
)
"""Fields that name a person; with `SUFFIX` at their end, others do too."""
TEXTS = frozenset({"comment", "note", "outcome_text", "problem", "summary", "text", "title"})
"""Fields of free text, in which the people of the same event are named too."""
PREFIX = "person:"
OURSELVES = "watchkeeper"

Commit = Callable[[str], str]
"""What stands for a name."""


def commitment(name: str, salt: bytes) -> str:
    """What stands for this name in the tree: 128 bits that say nothing without the salt."""
    return "~" + hashlib.sha256(salt + name.encode("utf-8", "replace")).hexdigest()[:COMMITMENT_HEX]


def without_names(document: object, commit: Commit) -> object:
    """The document with a commitment in place of each person's name that its fields give."""
    stands_for = {name: commit(name) for name in sorted(set(_named(document)))}
    if not stands_for:
        return document
    longest_first = sorted(stands_for, key=lambda name: (-len(name), name))
    anywhere = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return _replaced(document, stands_for, anywhere)


def committed_in(connection: sqlite3.Connection) -> Commit:
    """Commitments as the table has them; a name that it lacks is added, in this transaction."""

    def commit(name: str) -> str:
        row = connection.execute(
            "SELECT commitment FROM audit_people WHERE name = ?", (name,)
        ).fetchone()
        if row is not None:
            return str(row[0])
        salt = secrets.token_bytes(SALT_BYTES)
        made = commitment(name, salt)
        connection.execute("INSERT INTO audit_people VALUES (?, ?, ?)", (name, made, salt))
        return made

    return commit


def forget(connection: sqlite3.Connection, name: str) -> bool:
    """Erase a name and its salt; whether there was one. Later acts get another commitment."""
    gone = connection.execute("DELETE FROM audit_people WHERE name = ?", (name,)).rowcount
    return gone > 0


def people(connection: sqlite3.Connection) -> dict[str, str]:
    """Names by their commitments, where they were not erased."""
    return dict(connection.execute("SELECT commitment, name FROM audit_people").fetchall())


def _is_person(key: str) -> bool:
    return key in KEYS or key.endswith(SUFFIX)


def _named(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            if _is_person(key):
                yield from filter(None, map(_name_of, value if _is_list(value) else [value]))
            else:
                yield from _named(value)
    elif _is_list(document):
        for item in document:  # type: ignore[attr-defined]
            yield from _named(item)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _name_of(value: object) -> str | None:
    """The person in the value of a field; None where it is a rule, ourselves or nothing."""
    if not isinstance(value, str) or value == OURSELVES:
        return None
    if value.startswith(PREFIX):
        return value.removeprefix(PREFIX) or None
    return None if ":" in value else value or None


def _replaced(value: object, stands_for: dict[str, str], anywhere: re.Pattern[str]) -> object:
    def said(key: str, value: object) -> object:
        if _is_list(value):
            return [said(key, item) for item in value]  # type: ignore[attr-defined]
        if isinstance(value, str) and _is_person(key):
            name = _name_of(value)
            return value if name is None else value.removesuffix(name) + stands_for[name]
        if isinstance(value, str) and key in TEXTS:
            return anywhere.sub(lambda found: stands_for[found.group()], value)
        return _replaced(value, stands_for, anywhere)

    if isinstance(value, dict):
        return {key: said(key, item) for key, item in value.items()}
    return [_replaced(item, stands_for, anywhere) for item in value] if _is_list(value) else value  # type: ignore[attr-defined]
