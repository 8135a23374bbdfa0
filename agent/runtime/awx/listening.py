"""The events of one job as lines, recap and preview.

AWX keeps what ansible-runner's display callback told it, so they are read as our own are.
Not here: when they are asked for (`executor`).
"""

from collections.abc import Callable
from datetime import datetime

from agent.model.preview import TEXT_CHARS_MAX
from agent.model.remediation import RunLine, RunSpec
from agent.runtime.ansible.check_mode import CheckReader, Gathering
from agent.runtime.ansible.events import LINE_CHARS_MAX, OUTPUT_LINES_MAX, Scrubber
from agent.runtime.ansible.recap import Recap, recap_of
from agent.runtime.ansible.wire import Ended
from agent.runtime.awx import exchanges
from agent.runtime.awx.shapes import Event
from agent.runtime.client import Client

PAGES_MAX = 200


class Listening:
    """Hears a job's events, each once, in order."""

    def __init__(
        self,
        spec: RunSpec,
        *,
        report: Callable[[RunLine], None],
        secrets: tuple[str, ...],
        now: Callable[[], datetime],
    ) -> None:
        self._run = spec.run
        self._report = report
        self._scrub = Scrubber(secrets)
        self._now = now
        self._checks = CheckReader(self._scrub) if spec.check_mode else None
        self._after = 0
        self._lines = 0
        self.seen = Gathering()
        """What check mode showed."""
        self.recap = Recap()
        self.ended: Ended | None = None

    async def catch_up(self, client: Client, job: int) -> None:
        """Hear all that happened since the last time. Raises `AgentError`."""
        for _ in range(PAGES_MAX):
            page = await client.drive(exchanges.events(job, self._after))
            for event in page:
                self._after = max(self._after, event.counter)
                self._hear(event)
            if len(page) < exchanges.EVENTS_PAGE:
                return

    def _hear(self, event: Event) -> None:
        details = {"event": event.event, "event_data": event.event_data}
        if event.event == "playbook_on_stats":
            self.recap = recap_of(event.event_data, self._scrub)
        if self._checks is not None and (said := self._checks.read(details, event.stdout)):
            self.seen.take(said)
        task, host = event.event_data.get("task"), event.event_data.get("host")
        for text in event.stdout.splitlines():
            if not text.strip() or self._lines >= OUTPUT_LINES_MAX:
                continue
            self._lines += 1
            self._report(
                RunLine(
                    run=self._run,
                    number=self._lines,
                    at=self._now(),
                    text=self._scrub(text)[:LINE_CHARS_MAX],
                    task=self._scrub(str(task))[:TEXT_CHARS_MAX] if task else None,
                    host=str(host) if host else None,
                )
            )
