"""What the audit log costs: checking 100,000 events, adding one, and what alerts pay for it.

    python -m tests.bench.audit [EVENTS]

Each figure is the median of rounds, in turn where two are compared; time of the processor stands
beside that of the clock, since machines are shared. Not a test: nothing here fails.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from agent.cli.audit import export
from agent.core.state import State
from agent.core.step import step
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry
from agent.runtime.audit.log import append, head_of
from agent.runtime.audit.note import KEY_NAME, open_signer
from agent.runtime.codec import encode_what
from agent.runtime.database import connect
from agent.runtime.journal import Batch
from agent.runtime.migrate import migrate
from tests.core.play import CONFIG, START
from tests.core.play import alert as an_alert
from tests.runtime.audit.records import an_event

EVENTS = 100_000
EVENTS_A_WRITE = 500
CHECKPOINT_EVERY = 1_000
ROUNDS = 7
ALERTS = 5_000
ALERTS_A_REQUEST = 50
TARGET_S = 5.0


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as made:
        _check(Path(made), count)
    with tempfile.TemporaryDirectory() as made:
        _alerts(Path(made))


def _check(folder: Path, count: int) -> None:
    path = folder / "watchkeeper.db"
    migrate(path)
    signer = open_signer(folder / KEY_NAME, None, may_make=True)
    begun = time.perf_counter()
    with closing(connect(path)) as connection:
        for start in range(0, count, EVENTS_A_WRITE):
            connection.execute("BEGIN")
            append(connection, [an_event(start + each) for each in range(EVENTS_A_WRITE)])
            size = start + EVENTS_A_WRITE
            if size % CHECKPOINT_EVERY == 0:
                note = signer.checkpoint(head_of(connection), START).encode()
                row = (size, 0, note)
                connection.execute("INSERT INTO audit_checkpoints VALUES (?, ?, ?)", row)
            connection.execute("COMMIT")
    added = time.perf_counter() - begun
    print(f"adding an event, 500 a commit: {added / count * 1e6:.0f} µs")
    target = folder / "export"
    export(None, data=folder, target=target, with_names=False, as_json=False)
    words = [sys.executable, "-I", "-S", str(target / "verify_audit.py"), str(target)]
    clock, processor = [], []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        clock.append(time.perf_counter() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(
        f"checking {count} events and {count // CHECKPOINT_EVERY} signatures, alone: "
        f"{statistics.median(clock):.2f} s, of the processor {statistics.median(processor):.2f} s "
        f"(target {TARGET_S:.0f} s)"
    )


def _alerts(folder: Path) -> None:
    """New alerts decided and written, with the look for what is to be audited and without it."""
    path = folder / "watchkeeper.db"
    migrate(path)
    entries = [Entry(1, START, ConfigLoaded(config=replace(CONFIG, remediation_rules=())))]
    for number in range(0, ALERTS, ALERTS_A_REQUEST):
        alerts = tuple(
            an_alert("Down", at=START, host=f"h{each}", service="web1")
            for each in range(number, number + ALERTS_A_REQUEST)
        )
        what = AlertsReceived(source="bench", alerts=alerts)
        entries.append(Entry(len(entries) + 1, START, what))
    took: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for name, seconds in took.items():
            seconds.append(_round(path, entries, is_audited=name == "with"))
    for name, seconds in took.items():
        each = statistics.median(seconds) / ALERTS * 1e6
        print(f"a new alert on the processor, {name} the audit log: {each:.1f} µs")
    pairs = zip(took["with"], took["without"], strict=True)
    ratios = [one / other for one, other in pairs]
    print(
        f"with / without: median {statistics.median(ratios):.3f}, "
        f"{min(ratios):.3f} to {max(ratios):.3f} in {ROUNDS} rounds"
    )


def _round(path: Path, entries: list[Entry], *, is_audited: bool) -> float:
    with closing(connect(path)) as connection:
        state = State.empty()
        for table in ("journal", "timeline", "audit", "audit_nodes", "audit_subjects"):
            connection.execute(f"DELETE FROM {table}")
        return _timed(lambda: _written(connection, state, entries, is_audited=is_audited))


def _written(connection: object, state: State, entries: list[Entry], *, is_audited: bool) -> None:
    add = Batch.add if is_audited else _add_unaudited
    for entry in entries:
        batch = Batch()
        add(batch, entry, encode_what(entry.what), step(state, entry))
        connection.execute("BEGIN")  # type: ignore[attr-defined]
        batch.write(connection)  # type: ignore[arg-type]
        connection.execute("COMMIT")  # type: ignore[attr-defined]


def _add_unaudited(batch: Batch, entry: Entry, body: bytes, transition: object) -> None:
    """As `Batch.add`, without asking whether the entry is audited."""
    before = list(batch.audited)
    kind = type(entry.what).__name__
    if isinstance(entry.what, ConfigLoaded):
        batch.configs[entry.what.config.digest] = entry.what.config
    batch.entries.append((entry.number, int(entry.at.timestamp() * 1e6), kind, body))
    batch.rows.add(entry.number, transition.records)  # type: ignore[attr-defined]
    assert before == batch.audited


def _timed(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
