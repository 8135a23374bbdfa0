"""A remediation rule that can do nothing of its own is a warning, with its place."""

from pathlib import Path

import pytest

from agent.config.check import check
from agent.config.schema_settings import Settings

RULES = """\
apiVersion: watchkeeper.io/v1
kind: RemediationRule
metadata: {name: FIRST, author: jonas}
spec: {when: 'alert.name == "Down"', remediation: restart, target: alert}
---
apiVersion: watchkeeper.io/v1
kind: RemediationRule
metadata: {name: second, author: jonas}
spec: {when: 'alert.labels.a == "b" && alert.name == "Down"', remediation: restart, target: alert}
"""


def warned(folder: Path, text: str) -> list[str]:
    """The warnings about these rules, without those that every rule without a policy gets."""
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    (folder / "restart").mkdir(exist_ok=True)
    warnings = check(Settings(rules=folder)).warnings
    return [f"{each.line}: {each.message}" for each in warnings if "ChangePolicy" not in str(each)]


def test_a_rule_that_asks_for_nothing_of_its_own_is_warned_of(tmp_path: Path) -> None:
    """Whichever is written first: all rules that hold are asked."""
    assert warned(tmp_path, RULES.replace("FIRST", "first")) == [
        '9: rule "first" asks for the same whenever this one does.'
    ]
    assert warned(tmp_path, RULES.replace("FIRST", "zebra")) == [
        '9: rule "zebra" asks for the same whenever this one does.'
    ]


def test_of_two_that_are_the_same_one_is_warned_of(tmp_path: Path) -> None:
    """One of them has to stay."""
    first = RULES.split("---", maxsplit=1)[0]
    both = first.replace("FIRST", "one") + "---\n" + first.replace("FIRST", "two")
    assert warned(tmp_path, both) == ['9: rule "one" asks for the same whenever this one does.']


@pytest.mark.parametrize(
    "more",
    ["throttle: {onceWithin: 1h}", "settle: 5m", "also: ['alert.name == \"Slow\"']"],
)
def test_a_rule_that_holds_back_outdoes_nobody(tmp_path: Path, more: str) -> None:
    """The other one acts where this one waits."""
    held = RULES.replace("FIRST", "first").replace("alert}", "alert, MORE}", 1)
    assert warned(tmp_path, held.replace("MORE", more)) == []


def test_a_rule_that_never_holds_is_warned_of(tmp_path: Path) -> None:
    """It was switched off by hand, and forgotten."""
    text = (
        RULES.split("---", maxsplit=1)[0]
        .replace("FIRST", "off")
        .replace("alert.name ==", "false && alert.name ==")
    )
    assert warned(tmp_path, text) == ["4: this rule never holds."]
