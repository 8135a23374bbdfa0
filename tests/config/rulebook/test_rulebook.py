"""A rulebook that is taken over decides here as it does there; what is not, is told."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from agent.config.check import check
from agent.config.rulebook.conditions import condition_of, holds
from agent.config.rulebook.grammar import GrammarError, parse
from agent.config.rulebook.translate import import_rulebook
from agent.config.rulebook.write import rules_text, skeleton
from agent.config.schema_settings import Settings
from agent.core.conditions import ConditionFailure, Facts, Scope, compile_condition

HERE = Path(__file__).parent

DOWN = {"alertname": "Down", "host": "web1", "n": "12", "code": "500"}
SLOW = {"alertname": "Slow", "n": "7"}
FULL = {"alertname": "Full", "host": "db1", "zone": "a"}

ANSWERS = [
    ('event.alert.labels.n >= "10"', [DOWN, SLOW]),
    ('event.alert.labels.host != "web1"', [FULL]),
    ('not event.alert.labels.host == "web1"', [FULL]),
    ('not (event.alert.labels.host == "web1")', [FULL]),
    ('event.alert.labels.host == "web1" or event.alert.labels.zone == "a"', [DOWN, FULL]),
    ("event.alert.labels.host is defined", [DOWN, FULL]),
    ('event.alert.labels.alertname in ["Down", "Full"]', [DOWN, FULL]),
    ('event.alert.labels.host not in ["web1"]', [FULL]),
    ('event.alert.labels.host is match("web")', [DOWN]),
    ('event.alert.labels.host is match("eb")', []),
    ('event.alert.labels.host is search("eb")', [DOWN]),
    ('event.alert.labels.host is regex("EB", ignorecase=true)', [DOWN]),
    ('event.alert.labels.host is not search("eb")', [FULL]),
    ('event.alert.labels.host is match("^web[0-9]$")', [DOWN]),
    ('event.alert.labels["alertname"] == "Down"', [DOWN]),
    ('event.alert.status == "firing"', [DOWN, SLOW, FULL]),
    (r'event.alert.labels.host is search("b\d")', [DOWN, FULL]),
    ('event.alert.labels.zone is not search("a")', []),
    ('not event.alert.labels.zone is search("a")', []),
    ('event.alert.labels.host == "web1" and event.alert.labels.zone is not defined', [DOWN]),
    ('not (event.alert.labels.host == "web1" or event.alert.labels.zone == "a")', []),
    ('not (event.alert.labels.zone == "a" and event.alert.labels.host == "db1")', [DOWN]),
    (
        'event.alert.labels.host not in ["web1"] and event.alert.labels.alertname != "Down"',
        [FULL],
    ),
    ('event.alert.labels.alertname is regex("D.*n")', [DOWN]),
    ('event.alert.labels.alertname is match("d.*", ignorecase=true)', [DOWN]),
    ("event.alert.labels is defined", [DOWN, SLOW, FULL]),
    ('"web1" == event.alert.labels.host', [DOWN]),
    ("event.alert.labels.host == event.alert.labels.host", [DOWN, FULL]),
]
"""Which of the three alerts a condition takes. ansible-rulebook 1.3.0 with drools_jpy 0.4.0 gave
these answers to the same conditions and events, and its documentation says the same."""


def taken(text: str, *, never_fails: bool = False) -> list[Mapping[str, str]]:
    """The alerts for which a condition of ours holds."""
    condition = compile_condition(text, Scope.REMEDIATION)
    found = []
    for labels in (DOWN, SLOW, FULL):
        facts = Facts(Scope.REMEDIATION, {"alert.labels": labels, "alert.annotations": {}})
        try:
            if condition.holds(facts):
                found.append(labels)
        except ConditionFailure:
            assert not never_fails
    return found


@pytest.mark.parametrize(("text", "expected"), ANSWERS, ids=[text for text, _ in ANSWERS])
def test_a_condition_takes_the_same_alerts_as_there(
    text: str, expected: list[Mapping[str, str]]
) -> None:
    """In our language, and in the form that never fails, that is used inside other conditions."""
    assert taken(condition_of(parse(text))) == expected
    assert taken(holds(parse(text)), never_fails=True) == expected


def read(name: str) -> bytes:
    return (HERE / name).read_bytes()


def assert_golden(path: Path, text: str) -> None:
    """The text is what lies in the file."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def test_a_rulebook_becomes_rules() -> None:
    """What was written, in our words; and what a person should know of it."""
    imported = import_rulebook(
        read("shop.yml"), "shop.yml", {"playbooks/restart.yml": "restart-service"}
    )
    assert imported.findings == []
    notes = "".join(f"# {note}\n" for note in sorted(imported.notes))
    text = rules_text(imported, author="jonas", source="shop.yml") + notes
    assert_golden(HERE / "shop_rules.yaml", text)


def test_what_is_not_taken_over_is_told_with_place_and_way_out() -> None:
    """Every part of it, not only the first."""
    imported = import_rulebook(read("refused.yml"), "refused.yml", {})
    assert imported.rules == []
    text = "".join(f"{finding}\n" for finding in sorted(imported.findings))
    assert_golden(HERE / "refused.txt", text)


def test_imported_rules_and_skeletons_pass_the_check(tmp_path: Path) -> None:
    """They are in order as they were written; a skeleton fails when it is played, not before."""
    imported = import_rulebook(read("shop.yml"), "shop.yml", {})
    (tmp_path / "rules").mkdir()
    rules = rules_text(imported, author="jonas", source="shop.yml")
    (tmp_path / "rules" / "shop.yaml").write_text(rules)
    for name in imported.skeletons:
        folder = tmp_path / "remediations" / name
        folder.mkdir(parents=True)
        for file, text in skeleton(imported, name, author="jonas").items():
            (folder / file).write_text(text)
    assert sorted(imported.skeletons) == ["clean-up", "restart"]
    settings = Settings(rules=tmp_path / "rules", remediations=tmp_path / "remediations")
    assert check(settings).findings == ()


def rulebook(*conditions: str, several: bool = False) -> bytes:
    """A rulebook with a rule for each condition."""
    rules = [
        {
            "name": f"rule {number}",
            "condition": text,
            "action": {"run_playbook": {"name": "a.yml"}},
        }
        for number, text in enumerate(conditions)
    ]
    ruleset = {
        "name": "all",
        "hosts": "all",
        "sources": [],
        "match_multiple_rules": several,
        "rules": rules,
    }
    return yaml.safe_dump([ruleset]).encode()


OVERLAPPING = (
    'event.alert.labels.host == "web1"',
    'event.alert.labels.alertname in ["Down", "Slow"]',
    "event.alert.labels.alertname is defined",
)


def test_whoever_matches_first_takes_the_alert() -> None:
    """As there: a later rule is not asked about what an earlier one took, or it says otherwise."""
    first = import_rulebook(rulebook(*OVERLAPPING), "r.yml", {"a.yml": "a"})
    every = import_rulebook(rulebook(*OVERLAPPING, several=True), "r.yml", {"a.yml": "a"})
    assert [taken(rule.when) for rule in first.rules] == [[DOWN], [SLOW], [FULL]]
    assert [taken(rule.when) for rule in every.rules] == [[DOWN], [DOWN, SLOW], [DOWN, SLOW, FULL]]


def test_rules_that_never_meet_stay_as_they_were_written() -> None:
    """A label that must have two values keeps them apart already."""
    apart = ('event.alert.labels.alertname == "A"', 'event.alert.labels.alertname == "B"')
    imported = import_rulebook(rulebook(*apart), "r.yml", {"a.yml": "a"})
    assert [rule.when for rule in imported.rules] == [
        'alert.labels.alertname == "A"',
        'alert.labels.alertname == "B"',
    ]


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 900 + "true", "event" + ".a" * 1900, "\x00"])
def test_hostile_conditions_are_refused_in_time(text: str) -> None:
    """However deep or long they are."""
    with pytest.raises(GrammarError):
        condition_of(parse(text))
