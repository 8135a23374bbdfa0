"""Our annotations on a Backstage descriptor: how the map meets alerts, hosts and the business.

Not here: references to other entities being known (`service_map`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from agent.config.durations import parse_duration
from agent.config.matchers import parse_matchers
from agent.config.references import did_you_mean, entity_ref
from agent.config.schema_map import ANNOTATION_PREFIX, ANNOTATIONS
from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.labels import Matcher, MatchOperator
from agent.model.remediation import Host
from agent.model.reported import NAMES
from agent.model.service import EntityKind, EntityRef

ALTERNATIVES_MAX = 100

_SSH_HOST = re.compile(
    r"(?:(?P<user>[a-z_][a-z0-9_-]{0,31})@)?"
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<address>[A-Za-z0-9][A-Za-z0-9._-]{0,252}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PYTHON = re.compile(r"/[A-Za-z0-9._/-]{1,255}")
_KEY_FILE = re.compile(r"/[A-Za-z0-9._/ -]{1,1023}")
_WORD = re.compile(r"\S(?:.{0,98}\S)?")


@dataclass(slots=True)
class Notes:
    """What the annotations of one descriptor say."""

    values: dict[str, Any] = field(default_factory=dict)
    """By field of `Entity`."""
    mentions: list[tuple[EntityRef, Loc]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_annotations(document: Document, annotations: Mapping[str, str], *, name: str) -> Notes:
    """Read those under `watchkeeper.io/`, and what other tools call the entity.

    Every other annotation is somebody else's.

    `name` is what the host is called in an inventory.
    """
    notes = Notes()
    host: dict[str, str] = {}
    for key, text in annotations.items():
        if key in NAMES and text.strip():
            notes.values.setdefault("known_as", {})[key] = text.strip()
        if not key.startswith(ANNOTATION_PREFIX):
            continue
        loc = ("metadata", "annotations", key)
        if key not in ANNOTATIONS:
            hint = did_you_mean(key, ANNOTATIONS)
            notes.findings.append(document.key_finding(loc, f'unknown annotation "{key}".', hint))
            continue
        try:
            _read(notes, host, key.removeprefix(ANNOTATION_PREFIX), text, loc)
        except ValueError as error:
            notes.findings.append(document.finding(loc, f"{key}: {error}."))
    if host:
        try:
            notes.values["host"] = _host(name, host, Path(document.file).parent)
        except ValueError as error:
            key = ANNOTATION_PREFIX + ("ssh-host" if "ssh-host" in host else min(host))
            loc = ("metadata", "annotations", key)
            notes.findings.append(document.finding(loc, f"{key}: {error}."))
    return notes


def _read(notes: Notes, host: dict[str, str], key: str, text: str, loc: Loc) -> None:
    match key:
        case "tier":
            notes.values["tier"] = _tier(text)
        case "match":
            notes.values["matches"] = _alternatives(text)
        case "metrics":
            notes.values["metrics"] = _labels(text)
        case "redundancy-group":
            notes.values["redundancy_group"] = _word(text)
        case "objective":
            notes.values["objective"] = _number(text, at_most=100)
        case "objective-window":
            notes.values["objective_window"] = _window(text)
        case "min-up":
            notes.values["min_up"] = _members(text)
        case "cost-per-hour":
            notes.values["cost_per_hour"] = _number(text, at_most=1e12)
        case "runs-on" | "supplier":
            kind = EntityKind.RESOURCE if key == "runs-on" else EntityKind.GROUP
            ref = entity_ref(text, kind=kind)
            notes.values[key.replace("-", "_")] = ref
            notes.mentions.append((ref, loc))
        case "discovered-by":
            _word(text)
        case "gone":
            _gone(text)
        case _:
            host[key] = text.strip()


def _host(name: str, said: Mapping[str, str], folder: Path) -> Host:
    python = said.get("python", "/usr/bin/python3")
    if not _PYTHON.fullmatch(python):
        raise ValueError(f'"{python}" is no absolute path of a Python')
    if "connection" in said:
        if said["connection"] != "local":
            raise ValueError(f'the connection must be "local", not "{said["connection"]}"')
        if "ssh-host" in said or "ssh-key-file" in said:
            raise ValueError("at most one of a local connection and an SSH host may be set")
        return Host(name=name, address="127.0.0.1", connection="local", python=python)
    if "ssh-host" not in said:
        raise ValueError(f"needs {ANNOTATION_PREFIX}ssh-host beside it")
    found = _SSH_HOST.fullmatch(said["ssh-host"])
    if found is None or not 0 < int(found["port"] or 22) < 65536:
        raise ValueError(f'"{said["ssh-host"]}" is no SSH host; write it like root@10.0.0.5:22')
    return Host(
        name=name,
        address=found["v6"] or found["address"],
        port=int(found["port"] or 22),
        user=found["user"] or "root",
        private_key_file=_key_file(said.get("ssh-key-file"), folder),
        python=python,
    )


def _key_file(text: str | None, folder: Path) -> str | None:
    if text is None:
        return None
    path = str((folder / Path(text).expanduser()).resolve())
    if not _KEY_FILE.fullmatch(path):
        raise ValueError(f'"{path}" is no path that Ansible may be given')
    return path


def _tier(text: str) -> int:
    if text not in ("1", "2", "3", "4", "5"):
        raise ValueError(f'must be "1" to "5", not "{text}"')
    return int(text)


def _alternatives(text: str) -> tuple[tuple[Matcher, ...], ...]:
    lines = [line for line in text.splitlines() if line and not line.isspace()]
    if len(lines) > ALTERNATIVES_MAX:
        raise ValueError(f"more than {ALTERNATIVES_MAX} alternatives")
    if not lines:
        raise ValueError('no matcher given; write it like host="app1"')
    return tuple(parse_matchers(line) for line in lines)


def _gone(text: str) -> None:
    for line in text.splitlines():
        what, _, day = line.strip().rpartition(" ")
        try:
            date.fromisoformat(day)
        except ValueError:
            what = ""
        if not what:
            raise ValueError(f'"{line}" does not say what is gone since which day (2026-11-22)')


def _labels(text: str) -> tuple[Matcher, ...]:
    matchers = parse_matchers(text)
    for matcher in matchers:
        if matcher.operator is not MatchOperator.EQUAL:
            raise ValueError(f"{matcher} names no value; only `=` can stand here")
    return matchers


def _window(text: str) -> timedelta:
    window = parse_duration(text)
    if not timedelta(days=1) <= window <= timedelta(days=366):
        raise ValueError(f"must be from 1d to 366d, not {text}")
    return window


def _members(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        raise ValueError(f'must be a whole number from 1 on, not "{text}"')
    return int(text)


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("must be a word of 1 to 100 characters")
    return text


def _number(text: str, *, at_most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f'"{text}" is no number') from None
    if not 0 < number <= at_most:
        raise ValueError(f"must be more than 0 and at most {at_most:g}, not {text}")
    return number
