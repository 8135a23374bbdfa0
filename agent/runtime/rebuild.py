"""Writes the history anew from the journal: after a repair, or when a projection has changed.

Only while no agent runs on the folder. Output of runs and tokens do not come from entries and stay.
"""

import sqlite3
from contextlib import closing
from functools import cache, partial
from pathlib import Path

from agent.core.state import State
from agent.runtime.database import connect
from agent.runtime.journal import first_number, read_config, read_entries
from agent.runtime.projection import PROJECTIONS, Rows
from agent.runtime.recovery import Step
from agent.runtime.snapshot import Snapshots
from agent.runtime.snapshot_file import read_snapshot

ENTRIES_A_WRITE = 500


def rebuild(database: Path, snapshots: Snapshots, step: Step) -> int:
    """Replay what the journal holds into the history, all or nothing; answers with the entries.

    Where the beginning of the journal is gone, what it led to stays as it is, and the replay
    starts from the oldest snapshot. Raises `SnapshotError` where that is of no use.
    """
    with closing(connect(database)) as connection:
        resolve = cache(partial(read_config, connection))
        state = State.empty()
        connection.execute("BEGIN IMMEDIATE")
        if first_number(connection) == 1:
            for insert in PROJECTIONS:
                connection.execute(f"DELETE FROM {insert.table}")  # noqa: S608 - our own names
        elif paths := snapshots.paths():
            state = read_snapshot(paths[-1], resolve)
        count = 0
        rows = Rows()
        for entry in read_entries(connection, resolve, state.last_number):
            rows.add(entry.number, step(state, entry).records)
            count += 1
            if count % ENTRIES_A_WRITE == 0:
                rows = _write(connection, rows)
        _write(connection, rows)
        connection.execute("COMMIT")
        return count


def _write(connection: sqlite3.Connection, rows: Rows) -> Rows:
    rows.write(connection)
    return Rows()
