"""`watchkeeper replay`: the journal played again, as it was or with another rule set.

Nothing is performed. What people, tools and runs answered is taken from the journal; an answer to
something that the other rule set never asked for is passed over.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from agent.cli import show
from agent.config.load import load_config, load_settings
from agent.core.state import State
from agent.core.step import step
from agent.errors import PermanentError
from agent.model.change import Change
from agent.model.effect import LaunchRun
from agent.model.entry import ConfigLoaded, Entry
from agent.model.incident import Incident
from agent.model.problem import Problem
from agent.model.rule import Config
from agent.runtime.codec import digest_of
from agent.runtime.folder import DATABASE_NAME
from agent.runtime.journal import first_number, read_config, read_entries


@dataclass(slots=True)
class Story:
    """What a rule set would have made of the journal."""

    entries: int = 0
    incidents: dict[str, Incident] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    launched: list[str] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    digest: str = ""


def replay(
    config: Path | None,
    *,
    data: Path | None,
    rules: Path | None,
    since: datetime | None,
    as_json: bool,
) -> int:
    """Print what was, and beside it what would have been with other rules."""
    settings = load_settings(config)
    database = (data or settings.data).expanduser() / DATABASE_NAME
    if not database.is_file():
        raise PermanentError(f"there is no journal at {database}")
    begin = since.replace(tzinfo=UTC) if since else None
    was = _play(database, begin, instead=None)
    other = None
    if rules is not None:
        wished = settings.model_copy(update={"rules": rules.resolve()})
        other = _play(database, begin, instead=load_config(wished, datetime.now(UTC)).config)
    if as_json:
        return show.as_json({"was": _document(was), "would": other and _document(other)})
    _tell("As it was", was)
    if other is not None:
        _tell(f"With {rules}", other)
    return 0


def _play(database: Path, since: datetime | None, *, instead: Config | None) -> Story:
    story, state = Story(), State.empty()
    uri = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        first = first_number(connection)
        if first not in (None, 1):
            raise PermanentError(
                f"the journal begins with entry {first}: what came before was dropped by "
                "retention, so it cannot be played from the start"
            )
        resolve = cache(partial(read_config, connection))
        for entry in _with(read_entries(connection, resolve), instead):
            transition = step(state, entry)
            story.entries += 1
            if since is not None and entry.at < since:
                continue
            for effect in transition.effects:
                if isinstance(effect, LaunchRun):
                    story.launched.append(f"{entry.at:%Y-%m-%d %H:%M:%S} {effect.run}")
            for record in transition.records:
                if isinstance(record, Incident):
                    story.incidents[record.id] = record
                elif isinstance(record, Change):
                    story.changes[record.id] = record
                elif isinstance(record, Problem):
                    story.problems[record.id] = record
    story.digest = digest_of(state)
    return story


def _with(entries: Iterator[Entry], instead: Config | None) -> Iterator[Entry]:
    for entry in entries:
        if instead is not None and isinstance(entry.what, ConfigLoaded):
            yield Entry(entry.number, entry.at, ConfigLoaded(config=instead))
        else:
            yield entry


def _tell(title: str, story: Story) -> None:
    out = show.console()
    out.print(
        show.text(
            f"{title}: {story.entries} entries, {len(story.incidents)} incidents, "
            f"{len(story.changes)} changes, {len(story.launched)} runs, "
            f"{len(story.problems)} problems; state {story.digest[:12]}",
            style="bold",
        )
    )
    rows = show.table("INCIDENT", "P", "OPENED (UTC)", "TITLE", "CAUSE")
    for incident in story.incidents.values():
        rows.add_row(
            incident.id,
            f"P{incident.priority}",
            f"{incident.opened_at:%Y-%m-%d %H:%M:%S}",
            show.text(incident.title),
            show.text(incident.cause or "-"),
        )
    out.print(rows)
    if story.changes:
        rows = show.table("CHANGE", "WHAT", "POLICY SAYS", "ENDED")
        for change in story.changes.values():
            decision = change.decision
            rows.add_row(
                change.id,
                show.text(change.title),
                show.text(f"{decision.verdict}: {decision.text}" if decision else "-"),
                change.closure or change.state,
            )
        out.print(rows)


def _document(story: Story) -> dict[str, object]:
    return {
        "entries": story.entries,
        "digest": story.digest,
        "incidents": [
            {"id": i.id, "title": i.title, "priority": int(i.priority), "cause": i.cause}
            for i in story.incidents.values()
        ],
        "changes": [
            {
                "id": c.id,
                "title": c.title,
                "verdict": c.decision.verdict if c.decision else None,
                "reason": c.decision.reason if c.decision else None,
                "closure": c.closure,
            }
            for c in story.changes.values()
        ],
        "runs": story.launched,
        "problems": [p.title for p in story.problems.values()],
    }
