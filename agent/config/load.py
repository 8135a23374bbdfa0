"""From files to what the agent runs with: all or nothing.

Not here: watching files for changes, or keeping the set in force when a reload fails (`runtime`).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from agent.config.calendars.expand import horizon
from agent.config.calendars.found import Subscription
from agent.config.check import examine
from agent.config.documents import shown
from agent.config.schema import Strict, validate
from agent.config.schema_settings import Settings
from agent.config.yaml_lines import Document, Loc, read_documents
from agent.errors import ConfigError, Finding, PermanentError
from agent.model.calendar import Calendar
from agent.model.rule import Config

Part = TypeVar("Part", bound=Strict | None)

FILE_KEYS = (
    *("token_file", "secret_file", "apprise_file", "ca_file"),
    *("known_hosts", "private_key_file", "key_file"),
)
"""Keys of any part that name a file."""
OPTIONS_FILE = "file"
"""The option of a connector that names a file with more options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A rule set that may come into force, with its calendars worked out around a moment."""

    config: Config
    calendars: tuple[Calendar, ...]
    """Those that can be read."""
    subscriptions: tuple[Subscription, ...] = ()
    """Of which of them copies are to be fetched."""
    problems: tuple[str, ...] = ()
    """Why others cannot."""


def load_settings(path: Path | None) -> Settings:
    """What config.yaml says; without a file, the defaults. Paths become absolute.

    Raises ConfigError with every finding.
    """
    if path is None:
        return Settings()
    documents = read_documents(path, shown(path))
    if len(documents) > 1:
        raise ConfigError([documents[1].finding((), "config.yaml must be one document.")])
    if not documents:
        return _resolved(Settings(), path.parent)
    (document,) = documents
    settings = validate(Settings, document, document.value)
    if isinstance(settings, list):
        raise ConfigError(settings)
    findings = list(_settings_findings(document, settings))
    if findings:
        raise ConfigError(findings)
    return _resolved(settings, path.parent)


def with_wishes(settings: Settings, *, listen: str | None, data: Path | None) -> Settings:
    """The settings with what the command line says instead of them.

    Raises PermanentError for what is no address.
    """
    given = {"listen": listen, "data": data.absolute() if data else None}
    wishes = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings.model_validate({**dict(settings), **wishes})
    except ValidationError as error:
        said = [f"--{each['loc'][0]}: {each['ctx']['error']}" for each in error.errors()]
        raise PermanentError("; ".join(said)) from None


def load_config(settings: Settings, at: datetime) -> Loaded:
    """Rules, remediations and calendars that these settings name, calendars expanded around `at`.

    Raises ConfigError with every finding; a rule set is taken whole or not at all.
    """
    with _collector_paused():
        examined = examine(settings)
    if examined.config is None:
        raise ConfigError(examined.findings)
    within = horizon(at)
    calendars = (found.around(within) for found in examined.calendars)
    return Loaded(
        config=examined.config,
        calendars=tuple(each for each in calendars if each is not None),
        subscriptions=tuple(
            each.subscription for each in examined.calendars if each.subscription is not None
        ),
        problems=tuple(each.problem for each in examined.calendars if each.problem),
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing of a load is garbage before its end, and looking for it takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # To and fro, everything that is alive becomes old without having been looked at.
        gc.freeze()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _settings_findings(document: Document, settings: Settings) -> Iterator[Finding]:
    for key in ("sources", "connectors", "receivers", "tokens"):
        seen: set[str] = set()
        for number, part in enumerate(getattr(settings, key)):
            if part.name in seen:
                said = f'{key}: the name "{part.name}" stands here a second time.'
                yield document.finding((key, number, "name"), said, "Rename one of both.")
            seen.add(part.name)
    yield from _missing_files(document, settings)


def _missing_files(document: Document, settings: Settings) -> Iterator[Finding]:
    folder = Path(document.file).parent
    for loc, file in _files(settings):
        if not (folder / file).is_file():
            said = f'{loc[-1]}: there is no file "{file}".'
            yield document.finding(loc, said, "The path starts at the folder of this file.")


def _files(settings: Settings) -> Iterator[tuple[Loc, Path]]:
    """Every file that the settings name, and where."""
    parts: list[tuple[Loc, object]] = [
        (("prometheus",), settings.prometheus),
        (("ansible",), settings.ansible),
        (("audit",), settings.audit),
        (("audit", "webhook"), settings.audit.webhook),
    ]
    for key in ("sources", "connectors", "receivers", "tokens"):
        parts += [((key, number), part) for number, part in enumerate(getattr(settings, key))]
    for loc, part in parts:
        for name in FILE_KEYS:
            if file := getattr(part, name, None):
                yield (*loc, name), file


def _resolved(settings: Settings, folder: Path) -> Settings:
    """The settings with absolute paths, and the default folders where they exist."""
    folder = folder.resolve()
    beside = {name: folder / name for name in ("rules", "remediations")}
    found = {name: path for name, path in beside.items() if path.is_dir()}
    folders = {
        "data": folder / settings.data,
        "rules": folder / settings.rules if settings.rules else found.get("rules"),
        "remediations": (
            folder / settings.remediations if settings.remediations else found.get("remediations")
        ),
    }
    lists = {
        key: [_with_files(part, folder) for part in getattr(settings, key)]
        for key in ("sources", "connectors", "receivers", "tokens")
    }
    singles = {
        key: _with_files(getattr(settings, key), folder) for key in ("prometheus", "ansible")
    }
    kept = _with_files(settings.audit, folder).model_copy(
        update={
            "file": settings.audit.file and folder / settings.audit.file,
            "webhook": _with_files(settings.audit.webhook, folder),
        }
    )
    return settings.model_copy(update={**folders, **lists, **singles, "audit": kept})


def _with_files(part: Part, folder: Path) -> Part:
    if part is None:
        return part
    named = {name: getattr(part, name, None) for name in FILE_KEYS}
    changes: dict[str, object] = {name: folder / file for name, file in named.items() if file}
    options = getattr(part, "options", {})
    if OPTIONS_FILE in options:
        changes["options"] = {**options, OPTIONS_FILE: str(folder / str(options[OPTIONS_FILE]))}
    return part.model_copy(update=changes)
