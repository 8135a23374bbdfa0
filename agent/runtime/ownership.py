"""Who owns the journal: a number that only grows, and that every commit looks at first.

The lock of the folder keeps two agents of one machine apart. It does not where a disk is reached
from two machines, or where a process that was held up for long wakes and still believes in itself.
So whoever starts takes the next number, and what carries an older one is neither written nor begun
any more. The number lies in the head of the database file (SQLite's `user_version`), where reading
it costs no page.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from agent.runtime.database import StorageError, connect


class OwnershipLostError(StorageError):
    """Somebody else has taken over since: nothing of ours is written or begun any more."""


def take_over(path: Path) -> int:
    """The number of the new owner, greater than any before; all earlier owners lose the journal.

    To be called before anything is read that the owner will rely upon.
    """
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        number = _owner(connection) + 1
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    return number


def check(connection: sqlite3.Connection, number: int) -> None:
    """Inside a transaction that writes: raises `OwnershipLostError` unless `number` still owns."""
    owner = _owner(connection)
    if owner != number:
        raise OwnershipLostError(
            f"another watchkeeper has taken over this folder (it is owner {owner}, this one was "
            f"{number}): this one stops"
        )


def _owner(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(number, int)
    return number
