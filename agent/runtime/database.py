"""SQLite: one thread that writes, two that read, every acknowledged write on the disk.

Units of work that wait together share one transaction, so that one sync serves many callers.
Not here: any table (`schema`), or what is written (`journal`, `projection`, `store`).
"""

import asyncio
import contextlib
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.errors import AgentError, TransientError
from agent.runtime.folder import FILE_MODE

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

WRITES_WAITING_MAX = 1024
UNITS_A_COMMIT_MAX = 256
READERS = 2
READS_WAITING_MAX = 256
READ_TIMEOUT_S = 30.0

WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    # What is written goes to the end of its table, and whatever else is needed is in memory.
    "cache_size = -8192",
    # Fewer, larger checkpoints: with the default of 1,000 pages the slowest commits were slower.
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
)
READER_PRAGMAS = ("query_only = ON", "busy_timeout = 5000", "cache_size = -4096")

SWITCH_INTERVAL_S = 0.0005
"""SQLite gives Python's one lock away at each statement; a busy loop returns it only after this.
At the default of 5 ms a commit of 50 rows took ten times as long beside a busy loop."""

_FATAL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_BUSY,
    }
)


class StorageError(AgentError):
    """The disk did not keep a write. Nothing more is written: what is in memory may be ahead."""


@dataclass(slots=True)
class _Unit:
    """One caller's work and what became of it; told only when it is on the disk."""

    work: Work[object]
    future: "Future[object]"
    result: object = None
    error: Exception | None = None

    def tell(self) -> None:
        """Give the caller the result, or the error of this work."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def connect(path: Path) -> sqlite3.Connection:
    """The connection that writes; the file is created for its owner only."""
    path.touch(mode=FILE_MODE)
    path.chmod(FILE_MODE)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in WRITER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


class Database:
    """The embedded store. End it with `close`.

    Every transaction that writes begins with `is_ours`, which raises `StorageError` where it is
    not (any more).
    """

    def __init__(self, path: Path, is_ours: Work[None]) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.path = path
        self._is_ours = is_ours
        self.commits = 0
        self.failure: StorageError | None = None
        self._connection = connect(path)
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="database-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")
        self._reads_waiting = 0

    def submit(self, work: Work[T]) -> "Future[T]":
        """Queue a unit of work; its future is done when the commit that holds it is on the disk.

        An error of the work itself undoes that unit alone and is the future's. Raises
        `TransientError` when too much waits, `StorageError` after the disk has failed.
        """
        if self.failure is not None:
            raise self.failure
        if self._units.qsize() >= WRITES_WAITING_MAX:
            raise TransientError("too many writes wait for the disk")
        future: Future[T] = Future()
        self._units.put(_Unit(work, future))  # type: ignore[arg-type]
        return future

    async def write(self, work: Work[T]) -> T:
        """Do a unit of work and wait until it is on the disk; errors as of `submit`."""
        return await asyncio.wrap_future(self.submit(work))

    async def read(self, query: Work[T]) -> T:
        """Ask in a reader's thread, on a connection that cannot write.

        Raises `TransientError` when too many questions wait or this one takes too long.
        """
        if self._reads_waiting >= READS_WAITING_MAX:
            raise TransientError("too many questions to the history wait")
        asked = asyncio.get_running_loop().run_in_executor(self._readers, self._ask, query)
        self._reads_waiting += 1
        asked.add_done_callback(self._read_done)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await asked
        except TimeoutError as error:
            raise TransientError(
                f"a question to the history took over {READ_TIMEOUT_S:.0f} s"
            ) from error

    def close(self) -> None:
        """Write what waits, then close; nothing may be asked of it afterwards."""
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._units.put(None)
        self._writer.join()
        self._connection.close()

    def _read_done(self, _: object) -> None:
        self._reads_waiting -= 1

    def _ask(self, query: Work[T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None)
            for pragma in READER_PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            self._local.connection = connection
        # One transaction a question: its statements see one moment.
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("ROLLBACK")

    def _write_all(self) -> None:
        while (first := self._units.get()) is not None:
            units, is_last = [first], False
            while len(units) < UNITS_A_COMMIT_MAX and not self._units.empty():
                following = self._units.get()
                if following is None:
                    is_last = True
                    break
                units.append(following)
            self._commit(units)
            if is_last:
                return

    def _commit(self, units: list[_Unit]) -> None:
        waiting = [unit for unit in units if unit.future.set_running_or_notify_cancel()]
        try:
            if self.failure is not None:
                raise self.failure
            self._connection.execute("BEGIN IMMEDIATE")
            self._is_ours(self._connection)
            for unit in waiting:
                self._run_alone(unit)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, StorageError) as error:
            self._fail(waiting, error)
            return
        self.commits += 1
        for unit in waiting:
            unit.tell()

    def _run_alone(self, unit: _Unit) -> None:
        self._connection.execute("SAVEPOINT unit")
        try:
            unit.result = unit.work(self._connection)
        except Exception as error:  # one caller's failure must not undo its neighbours
            if is_fatal(error):
                raise
            unit.error = error
            self._connection.execute("ROLLBACK TO unit")
        self._connection.execute("RELEASE unit")

    def _fail(self, waiting: list[_Unit], error: Exception) -> None:
        if self.failure is None and isinstance(error, StorageError):
            self.failure = error
        elif self.failure is None:
            self.failure = StorageError(f"{self.path} did not keep a write: {error}")
            self.failure.__cause__ = error
        if self._connection.in_transaction:
            # Where even this fails, the file is as the last commit left it: SQLite mends the rest.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        for unit in waiting:
            unit.future.set_exception(self.failure)


def is_fatal(error: Exception) -> bool:
    """Whether the disk or the file failed, not the statement."""
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the kind; the rest says what exactly the system answered.
    return isinstance(code, int) and (code & 0xFF) in _FATAL
