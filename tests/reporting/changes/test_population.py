"""Claims about the population check: what stands on one side only is named, whichever side."""

from typing import Any

import pytest

from agent.model.change import ChangeState, Closure
from agent.reporting.changes.population import Told, gaps
from tests.reporting.changes.records import a_change, a_run

WHOLE: dict[str, Any] = {
    "changes": {"CHG-1": a_change()},
    "runs": (a_run(),),
    "printed": ("RUN-1",),
    "audited_runs": {"RUN-1"},
    "audited_changes": {"CHG-1"},
    "told": {"CHG-1": Told.of(a_change())},
}


def found(**other: object) -> list[tuple[str, str]]:
    """Kinds and ids, where one side of the whole record is another."""
    return [(each.kind, each.subject) for each in gaps(**{**WHOLE, **other})]


def test_a_whole_record_has_no_remainder() -> None:
    """Each side accounts for the other."""
    assert [] == found()


@pytest.mark.parametrize(
    ("other", "gap"),
    [
        ({"changes": {}}, ("run_without_change", "RUN-1")),
        ({"printed": ("RUN-1", "RUN-2")}, ("output_without_run", "RUN-2")),
        (
            {"changes": {"CHG-1": a_change(rollback_run="RUN-3")}},
            ("change_without_run", "CHG-1"),
        ),
        ({"audited_runs": set()}, ("run_not_audited", "RUN-1")),
        ({"audited_changes": set()}, ("change_not_audited", "CHG-1")),
        ({"audited_runs": {"RUN-1", "RUN-4"}}, ("audited_run_gone", "RUN-4")),
        (
            {"changes": {"CHG-1": a_change(closure=Closure.FAILED)}},
            ("record_differs", "CHG-1"),
        ),
        ({"changes": {"CHG-1": a_change(digest="d2")}}, ("record_differs", "CHG-1")),
        ({"changes": {"CHG-1": a_change(hosts=())}}, ("record_differs", "CHG-1")),
    ],
)
def test_what_is_on_one_side_only_is_found(other: dict[str, object], gap: tuple[str, str]) -> None:
    """One remainder, and no other finding."""
    assert [gap] == found(**other)


def test_an_open_change_may_have_gone_on_since() -> None:
    """Between the two looks; it is held against the log when it is over."""
    running = a_change(state=ChangeState.RUNNING, closure=None, binding="b2")
    assert [] == found(changes={"CHG-1": running})


def test_a_change_that_never_ran_needs_no_run() -> None:
    """It was refused, or still waits."""
    waiting = a_change(2, run=None, started_at=None)
    assert [] == found(
        changes={"CHG-1": a_change(), "CHG-2": waiting}, audited_changes={"CHG-1", "CHG-2"}
    )
