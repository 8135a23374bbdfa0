"""Claims about the threads that write and read, and about the folder they work in."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import PermanentError
from agent.runtime.database import Database, StorageError
from agent.runtime.folder import FolderInUseError, hold_folder
from tests.runtime.agents import own


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database with one table."""
    opened = own(tmp_path / "test.db")
    opened.submit(lambda connection: connection.execute("CREATE TABLE t (a INTEGER)")).result()
    yield opened
    opened.close()


def _insert(value: int) -> "object":
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (value,)).rowcount


async def test_writes_that_wait_together_share_a_commit(database: Database) -> None:
    """A hundred callers need far fewer syncs."""
    before = database.commits
    await asyncio.gather(*(database.write(_insert(number)) for number in range(100)))
    assert database.commits - before < 50
    count = await database.read(lambda c: c.execute("SELECT count(*) FROM t").fetchone())
    assert count == (100,)


async def test_one_callers_error_is_his_alone(database: Database) -> None:
    """A unit of work that fails is undone; its neighbours in the same commit are kept."""

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (7)")
        connection.execute("INSERT INTO nowhere VALUES (7)")

    answers = await asyncio.gather(
        database.write(_insert(1)),
        database.write(fail),
        database.write(_insert(2)),
        return_exceptions=True,
    )
    assert isinstance(answers[1], sqlite3.OperationalError)
    rows = await database.read(lambda c: c.execute("SELECT a FROM t ORDER BY a").fetchall())
    assert rows == [(1,), (2,)]


async def test_after_the_disk_failed_nothing_is_written(database: Database) -> None:
    """Whoever waits is told, and so is everybody after."""
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(StorageError):
        await database.write(
            lambda connection: connection.execute("INSERT INTO t VALUES (zeroblob(10000000))")
        )
    with pytest.raises(StorageError):
        await database.write(_insert(1))


async def test_a_reader_cannot_write(database: Database) -> None:
    """Questions are questions."""
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(lambda connection: connection.execute("DELETE FROM t"))


def test_one_agent_a_folder(tmp_path: Path) -> None:
    """A second one is told who holds the folder, and by the end of the first may have it."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom agent.runtime.folder import hold_folder\n"
        "with hold_folder(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(FolderInUseError, match=rf"another watchkeeper \(pid {holder.pid}\)"),
        hold_folder(tmp_path),
    ):
        pass
    holder.communicate(timeout=10)
    with hold_folder(tmp_path):
        assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    """Where a file stands in the way, the error says which."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(PermanentError, match="file/data cannot be used"),
        hold_folder(tmp_path / "file" / "data"),
    ):
        pass
