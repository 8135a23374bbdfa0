"""Claims about how the tables come to be."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from agent.errors import PermanentError
from agent.runtime.database import connect
from agent.runtime.migrate import HEAD, alembic_config, migrate, revision_of
from agent.runtime.projection import PROJECTIONS
from agent.runtime.schema import metadata


def test_from_empty_to_head_gives_the_tables_of_the_schema(tmp_path: Path) -> None:
    """What the migrations make and what the schema says differ in nothing."""
    from alembic.autogenerate import compare_metadata

    path = tmp_path / "watchkeeper.db"
    migrate(path)
    engine = alembic_config(path).attributes["engine"]
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_history_is_one_line_that_ends_at_head(tmp_path: Path) -> None:
    """There is one newest revision, and the constant that saves the libraries names it."""
    scripts = ScriptDirectory.from_config(alembic_config(tmp_path / "none.db"))
    assert scripts.get_heads() == [HEAD]


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    """At head there is no work, and what was written stays."""
    path = tmp_path / "watchkeeper.db"
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("INSERT INTO alive VALUES (1, 2)")
    migrate(path)
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT * FROM alive").fetchall() == [(1, 2)]
    assert revision_of(path) == HEAD


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Nobody writes into tables that he does not know."""
    path = tmp_path / "watchkeeper.db"
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(PermanentError, match="newer watchkeeper"):
        migrate(path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file that is something else gives an error that names it."""
    path = tmp_path / "watchkeeper.db"
    path.write_bytes(b"no database at all, but long enough for a header of one\n" * 4)
    with pytest.raises(PermanentError, match="cannot be read"):
        migrate(path)


def test_every_projection_writes_columns_of_the_schema() -> None:
    """The text of the statements and the tables agree in names and keys."""
    for insert in PROJECTIONS:
        table = metadata.tables[insert.table]
        assert {column.name for column in table.primary_key} == set(insert.key)
        assert {column.name for column in table.columns} == {*insert.key, *insert.rest}


def test_the_file_is_private(tmp_path: Path) -> None:
    """Nobody but the owner reads the history."""
    path = tmp_path / "watchkeeper.db"
    migrate(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
