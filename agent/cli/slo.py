"""`watchkeeper slo`: objectives as rules for Prometheus."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from agent.config.durations import format_duration, parse_duration
from agent.config.slo import Objectives, objectives_of, read_objectives
from agent.config.slo.windows import read_windows
from agent.config.yaml_lines import parse_documents
from agent.config.yaml_text import as_text
from agent.errors import ConfigError
from agent.model.alert_windows import USUAL
from agent.reporting.service_level.rules import Group, groups_of

STANDARD_INPUT = Path("-")
HEAD = "# Made by `watchkeeper slo rules` from objectives; change those, not this.\n"


def rules(files: Sequence[Path], *, period: str, windows: Path | None) -> int:
    """Print the rules of all objectives, or what is wrong with any of them. Raises ConfigError."""
    try:
        length = parse_duration(period)
    except ValueError as error:
        print(f"--period: {error}", file=sys.stderr)
        return 2
    using = read_windows(windows, length) if windows else USUAL
    longest = using.lengths[-1]
    if length <= longest:
        said = format_duration(longest)
        print(f"--period: must be longer than the longest alert window, {said}", file=sys.stderr)
        return 2
    found = _read(files, length)
    if found.findings:
        raise ConfigError(found.findings)
    groups = [group for slo in found.slos for group in groups_of(slo, using)]
    print(HEAD + as_yaml(groups), end="")
    return 0


def as_yaml(groups: Sequence[Group]) -> str:
    """A rules file of Prometheus; texts of several lines stay readable."""
    return as_text({"groups": [{"name": each.name, "rules": _rules(each)} for each in groups]})


def _rules(group: Group) -> list[dict[str, object]]:
    return [{key: value for key, value in asdict(rule).items() if value} for rule in group.rules]


def _read(files: Sequence[Path], period: timedelta) -> Objectives:
    if list(files) == [STANDARD_INPUT]:
        return objectives_of(parse_documents(sys.stdin.buffer.read(), "standard input"), period)
    return read_objectives(files, period)
