"""Ansible's output and events, as they happen, made into lines and a recap.

The stream carries markers of ansible-runner's display callback between the text; each names a
file with the event. Not here: judging the outcome (`outcome`), or the process (`supervisor`).
"""

import codecs
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_runner.utils import OutputEventFilter

from agent.runtime.ansible.check_mode import CheckReader
from agent.runtime.ansible.recap import Recap, recap_of
from agent.runtime.ansible.wire import Checked, Line

OUTPUT_LINES_MAX = 2_000
LINE_CHARS_MAX = 2_000
STREAM_BYTES_MAX = 16 * 1024 * 1024
EVENT_BYTES_MAX = 4 * 1024 * 1024
SECRET_CHARS_MIN = 4
SCRUBBED = "********"
_UUID = re.compile(r"[0-9a-fA-F-]{16,64}")
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class EventReader:
    """Takes the raw output of one play and gives its lines; keeps the recap."""

    def __init__(
        self,
        folder: Path,
        *,
        secrets: Sequence[str],
        report: Callable[[Line | Checked], None],
        is_check: bool = False,
    ) -> None:
        self._events = folder / "artifacts" / "job_events"
        self._scrub = Scrubber(secrets)
        self._report = report
        self._checks = CheckReader(self._scrub) if is_check else None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._filter = OutputEventFilter(None, self._on_event, suppress_ansible_output=True)
        self._bytes = 0
        self._lines = 0
        self._recap: Recap | None = None

    def feed(self, output: bytes) -> None:
        """Take more output; past `STREAM_BYTES_MAX` it is thrown away."""
        self._bytes += len(output)
        if self._bytes <= STREAM_BYTES_MAX:
            self._filter.write(self._decoder.decode(output))

    def close(self) -> Recap:
        """Report what is left and give the recap, empty when Ansible never wrote one."""
        self._filter.close()
        return self._recap or self._recap_on_disk()

    def _on_event(self, event: dict[str, Any]) -> None:
        details = self._details(event.get("uuid"))
        if details.get("event") == "playbook_on_stats":
            self._recap = recap_of(details.get("event_data", {}), self._clean)
        printed = str(event.get("stdout") or "")
        if self._checks is not None and (checked := self._checks.read(details, printed)):
            self._report(checked)
        about = details.get("event_data", {})
        for text in printed.splitlines():
            if text.strip():
                self._emit(text, task=about.get("task"), host=about.get("host"))

    def _emit(self, text: str, *, task: str | None, host: str | None) -> None:
        self._lines += 1
        if self._lines > OUTPUT_LINES_MAX:
            return
        if self._lines == OUTPUT_LINES_MAX:
            self._report(Line(text=f"[output beyond {OUTPUT_LINES_MAX} lines is not kept]"))
            return
        # Scrubbed before it is cut: half a secret would no longer be recognised.
        clean = self._clean(text)
        if len(clean) > LINE_CHARS_MAX:
            clean = clean[:LINE_CHARS_MAX] + " [cut]"
        self._report(
            Line(
                text=clean,
                task=self._scrub(task)[:LINE_CHARS_MAX] if task else None,
                host=host,
            )
        )

    def _clean(self, text: str) -> str:
        return _CONTROL.sub("", self._scrub(text))

    def _details(self, uuid: object) -> dict[str, Any]:
        # The name of the file comes from a stream that a managed host can write into.
        if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
            return {}
        path = self._events / f"{uuid}-partial.json"
        try:
            if path.stat().st_size > EVENT_BYTES_MAX:
                return {}
            content = json.loads(path.read_bytes())
            path.unlink()
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _recap_on_disk(self) -> Recap:
        for path in sorted(self._events.glob("*-partial.json")):
            details = self._details(path.name.removesuffix("-partial.json"))
            if details.get("event") == "playbook_on_stats":
                return recap_of(details.get("event_data", {}), self._clean)
        return Recap()


class Scrubber:
    """Blots out known secrets, also as they look inside JSON, and line by line."""

    def __init__(self, secrets: Sequence[str]) -> None:
        parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
        forms = {
            form for part in parts for form in (part, json.dumps(part)[1:-1], repr(part)[1:-1])
        }
        # The longest first, or a secret that holds another would leave its rest behind.
        long_enough = (form for form in forms if len(form) >= SECRET_CHARS_MIN)
        known = sorted(long_enough, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        return self._known.sub(SCRUBBED, text) if self._known else text
