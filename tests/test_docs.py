"""Whatever people can meet is documented, and whatever the documentation shows works."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import typer.main
import yaml

from agent.cli.main import app
from agent.config.check import check
from agent.config.documents import read_rules
from agent.config.remediations import read_remediations
from agent.config.schema import keys_of
from agent.config.schema_map import ANNOTATIONS
from agent.config.schema_remediation import RemediationSpec
from agent.config.schema_rules import SPECS
from agent.config.schema_settings import Settings
from agent.core.conditions import Scope
from agent.model.effect import EFFECTS
from agent.model.entry import What
from agent.model.incident import EVERYTHING, StateInterval
from agent.model.interval import Interval
from agent.model.reason import Reason
from agent.model.service import Health
from agent.reporting.availability import availability
from agent.runtime.registry import Registry
from agent.web.api import API_ROUTES
from tests.source import ROOT
from tests.test_deploy import SERIES, metrics
from tests.test_layers import MAY_IMPORT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "rules").rglob("*.md")])
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
OURS = "watchkeeper.io/"


def page(name: str) -> str:
    """The text of a page below docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks() -> Iterator[tuple[str, str]]:
    """Every YAML block with the page and line where it stands."""
    for file in PAGES:
        text = file.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            indent = len(found[1])
            content = "\n".join(each[indent:] for each in found[2].splitlines())
            yield f"{file.relative_to(ROOT)}:{line}", content


BLOCKS = dict(blocks())


def test_every_reason_is_explained() -> None:
    """Whoever reads a reason in a timeline finds what it means, once."""
    text = page("reasons.md")

    assert [] == [reason for reason in Reason if text.count(f"| `{reason}` |") != 1]


def test_every_key_of_the_configuration_is_documented() -> None:
    """Settings, every kind of rule, the contract of a remediation, annotations of the map."""
    text = page("configuration.md")
    keys = [
        *keys_of(Settings),
        *(key for spec in SPECS.values() for key in keys_of(spec)),
        *keys_of(RemediationSpec),
    ]

    assert [] == [key for key in keys if f"`{key}`" not in text and f".{key}" not in text]
    assert [] == [name for name in ANNOTATIONS if f"`{name}`" not in text]
    assert [] == [kind for kind in SPECS if f"### {kind}" not in text]


def test_every_name_of_a_condition_is_documented() -> None:
    """What one may write in a rule is listed where rules are explained."""
    text = page("configuration.md")
    names = {name for scope in Scope for name in scope.variables}

    assert [] == sorted(name for name in names if f"`{name}`" not in text)


def test_every_metric_is_documented() -> None:
    """What is measured is explained where one looks when something is wrong."""
    text = page("operating.md")
    made = sorted(name for name in metrics() if not name.endswith(SERIES))

    assert [] == [name for name in made if f"`{name}`" not in text]


def test_every_entry_and_effect_is_documented() -> None:
    """The journal can be read by whoever has the page about it."""
    text = page("journal.md")
    names = [kind.__name__ for kind in (*get_args(What), *EFFECTS)]

    assert [] == [name for name in names if f"| `{name}` |" not in text]


def test_every_command_is_documented() -> None:
    """Each command of the command line, and each of its options, has a line."""
    text = page("commands.md")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    parts = {
        f"{name} {part}": command
        for name, each in commands.items()
        for part, command in getattr(each, "commands", {}).items()
    }

    assert [] == [name for name in commands if f"## {name}" not in text]
    assert [] == [part for part in parts if part not in text]
    options = {
        option
        for command in (*commands.values(), *parts.values())
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert [] == sorted(option for option in options if f"`{option}" not in text)


def test_every_route_is_documented() -> None:
    """The table of the API holds each route with the permission that it asks for."""
    text = page("api.md")
    missing = [
        f"{route.method} {route.path}"
        for route in API_ROUTES
        if f"| {route.method} | `{route.path}` | "
        f"{route.permission.value if route.permission else 'none'} |" not in text
    ]

    assert [] == missing


def test_every_connector_has_its_page() -> None:
    """With a set-up to copy, and what to grant and to take away."""
    for manifest in Registry.find().manifests.values():
        text = (ROOT / manifest.documentation).read_text(encoding="utf-8")

        assert "ermissions" in text, manifest.name
        assert "emov" in text, manifest.name


def test_every_remediation_has_its_page() -> None:
    """For whoever approves it at three in the morning; all of its inputs are on it."""
    registry = read_remediations(ROOT / "remediations")

    assert not registry.findings
    for name, remediation in registry.remediations.items():
        text = (ROOT / "remediations" / name / "README.md").read_text(encoding="utf-8")
        assert [] == [p.name for p in remediation.parameters if f"`{p.name}`" not in text]
        assert name in page("remediations.md")


@pytest.mark.parametrize("place", BLOCKS)
def test_yaml_of_the_documentation_is_in_order(place: str, tmp_path: Path) -> None:
    """A block can be copied as it stands: rules, remediations and settings have no mistake."""
    content = BLOCKS[place]
    documents = list(yaml.safe_load_all(content))
    first = documents[0]
    assert isinstance(first, dict)
    if first.get("kind") == "Remediation":
        found = _of_remediation(tmp_path, first["metadata"]["name"], content)
    elif first.get("kind") == "Scenario":
        found = []
    elif str(first.get("apiVersion", "")).startswith((OURS, "backstage.io/")):
        (tmp_path / "page.yaml").write_text(content)
        (tmp_path / "maintenance.ics").write_bytes(
            (ROOT / "rules/calendars/maintenance.ics").read_bytes()
        )
        found = [str(finding) for finding in read_rules(tmp_path).findings]
    elif content.startswith("# config.yaml"):
        unknown = set(first) - set(keys_of(Settings))
        found = [f"unknown key {key}" for key in sorted(unknown)]
    else:
        # Another tool's file: its first line says whose.
        found = [] if re.match(r"# \w+\.ya?ml\n", content) else ["nobody knows what this is"]

    assert [] == found


def test_examples_of_rules_are_in_order() -> None:
    """What is shipped can be begun with."""
    report = check(Settings(rules=ROOT / "rules", remediations=ROOT / "remediations"))

    assert () == report.findings


def test_links_lead_somewhere() -> None:
    """Each link between pages has its page, and each anchor its heading."""
    broken = []
    for file in PAGES:
        for link in LINK.findall(file.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            if "://" in link or target.startswith("mailto:"):
                continue
            path = (file.parent / target).resolve() if target else file
            if not path.exists() or (anchor and anchor not in _anchors(path)):
                broken.append(f"{file.relative_to(ROOT)}: {link}")

    assert [] == broken


def test_every_page_can_be_reached() -> None:
    """From the README, by links: a page that nothing leads to is not read."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        file = waiting.pop()
        if file in reached or file.suffix != ".md" or not file.is_file():
            continue
        reached.add(file)
        for link in LINK.findall(file.read_text(encoding="utf-8")):
            waiting.append((file.parent / link.partition("#")[0]).resolve())

    assert [] == [str(each.relative_to(ROOT)) for each in DOCS.rglob("*.md") if each not in reached]


def test_tests_that_are_named_exist() -> None:
    """A threat is answered by a test that is there, under the name that the page gives it."""
    files: dict[str, str] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        files[path.name] = files.get(path.name, "") + path.read_text("utf-8")
    missing = []
    rows = (page("security.md") + page("threat-model.md")).splitlines()
    for row in rows:
        file = ""
        for found in re.finditer(r"`(test_\w+\.py)?(?:::(test_\w+))?`", row):
            file = found[1] or file
            is_there = f"def {found[2] or 'test_'}" in files.get(file, "")
            if any(found.groups()) and not is_there:
                missing.append(found[0])

    assert [] == missing


def test_the_floors_are_those_that_are_held() -> None:
    """Who may import whom is on the page as the walk over the source has it."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|$", page("architecture.md"), re.MULTILINE
    )
    shown = {package: sorted(re.findall(r"`([\w.]+)`", allowed)) for package, allowed in rows}

    assert {package: sorted(allowed) for package, allowed in MAY_IMPORT.items()} == shown


def test_every_folder_of_tests_is_documented() -> None:
    """Whoever breaks a test finds out what it is there to show."""
    text = page("testing.md")
    folders = [each.name for each in (ROOT / "tests").iterdir() if list(each.glob("*.py"))]

    assert [] == [name for name in folders if f"`tests/{name}" not in text]


def test_files_that_are_named_exist() -> None:
    """Whoever follows the way of an alert through the code finds each file."""
    name = re.compile(r"`((?:agent|connectors|deploy|tests|rules|remediations)/[\w/.-]+\.\w+)`")
    named = {found for file in PAGES for found in name.findall(file.read_text(encoding="utf-8"))}

    assert [] == sorted(each for each in named if not (ROOT / each).exists())


def test_the_example_of_the_report_is_what_the_report_says() -> None:
    """The figures on the page are those of the formula, to the last digit shown."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    window = Interval(start, start + timedelta(days=30))

    def interval(after: int, seconds: int, health: Health, excuse: str | None) -> StateInterval:
        begin = start + timedelta(days=after)
        return StateInterval(
            entity=EVERYTHING if health is Health.UNKNOWN else "component:default/shop",
            start=begin,
            end=begin + timedelta(seconds=seconds),
            health=health,
            excused_by=excuse,
        )

    measured = availability(
        "component:default/shop",
        [
            interval(3, 1300, Health.DOWN, None),
            interval(9, 7200, Health.DOWN, "calendar:maintenance"),
            interval(20, 3600, Health.UNKNOWN, None),
        ],
        window=window,
        known_until=window.end,
        watched_since=start,
    )

    shares = [measured.share, measured.lowest, measured.highest]
    shown = re.findall(r"= (\d\d\.\d{3}) %", page("reports.md"))
    assert [f"{share:.3%}".rstrip("%") for share in shares if share is not None] == shown


def _of_remediation(folder: Path, name: str, content: str) -> list[str]:
    made = folder / name
    made.mkdir()
    (made / "remediation.yaml").write_text(content)
    for playbook in ("playbook.yml", "rollback.yml"):
        (made / playbook).write_text("- hosts: targets\n  vars: {it: '{{ agent_input }}'}\n")
    return [str(finding) for finding in read_remediations(folder).findings]


def _anchors(file: Path) -> set[str]:
    headings = HEADING.findall(file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
