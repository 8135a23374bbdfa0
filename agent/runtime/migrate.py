"""Brings a database to the tables this version expects, before anybody opens it.

The libraries for it take half a second to load and thirty megabytes to hold, so they are loaded
only when there is work, and by an agent in a child process.
"""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import PermanentError
from agent.runtime.database import connect

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

HEAD = "0003"
"""The newest revision in `migrations/versions`."""

MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(path: Path) -> str | None:
    """The revision that a database is at; None for a new one."""
    with closing(connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return str(row[0]) if row else None


def migrate_apart(path: Path) -> None:
    """`migrate`, with what it takes gone afterwards. Only while no other thread runs."""
    if _found(path) != HEAD:
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as child:
            child.submit(migrate, path).result()


def migrate(path: Path) -> None:
    """Create or change the tables where they are not those of this version.

    All or nothing. Raises `PermanentError` where a newer version made them, or the file is none.
    """
    found = _found(path)
    if found == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = alembic_config(path)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise PermanentError(
            f"{path} was last used by a newer watchkeeper (its tables are at {found}, ours at "
            f"{HEAD}): start that version, or give this one a folder of its own."
        )
    command.upgrade(config, "head")


def _found(path: Path) -> str | None:
    try:
        return revision_of(path)
    except sqlite3.DatabaseError as error:
        raise PermanentError(f"{path} cannot be read as a database: {error}") from error


def alembic_config(path: Path) -> "AlembicConfig":
    """What alembic needs to work on this database."""
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["engine"] = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    return config
