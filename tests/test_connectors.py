"""What every connector must keep: walks the registry, the recorded payloads and the tapes."""

import ast
import io
import json
import os
import tokenize
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent.connector import ChangeSource, PushSource
from agent.errors import PayloadError
from agent.manifest import Kind, Rule
from agent.model.alert import Alert, Severity, severity_of
from agent.model.incident import Priority
from agent.model.interval import Interval
from agent.model.reported import ChangeReport
from agent.model.ticket import Ticket, TicketComment, TicketState
from agent.runtime.registry import Registry
from tests.connectors.tape import TapeError, plain_result, replay, write

ROOT = Path(__file__).parent.parent
CASES = ROOT / "tests" / "connectors"
REGISTRY = Registry.find()
LINES_MAX = 80
ALLOWED = ("agent.connector", "agent.errors", "agent.model", "pydantic", "pydantic_core")
HOT_PATH = {"alertmanager": ("msgspec",)}
"""Decided with figures: the one payload that arrives fifty thousand times a second."""

ALERTS = TypeAdapter(list[Alert])
REPORTS = TypeAdapter(list[ChangeReport])
ALL_INPUTS = sorted(CASES.glob("*/*.in.json"))
TAPES = sorted(CASES.glob("*/*.exchange.json"))
AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def face_of(folder: Path) -> str:
    """The connector that the recorded payloads of a folder are for."""
    return str(yaml.safe_load((folder / "case.yaml").read_text())["face"])


def is_of_changes(path: Path) -> bool:
    """Whether a recorded payload tells of changes and not of alerts."""
    return REGISTRY.kind_of(face_of(path.parent)) is Kind.CHANGES


INPUTS = [path for path in ALL_INPUTS if not is_of_changes(path)]
CHANGE_INPUTS = [path for path in ALL_INPUTS if is_of_changes(path)]


def source_of(folder: Path) -> PushSource:
    """The source that the recorded payloads of a folder are for."""
    case = yaml.safe_load((folder / "case.yaml").read_text())
    return REGISTRY.source(case["face"], case.get("options", {}), ROOT)


def changes_of(folder: Path) -> ChangeSource:
    """The source of changes that the recorded payloads of a folder are for."""
    return REGISTRY.changes(face_of(folder), {}, ROOT)


def reported(path: Path) -> list[ChangeReport]:
    """What a recorded payload says of changes, received when it was."""
    case = json.loads(path.read_text())
    received_at = datetime.fromisoformat(case["received_at"])
    payload = json.dumps(case["payload"]).encode()
    return changes_of(path.parent).parse_changes(payload, received_at)


def parsed(path: Path) -> list[Alert]:
    """The alerts of a recorded payload, received when it was."""
    case = json.loads(path.read_text())
    received_at = datetime.fromisoformat(case["received_at"])
    return source_of(path.parent).parse(json.dumps(case["payload"]).encode(), received_at)


def modules(name: str) -> list[Path]:
    """The files of a connector."""
    package = ROOT / "connectors" / name
    return sorted(package.glob("*.py")) if package.is_dir() else [package.with_suffix(".py")]


def code_lines(path: Path) -> int:
    """Lines that hold code: no comment, no docstring, no blank."""
    text = path.read_text()
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    skipped = tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kept = {token.start[0] for token in tokens if token.type not in (*skipped, tokenize.ENDMARKER)}
    return len(kept - prose)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recorded_payload_gives_the_golden_alerts(path: Path) -> None:
    """`UPDATE_GOLDEN=1` writes them; whoever does so reads the difference."""
    golden = path.with_name(path.name.replace(".in.", ".out."))
    alerts = json.loads(ALERTS.dump_json(parsed(path)))
    if os.environ.get("UPDATE_GOLDEN"):
        write(golden, alerts)
    assert json.loads(golden.read_text()) == alerts


@pytest.mark.parametrize("path", CHANGE_INPUTS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_recorded_payload_gives_the_golden_changes(path: Path) -> None:
    """Told apart from what says nothing of changes; `UPDATE_GOLDEN=1` writes them."""
    golden = path.with_name(path.name.replace(".in.", ".out."))
    reports = json.loads(REPORTS.dump_json(reported(path)))
    if os.environ.get("UPDATE_GOLDEN"):
        write(golden, reports)
    assert json.loads(golden.read_text()) == reports


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_repeat_is_the_same_alert(path: Path) -> None:
    """Identity is stable over repeats, whatever the moment they arrive at."""
    assert [a.fingerprint for a in parsed(path)] == [a.fingerprint for a in parsed(path)]


@pytest.mark.parametrize("folder", sorted({path.parent for path in INPUTS}), ids=lambda f: f.name)
def test_an_end_has_the_identity_of_its_beginning(folder: Path) -> None:
    """Resolved alerts of a folder's recordings are alerts that fired in it before."""
    alerts = [alert for path in folder.glob("*.in.json") for alert in parsed(path)]
    fired = {alert.fingerprint for alert in alerts if alert.ends_at is None}
    ended = {alert.fingerprint for alert in alerts if alert.ends_at is not None}
    assert fired
    assert ended <= fired


@pytest.mark.parametrize("path", TAPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_tape_plays_to_its_end_and_no_further(path: Path) -> None:
    """The connector asks exactly what was recorded; one turn more or less is a failure."""
    tape = json.loads(path.read_text())
    assert tape["result"] == plain_result(replay(_exchange(tape), tape["turns"]))
    with pytest.raises(TapeError, match="once more"):
        replay(_exchange(tape), tape["turns"][:-1])
    with pytest.raises(TapeError, match="early"):
        replay(_exchange(tape), [*tape["turns"], tape["turns"][-1]])


def _exchange(tape: dict[str, Any]) -> Any:
    face, call = tape["face"], tape["call"]
    if face == "prometheus":
        metrics = REGISTRY.metrics(face, tape["options"], ROOT)
        if "step_s" not in call:
            return metrics.query(call["query"])
        interval = Interval(*map(datetime.fromisoformat, (call["start"], call["end"])))
        return metrics.query_range(call["query"], interval, timedelta(seconds=call["step_s"]))
    if face in REGISTRY.names(Kind.TOPOLOGY):
        metrics = REGISTRY.metrics("prometheus", {}, ROOT)
        return REGISTRY.topology(face, tape["options"], ROOT).discover(metrics)
    if face in REGISTRY.names(Kind.CATALOGUE):
        return REGISTRY.catalogue(face, tape["options"], ROOT).discover()
    ticketing = REGISTRY.ticketing(face, tape["options"], ROOT)
    if "cursor" in call:
        return ticketing.poll(call["cursor"], call["keys"])
    return ticketing.upsert(ticket_of(call["ticket"]), call["known_ref"])


def ticket_of(content: dict[str, Any]) -> Ticket:
    """The ticket that a tape was recorded with."""
    return Ticket(
        **{
            **content,
            "priority": Priority(content["priority"]),
            "state": TicketState(content["state"]),
            "comments": tuple(TicketComment(**each) for each in content["comments"]),
        }
    )


@pytest.mark.parametrize("name", REGISTRY.manifests)
def test_a_manifest_is_true(name: str) -> None:
    """Named after its file, with a page that exists, and classes that take no unknown option."""
    manifest = REGISTRY.manifests[name]
    assert manifest.name == name
    assert (ROOT / manifest.documentation).is_file()
    assert set(manifest.quality) == set(Rule)
    for face in manifest.faces:
        problems = REGISTRY.problems(face.kind, face.name, {"no_such_key": 1}, ROOT)
        assert "$.no_such_key" in [problem.where for problem in problems]


def test_every_source_has_recordings_and_every_other_face_a_tape() -> None:
    """A connector without a recorded case is not one."""
    recorded = {yaml.safe_load(path.read_text())["face"] for path in CASES.glob("*/case.yaml")}
    taped = {json.loads(path.read_text())["face"] for path in TAPES}
    posting = (Kind.SOURCE, Kind.CHANGES)
    assert {name for kind in posting for name in REGISTRY.names(kind)} == recorded
    others = [kind for kind in Kind if kind not in posting]
    assert {name for kind in others for name in REGISTRY.names(kind)} == taped


@pytest.mark.parametrize("name", REGISTRY.manifests)
def test_a_connector_is_small_or_says_why(name: str) -> None:
    """A translator needs few lines; more than that is argued for in the manifest."""
    size = REGISTRY.manifests[name].size
    lines = sum(map(code_lines, modules(name)))
    assert lines <= (size.lines_max if size else LINES_MAX)


@pytest.mark.parametrize("name", REGISTRY.manifests)
def test_a_connector_only_translates(name: str) -> None:
    """It imports no I/O, no clock and no other connector, and fetches no time."""
    allowed = (*ALLOWED, *HOT_PATH.get(name, ()), f"connectors.{name}")
    for path in modules(name):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for module in names:
                assert module.startswith(allowed) or module.split(".")[0] in PURE, module
        assert "datetime.now" not in path.read_text()


PURE = frozenset(
    {"collections", "dataclasses", "datetime", "enum", "functools"}
    | {"math", "re", "typing", "urllib", "zoneinfo"}
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def broken(draw: st.DrawFn, inputs: list[Path]) -> bytes:
    """A recorded payload with something in it replaced, or cut, or flipped."""
    payload = json.loads(draw(st.sampled_from(inputs)).read_text())["payload"]
    parent, key, node = None, None, payload
    for _ in range(draw(st.integers(0, 5))):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        parent, key = node, draw(st.sampled_from(keys))
        node = parent[key]
        if not isinstance(node, dict | list):
            break
    if parent is not None:
        parent[key] = draw(JSON)
    body = bytearray(json.dumps(payload).encode("utf-8", "surrogatepass"))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(body) - 1))
        body[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(body)


FOLDERS = sorted({path.parent for path in INPUTS})
CHANGE_FOLDERS = sorted({path.parent for path in CHANGE_INPUTS})
ANYTHING = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())


@given(payload=broken(CHANGE_INPUTS) | ANYTHING)
@settings(max_examples=200, deadline=None)
def test_no_payload_leads_to_anything_but_changes_or_a_payload_error(payload: bytes) -> None:
    """Whatever arrives: changes that can be kept, or an error with a place."""
    for folder in CHANGE_FOLDERS:
        try:
            reports = changes_of(folder).parse_changes(payload, AT)
        except PayloadError as error:
            assert error.where.startswith("$")  # noqa: PT017 - whether it raises is drawn
        else:
            for report in reports:
                assert report.key
                assert report.at.tzinfo is not None
                REPORTS.dump_json([report])


@given(payload=broken(INPUTS) | ANYTHING)
@settings(max_examples=400, deadline=None)
def test_no_payload_leads_to_anything_but_alerts_or_a_payload_error(payload: bytes) -> None:
    """Whatever arrives: alerts that can be kept, or an error with a place."""
    for folder in FOLDERS:
        try:
            alerts = source_of(folder).parse(payload, AT)
        except PayloadError as error:
            assert error.where.startswith("$")  # noqa: PT017 - whether it raises is drawn
        else:
            for alert in alerts:
                assert alert.labels
                assert alert.starts_at.tzinfo is not None
                ALERTS.dump_json([alert])


HOSTILE = {
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep where nobody looks": b'[{"labels":{"a":"b"},"x":' + b"[" * 200_000,
    "a number without end": b'[{"labels":{"a":' + b"9" * 100_000 + b"}}]",
    "not a number": b'[{"labels":{"a":NaN}}]',
    "half a character": b'[{"labels":{"a":"\\ud800"}}]',
    "not UTF-8": b'[{"labels":{"a":"\xff"}}]',
    "another encoding": '[{"labels":{"a":"b"}}]'.encode("utf-16"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused_with_a_place(name: str) -> None:
    """Nothing of the process is hurt, and the sender is told where."""
    for folder in FOLDERS:
        with pytest.raises(PayloadError) as caught:
            source_of(folder).parse(HOSTILE[name], AT)
        assert caught.value.where.startswith("$")
    for folder in CHANGE_FOLDERS:
        with pytest.raises(PayloadError) as caught:
            changes_of(folder).parse_changes(HOSTILE[name], AT)
        assert caught.value.where.startswith("$")


def test_a_severity_that_nobody_knows_stays_unknown() -> None:
    """It is shown as it came and guessed by nobody."""
    (alert,) = source_of(CASES / "alertmanager_api").parse(
        b'[{"labels":{"alertname":"A","severity":"purple"}}]', AT
    )
    assert (alert.labels["severity"], severity_of(alert.labels)) == ("purple", Severity.UNKNOWN)
