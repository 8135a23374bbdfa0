"""Decisions of a board from a file, and its agenda as text."""

from pathlib import Path

import pytest

from agent.cli.agenda import markdown_of
from agent.cli.approvals import read_decisions
from agent.errors import PermanentError

YAML = """\
decisions:
  - {change: CHG-7, binding: abc, decision: approve, note: after the sale}
  - {change: CHG-9, binding: def, decision: reject, note: too small}
"""
CSV = """\
change,binding,decision,note
CHG-7,abc,approve,after the sale
CHG-9,def,reject,too small
"""
DECISIONS = [
    {"change": "CHG-7", "binding": "abc", "decision": "approve", "note": "after the sale"},
    {"change": "CHG-9", "binding": "def", "decision": "reject", "note": "too small"},
]


@pytest.mark.parametrize(("name", "text"), [("minutes.yaml", YAML), ("minutes.csv", CSV)])
def test_a_file_of_decisions_is_read(name: str, text: str, tmp_path: Path) -> None:
    """YAML and CSV say the same."""
    file = tmp_path / name
    file.write_text(text)
    assert read_decisions(file) == DECISIONS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decisions:\n  - {change: CHG-7, decision: approve}\n", "item 1: binding missing"),
        ("decisions:\n  - {change: C, binding: b, decision: yes}\n", "`decision` is approve"),
        ("decisions:\n  - {change: C, binding: b, decision: approve, by: me}\n", "by unknown"),
        ("decisions: []\n", "write `decisions:`"),
        ("- CHG-7\n", "write `decisions:`"),
    ],
)
def test_a_file_with_one_wrong_item_decides_nothing(text: str, said: str, tmp_path: Path) -> None:
    """The place and the way out are said, before anything is sent."""
    file = tmp_path / "minutes.yaml"
    file.write_text(text)
    with pytest.raises(PermanentError, match=said):
        read_decisions(file)


def test_an_agenda_is_text_that_keeps_its_shape() -> None:
    """Markup in what others wrote stays text; each change stands with its binding."""
    when = {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T12:00:00Z"}
    item = {
        "change": "CHG-7", "binding": "abc", "type": "normal", "title": "Restart # [x](y)",
        "entity": "component:default/db", "hosts": ["db1"], "parameters": {"service": "*db*"},
        "requested_by": "person:cleo", "requested_at": "2026-03-02T09:00:00Z", "incident": None,
        "risk": {
            "level": "very_high", "score": 80,
            "inputs": [
                {"name": "tier", "value": "1", "points": 25},
                {"name": "hour", "value": "night", "points": 0},
            ],
        },
        "conflicts": [], "window": when, "preview": "none", "successes": 2, "failures": 1,
        "last_results": [{"change": "CHG-3", "closure": "failed"}], "approvals_missing": 2,
        "roles": ["approver", "sre"], "approvals": [],
    }  # fmt: skip
    agenda = {
        "at": "2026-03-02T10:00:00Z", "until": "2026-03-09T10:00:00Z", "waiting": [item],
        "owed": {"retro": [], "reviews": []}, "standard": [],
        "schedule": [
            {"change": "CHG-7", "title": "Restart", "state": "awaiting_approval", "when": when}
        ],
    }  # fmt: skip
    text = markdown_of(agenda)
    assert "### CHG-7 normal: Restart \\# \\[x\\](y)" in text
    assert "- **parameters**: service=\\*db\\*" in text
    assert "- **risk**: very high, 80 points: tier 1 +25\n" in text
    assert "- **before**: 2 helped, 1 did not" in text
    assert "- **binding**: `abc`" in text
    assert "(awaiting approval)" in text
