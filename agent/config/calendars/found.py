"""Every calendar that the rules name: read and ready to be expanded, or why it is not.

A file that is wrong is a finding: the rule set is refused. A subscription that has no usable copy
leaves the rule set in force, and its calendar unreadable: nothing runs until there is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from agent.config.calendars.claims import Declared
from agent.config.calendars.copies import FOLDER, read_copy
from agent.config.calendars.expand import expand
from agent.config.calendars.read import CalendarFile, parse_calendar, read_calendar
from agent.config.documents import Rules, Written
from agent.config.references import entity_ref
from agent.config.schema_calendar import CalendarSpec, checked_url
from agent.config.schema_settings import Settings
from agent.errors import ConfigError, Finding
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.interval import Interval
from agent.model.service import EntityRef, ServiceMap

HOPS_MAX = 8
"""As far as a calendar that is about an entity is about what it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A calendar that is fetched: from where, how often, and what its entries may do."""

    name: str
    url: str
    token_file: Path | None
    every: timedelta
    stale_after: timedelta
    declared: Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One calendar of the rules."""

    name: str
    document: str
    file: CalendarFile | None
    """None where a subscription has no usable copy yet."""
    declared: Declared
    subscription: Subscription | None = None
    fresh_until: datetime | None = None
    problem: str = ""

    def around(self, within: Interval) -> Calendar | None:
        """Its windows that touch a span of time; None where nothing of it can be read."""
        if self.file is None:
            return None
        is_granted = CalendarPurpose.PERMIT in self.declared.unmarked
        scopes = [self.declared.entities] if is_granted else []
        scopes += [
            each.entities
            for each in self.file.claims
            if each.is_marked and CalendarPurpose.PERMIT in each.purposes
        ]
        return Calendar(
            name=self.name,
            permits=tuple(dict.fromkeys(scopes)),
            windows=expand(self.file, within),
            horizon=within,
            fresh_until=self.fresh_until,
        )


def find_calendars(
    rules: Rules, settings: Settings, service_map: ServiceMap
) -> tuple[tuple[Found, ...], list[Finding]]:
    """The calendars of these rules, by name, and every finding about their files."""
    found: list[Found] = []
    findings: list[Finding] = []
    for written in rules.of(CalendarSpec):
        try:
            declared = _declared(written.spec, service_map)
        except ValueError:
            continue  # its entities have findings of their own
        try:
            if written.spec.file is not None:
                found.append(_of_file(written, declared, written.spec.file))
            else:
                found.append(_of_copy(written, declared, settings))
        except ConfigError as error:
            findings += error.findings
    return tuple(found), findings


def _of_file(written: Written[CalendarSpec], declared: Declared, file: str) -> Found:
    path = Path(written.document.file).parent / file
    if not path.is_file():
        said = f'there is no calendar file "{file}".'
        hint = "The path starts at the folder of this document."
        raise ConfigError([written.finding(("file",), said, hint)])
    calendar = read_calendar(path, declared)
    return Found(
        name=written.name, document=written.document.file, file=calendar, declared=declared
    )


def _of_copy(written: Written[CalendarSpec], declared: Declared, settings: Settings) -> Found:
    spec, folder = written.spec, Path(written.document.file).parent
    subscription = Subscription(
        name=written.name,
        url=_url(written, folder),
        token_file=folder / spec.token_file if spec.token_file else None,
        every=spec.every,
        stale_after=spec.stale_after,
        declared=declared,
    )
    _refuse_foreign(written, subscription.url, settings)
    copy = read_copy(settings.data / FOLDER, written.name, subscription.url)
    calendar, problem = None, f"calendar {written.name} has not been fetched yet"
    if copy is not None:
        try:
            name = f"subscribed calendar {written.name}"
            calendar, problem = parse_calendar(name, copy.content, declared), ""
        except ConfigError as error:
            problem = "; ".join(map(str, error.findings[:3]))
    return Found(
        name=written.name,
        document=written.document.file,
        file=calendar,
        declared=declared,
        subscription=subscription,
        fresh_until=copy.fetched_at + spec.stale_after if copy else None,
        problem=problem,
    )


def _url(written: Written[CalendarSpec], folder: Path) -> str:
    spec = written.spec
    if spec.url_file is None:
        return spec.url or ""
    try:
        return checked_url((folder / spec.url_file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        problem = (error.strerror if isinstance(error, OSError) else None) or error
        said = f'urlFile: "{spec.url_file}": {problem}.'
        raise ConfigError([written.finding(("urlFile",), said)]) from None


def _refuse_foreign(written: Written[CalendarSpec], url: str, settings: Settings) -> None:
    """Rules are written by many, but whom we talk to is said by who runs the agent."""
    parts = urlsplit(url)
    key = "url" if written.spec.url is not None else "urlFile"
    allowed = settings.calendars.allowed_hosts
    if parts.hostname not in allowed:
        said = f'{key}: the host "{parts.hostname}" is not one that calendars come from.'
        hint = "Add it to `calendars.allowed_hosts` in config.yaml."
        raise ConfigError([written.finding((key,), said, hint)])
    token = written.spec.token_file
    if token is not None and not (Path(written.document.file).parent / token).is_file():
        said = f'tokenFile: there is no file "{token}".'
        raise ConfigError([written.finding(("tokenFile",), said)])


def _declared(spec: CalendarSpec, service_map: ServiceMap) -> Declared:
    purposes = tuple(CalendarPurpose(word) for word in dict.fromkeys(spec.purposes))
    unmarked = purposes if spec.unmarked is None else tuple(map(CalendarPurpose, spec.unmarked))
    entities = tuple(entity_ref(text) for text in spec.entities)
    return Declared(
        purposes=purposes,
        unmarked=unmarked,
        entities=entities,
        zone=ZoneInfo(spec.zone) if spec.zone else None,
        known=service_map.entities.keys(),
        scope=dict.fromkeys(_scope(entities, service_map)) if entities else None,
    )


def _scope(entities: tuple[EntityRef, ...], service_map: ServiceMap) -> Iterator[EntityRef]:
    for ref in entities:
        yield ref
        if ref in service_map.entities:
            yield from (lower for lower, _ in service_map.below(ref, HOPS_MAX))
