"""What Ansible's check mode said of each task on each host, read from its events.

Not here: how the play is started and watched (`executor`, `supervisor`).
"""

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agent.model.preview import (
    DIFF_CHARS_MAX,
    DIFFS_CHARS_MAX,
    TASKS_MAX,
    TEXT_CHARS_MAX,
    TaskEffect,
    TaskPreview,
)
from agent.runtime.ansible.wire import Checked, Kind

SIDE_CHARS_MAX = 40_000
SIDE_LINES_MAX = 1_000
"""More than this on one side of a difference is not compared: that could take for ever."""
ROUNDS_MAX = 10_000
CUT = "[cut]"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ENDS = ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable")


class CheckReader:
    """Reads the events of one play in check mode, in their order."""

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self._left_out: dict[tuple[str, str], Mapping[str, Any]] = {}
        """Of the loop that is played: why a round of it was left out, by host and task."""

    def read(self, details: Mapping[str, Any], said: str) -> Checked | None:
        """What an event says of a task on a host, with the words that Ansible printed of it.

        None where it says nothing of one.
        """
        about, event = details.get("event_data") or {}, details.get("event")
        whose = str(about.get("host")), str(about.get("task_uuid"))
        if event == "runner_item_on_skipped" and len(self._left_out) < ROUNDS_MAX:
            self._left_out.setdefault(whose, _printed(said))
        if event not in _ENDS:
            return None
        result = about.get("res")
        if not isinstance(result, dict):
            # Of what was left out, the event itself says nothing more than that.
            result = _printed(said) or self._left_out.get(whose, {})
        self._left_out.pop(whose, None)
        kind, text = _kind(str(event), about, result)
        diff = "\n".join(_diffs(result)) if kind is Kind.WOULD_CHANGE else ""
        return Checked(
            kind=kind,
            host=self._plain(about.get("host"), TEXT_CHARS_MAX),
            task=self._plain(about.get("task"), TEXT_CHARS_MAX),
            module=self._plain(
                about.get("resolved_action") or about.get("task_action"), TEXT_CHARS_MAX
            ),
            text=self._plain(text, TEXT_CHARS_MAX),
            diff=self._plain(diff, DIFF_CHARS_MAX),
        )

    def _plain(self, value: object, limit: int) -> str:
        # Scrubbed before it is cut: half a secret would no longer be recognised.
        text = _CONTROL.sub("", self._scrub(str(value or "")))
        return text if len(text) <= limit else f"{text[:limit]}{CUT}"


class Gathering:
    """Takes what is said of tasks, in order, and keeps it within bounds."""

    def __init__(self) -> None:
        self.tasks: list[TaskPreview] = []
        self.unchanged = 0
        self.skipped = 0
        self.omitted = 0
        self._chars_left = DIFFS_CHARS_MAX

    def take(self, said: Checked) -> None:
        """One task on one host."""
        if said.kind is Kind.UNCHANGED:
            self.unchanged += 1
        elif said.kind is Kind.SKIPPED:
            self.skipped += 1
        elif len(self.tasks) >= TASKS_MAX:
            self.omitted += 1
        else:
            diff = said.diff if self._chars_left > 0 else CUT if said.diff else ""
            self._chars_left -= len(diff)
            self.tasks.append(
                TaskPreview(
                    host=said.host,
                    task=said.task,
                    module=said.module,
                    effect=TaskEffect(said.kind.value),
                    diff=diff,
                    text=said.text,
                )
            )

    def in_words(self) -> str:
        """One line: `2 tasks would change, 1 cannot be checked on 1 host`."""
        words = {
            TaskEffect.WOULD_CHANGE: "would change something",
            TaskEffect.NOT_CHECKED: "cannot be checked",
            TaskEffect.FAILED: "failed",
            TaskEffect.UNREACHABLE: "could not be reached",
        }
        counts = {effect: sum(t.effect is effect for t in self.tasks) for effect in words}
        said = [f"{count} {words[effect]}" for effect, count in counts.items() if count]
        return f"of the tasks {', '.join(said)}" if said else "no task would change anything"


def _kind(event: str, about: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[Kind, object]:
    message = result.get("msg")
    if event == "runner_on_unreachable":
        return Kind.UNREACHABLE, message
    if event == "runner_on_failed" and not about.get("ignore_errors"):
        return Kind.FAILED, message
    if event == "runner_on_skipped" or _all_skipped(result):
        return _skipped(result)
    if result.get("changed"):
        return Kind.WOULD_CHANGE, message
    return Kind.UNCHANGED, message


def _skipped(result: Mapping[str, Any]) -> tuple[Kind, object]:
    """A condition left it out, or it has no check mode, or its author left it out in that."""
    for each in _each(result):
        condition = str(each.get("false_condition") or "")
        if "ansible_check_mode" in condition:
            return Kind.NOT_CHECKED, f"left out in check mode (when: {condition})"
        if not condition and not each.get("skip_reason"):
            command = each.get("cmd")
            words = " ".join(map(str, command)) if isinstance(command, list) else command
            return Kind.NOT_CHECKED, words or each.get("msg")
    return Kind.SKIPPED, ""


def _all_skipped(result: Mapping[str, Any]) -> bool:
    each = _each(result)
    return bool(each) and all(one.get("skipped") for one in each)


def _each(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results of a loop's rounds, or the one result."""
    rounds = result.get("results")
    if isinstance(rounds, list) and rounds and "item" in (rounds[0] or {}):
        return [one for one in rounds if isinstance(one, dict)]
    return [result]


def _diffs(result: Mapping[str, Any]) -> Iterator[str]:
    for each in _each(result):
        found = each.get("diff")
        for diff in found if isinstance(found, list) else [found]:
            if isinstance(diff, dict):
                yield from _diff(diff)


def _diff(diff: Mapping[str, Any]) -> Iterator[str]:
    if diff.get("prepared"):
        yield str(diff["prepared"])
    if "before" not in diff and "after" not in diff:
        return
    before, after = _lines(diff.get("before")), _lines(diff.get("after"))
    if before == after:
        return
    if max(_size(before), _size(after)) > SIDE_CHARS_MAX or (
        max(len(before), len(after)) > SIDE_LINES_MAX
    ):
        yield f"[{_size(before)} characters would become {_size(after)}: too much to show]"
        return
    was, becomes = (str(diff.get(f"{side}_header") or side) for side in ("before", "after"))
    yield from difflib.unified_diff(before, after, was, becomes, lineterm="")


def _lines(side: object) -> Sequence[str]:
    if isinstance(side, dict | list):
        side = json.dumps(side, indent=1, sort_keys=True, default=str)
    return str(side or "").splitlines()


def _size(lines: Sequence[str]) -> int:
    return sum(map(len, lines))


def _printed(said: str) -> Mapping[str, Any]:
    """The result that Ansible printed behind an arrow; empty where it printed none."""
    start = said.find(" => {")
    try:
        found = json.loads(said[start + 4 :]) if start >= 0 else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
