"""Audit logs of tests: events without an agent, and the checkpoints over them."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from agent.runtime.audit.checkpoints import CHECKPOINTS
from agent.runtime.audit.events import Audited, written
from agent.runtime.audit.log import append, head_of, read_events
from agent.runtime.audit.note import KEY_NAME, Signer, open_signer
from agent.runtime.codec import to_micros
from agent.runtime.database import connect
from agent.runtime.migrate import migrate
from tests.runtime.agents import START

DATABASE = "watchkeeper.db"


def an_event(number: int) -> Audited:
    """Something that anna did."""
    return Audited(
        at=written(START + timedelta(seconds=number)),
        kind="IncidentResolved",
        subjects=(f"INC-{number}",),
        document={"what": {"by": "anna", "incident": f"INC-{number}", "note": f"anna: {number}"}},
    )


class Log:
    """An audit log in a folder, without an agent."""

    def __init__(self, folder: Path) -> None:
        migrate(folder / DATABASE)
        self.folder = folder
        self.path = folder / DATABASE
        self.size = 0
        self.signer: Signer = open_signer(folder / KEY_NAME, None, may_make=True)
        self.notes: list[str] = []

    def add(self, count: int, *, is_signed: bool = True) -> None:
        """So many more events, and a checkpoint over all of them."""
        with closing(connect(self.path)) as connection:
            connection.execute("BEGIN")
            append(connection, [an_event(self.size + each) for each in range(count)])
            if is_signed:
                self._sign(connection)
            connection.execute("COMMIT")
        self.size += count

    def bodies(self) -> list[bytes]:
        """The texts of all events."""
        with closing(connect(self.path)) as connection:
            return [event.body for event in read_events(connection)]

    def _sign(self, connection: sqlite3.Connection) -> None:
        head = head_of(connection)
        note = self.signer.checkpoint(head, START)
        self.notes.append(note)
        CHECKPOINTS.write(connection, [(head.size, to_micros(START), note.encode())])

    def cut(self) -> None:
        """Take the last event out, and all that the tree knows of it."""
        last = self.size - 1
        with closing(connect(self.path)) as connection:
            connection.execute("DELETE FROM audit WHERE number = ?", (last,))
            connection.execute("DELETE FROM audit_checkpoints WHERE size > ?", (last,))
            # Of an odd number of events the last one is alone in its subtree.
            connection.execute("DELETE FROM audit_nodes WHERE level = 0 AND position = ?", (last,))
