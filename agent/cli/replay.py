"""`watchkeeper replay`: the journal played again, as it was and as another rule set would have it.

Nothing is performed, and nothing is written. Not here: what the other rule set is answered
(`sim.shadow`), or how it is told (`replay_told`).
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from agent.cli import replay_told as told
from agent.cli import show
from agent.config.calendars.expand import horizon
from agent.config.check import Examined, examine
from agent.config.durations import parse_duration
from agent.config.load import load_settings
from agent.core.state import State
from agent.errors import ConfigError, PermanentError
from agent.model.calendar import Calendar
from agent.model.entry import Entry
from agent.model.rule import Config
from agent.runtime.codec import Resolve, decode_state, digest_of, encode_state
from agent.runtime.folder import DATABASE_NAME
from agent.runtime.journal import first_number, last_number, read_config, read_entries
from agent.runtime.snapshot_file import (
    SnapshotError,
    read_header,
    read_snapshot,
    snapshot_paths,
)
from agent.runtime.waypoints import WAYPOINTS_NAME
from agent.sim.shadow.assume import Assume
from agent.sim.shadow.difference import differences
from agent.sim.shadow.play import Shadow
from agent.sim.shadow.truth import Truth

SNAPSHOTS_NAME = "snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a replay is asked for."""

    data: Path | None
    rules: Path | None
    remediations: Path | None
    since: str | None
    assume: Assume
    as_json: bool
    fails_on_difference: bool


def replay(config: Path | None, question: Question) -> int:
    """Print what was, and beside it what would have been; 1 where they differ and that was asked.

    Raises ConfigError for rules that could not come into force.
    """
    settings = load_settings(config)
    folder = (question.data or settings.data).expanduser()
    since = _moment(question.since)
    examined = None
    if question.rules is not None or question.remediations is not None:
        wished = {
            name: path.resolve()
            for name, path in (
                ("rules", question.rules),
                ("remediations", question.remediations),
            )
            if path is not None
        }
        examined = examine(settings.model_copy(update=wished))
        if examined.config is None:
            raise ConfigError(examined.findings)
    with closing(_open(folder)) as connection:
        player = _Player(connection, folder, since)
        began = time.monotonic()
        truth = player.truth()
        shadow = None
        if examined is not None and examined.config is not None:
            shadow = player.shadow(truth, examined, examined.config, question.assume)
        seconds = time.monotonic() - began
    told_of = told.Told(
        begins=player.begins,
        entries=player.played,
        seconds=seconds,
        digest=digest_of(truth.state),
        was=truth.story,
        shadow=shadow,
        differences=differences(truth.story, shadow.story) if shadow else (),
        rules=str(question.rules or settings.rules or ""),
    )
    if question.as_json:
        show.as_json(told.document(told_of))
    else:
        told.tell(told_of)
    return 1 if question.fails_on_difference and told_of.differences else 0


class _Player:
    """The journal, read from where it can be read, told from where it is asked for."""

    def __init__(
        self, connection: sqlite3.Connection, folder: Path, since: datetime | None
    ) -> None:
        self._connection = connection
        self._resolve: Resolve = cache(partial(read_config, connection))
        self._since = since
        self._first = first_number(connection)
        self._last = last_number(connection) or 0
        self._start = self._beginning(folder / SNAPSHOTS_NAME)
        self._fork: tuple[bytes, Config] | None = None
        self.begins: datetime | None = None
        """From when on it could be told."""
        self.played = 0

    def truth(self) -> Truth:
        """What was, and what a shadow has to know of it."""
        truth = Truth(self._state(self._start))
        for entry in self._entries("what was", truth.state.last_number):
            is_told = self._since is None or entry.at >= self._since
            if is_told and self.begins is None:
                self.begins = entry.at
                self._fork = (encode_state(truth.state), truth.state.config)
            truth.play(entry, is_told=is_told)
        truth.story.finish(truth.state)
        return truth

    def shadow(self, truth: Truth, examined: Examined, config: Config, assume: Assume) -> Shadow:
        """What would have been, from the moment on that is told of."""

        def calendars_at(at: datetime) -> tuple[Calendar, ...]:
            found = (each.around(horizon(at)) for each in examined.calendars)
            return tuple(each for each in found if each is not None)

        state = decode_state(*self._fork) if self._fork else State.empty()
        shadow = Shadow(
            state=state, truth=truth, config=config, calendars_at=calendars_at, assume=assume
        )
        if self._fork is None:
            # Nothing of the journal is as young as what was asked for.
            return shadow
        is_begun = False
        for entry in self._entries("what would have been", state.last_number):
            if not is_begun:
                shadow.begin(entry.at, entry.number - 1)
                is_begun = True
            shadow.hear(entry)
        shadow.finish()
        return shadow

    def _entries(self, title: str, after: int) -> Iterator[Entry]:
        """The entries behind this number, with progress for whoever watches."""
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(title, total=self._last - after)
            for count, entry in enumerate(
                read_entries(self._connection, self._resolve, after), start=1
            ):
                yield entry
                self.played += 1
                if count % 1000 == 0:
                    bar.update(task, completed=count)

    def _beginning(self, folder: Path) -> Path | None:
        """The snapshot to start from: the last before what is told, else the first there is.

        None where the journal is whole and nothing lies before what is told.
        """
        if self._first is None:
            return None
        usable = [
            path
            for path in (*snapshot_paths(folder / WAYPOINTS_NAME), *snapshot_paths(folder))
            if int(path.stem) >= self._first - 1
        ]
        usable.sort(key=lambda path: path.stem)
        before = [path for path in usable if self._is_before(path)]
        if before:
            return before[-1]
        if self._first == 1:
            return None
        if usable:
            return usable[0]
        raise PermanentError(
            f"the journal begins with entry {self._first}: what came before was dropped by "
            "retention, and there is no snapshot from which it could be played"
        )

    def _is_before(self, path: Path) -> bool:
        try:
            at = read_header(path).at
        except SnapshotError:
            return False
        return self._since is not None and at is not None and at < self._since

    def _state(self, path: Path | None) -> State:
        if path is None:
            return State.empty()
        try:
            return read_snapshot(path, self._resolve)
        except SnapshotError as error:
            raise PermanentError(f"the journal cannot be played: {error}") from None


def _open(folder: Path) -> sqlite3.Connection:
    database = folder / DATABASE_NAME
    if not database.is_file():
        raise PermanentError(f"there is no journal at {database}")
    uri = f"{database.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _moment(text: str | None) -> datetime | None:
    """`90d` ago, or a moment such as 2026-08-01 (UTC)."""
    if text is None:
        return None
    try:
        return datetime.now(UTC) - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        said = f'--since: "{text}" is neither a duration (90d) nor a moment (2026-08-01)'
        raise PermanentError(said) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
