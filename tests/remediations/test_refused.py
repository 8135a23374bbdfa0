"""What was not declared is refused by the gate, before anything is asked of a host."""

from pathlib import Path

import pytest

from agent.config.remediations import read_remediations
from agent.core.changes.parameters import accept
from agent.core.state import State
from tests.remediations.conftest import SHIPPED

REGISTRY = read_remediations(SHIPPED)

HOSTILE = (
    "",
    "-f",
    "--help",
    "..",
    "../x",
    "a/../../etc/passwd",
    "/etc/passwd",
    "/etc/../etc/passwd",
    "x;id",
    "x id",
    "x\nid",
    "$(id)",
    "`id`",
    "x|id",
    "x*",
    "?",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "x\0",
    "x\u202e",
    "x" * 257,
)

# A mount point, or what a web server is asked for: a plain path like any other.
PATHS = ("mount", "health_path")
A_PATH = tuple(value for value in HOSTILE if value != "/etc/passwd")

BY_PARAMETER = {
    ("kill-runaway-process", "program"): ("sshd", "systemd", "str.*", "python3", "init"),
    ("clear-stale-lock", "file"): (
        "/run/../etc/x.lock",
        "/run/lock/../../etc/x.pid",
        "/run/lock/a/b/c.lock",
        "/run/lock/*.lock",
        "/run/lock/x.lock\n/etc/passwd",
        "run/lock/x.lock",
        "/run/.hidden.lock",
        "/run/x.conf",
    ),
    ("rotate-logs", "file"): (
        "/var/log/../lib/x",
        "/var/log/.hidden",
        "/var/log/",
        "/var/log",
        "/var/logs/x",
        "/var/log//x",
    ),
    ("rotate-logs", "config"): ("../passwd", ".x", "a/b"),
}
"""What a pattern would let through that is only nearly right."""

TEXTS = [
    (name, parameter.name)
    for name, remediation in REGISTRY.remediations.items()
    for parameter in remediation.parameters
    if parameter.type == "string"
]
NUMBERS = [
    (name, parameter.name)
    for name, remediation in REGISTRY.remediations.items()
    for parameter in remediation.parameters
    if parameter.type == "integer"
]


def accepts(name: str, parameter: str, value: str | int) -> bool:
    """Whether this value passes for this parameter, whatever the others are."""
    declared = {each.name: each for each in REGISTRY.remediations[name].parameters}
    return accept(State(), declared[parameter], value) is not None


def test_the_library_is_in_order() -> None:
    """Every shipped folder passes contract and lint."""
    assert [] == [str(finding) for finding in REGISTRY.findings]
    assert sorted(REGISTRY.remediations) == sorted(p.name for p in Path(SHIPPED).iterdir())


@pytest.mark.parametrize(("name", "parameter"), TEXTS)
def test_no_text_is_more_than_a_name(name: str, parameter: str) -> None:
    """Options, ways up, shell, blanks, templates, patterns and control characters do not pass."""
    corpus = (
        *(A_PATH if parameter in PATHS else HOSTILE),
        *BY_PARAMETER.get((name, parameter), ()),
    )

    assert [] == [value for value in corpus if accepts(name, parameter, value)]


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_every_number_has_its_bounds(name: str, parameter: str) -> None:
    """Nothing negative, nothing endless, and no number that is a text with more in it."""
    corpus = (-1, -(10**9), 10**9, "1;id", "1 2", "0x10", "1e3", "\u0663", "")

    assert [] == [value for value in corpus if accepts(name, parameter, value)]
