"""Claims about logs: one object a line, harmless to whoever reads them in a terminal."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from agent.runtime.log import configure_logs, escape, logger


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where the logs go in this test; afterwards they go where they went before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    out = io.StringIO()
    configure_logs(out=out)
    yield out
    root.handlers, root.level = handlers, level


HOSTILE = 'a\r\n{"event": "forged"}\x1b[2J\u202egnp.exe\u2028\x00'


def test_a_hostile_value_stays_text_on_its_line(lines: io.StringIO) -> None:
    """Line breaks, escapes and turned text of an alert forge nothing."""
    logger("test").warning("refused", label=HOSTILE, labels={HOSTILE: [HOSTILE]})
    (line,) = lines.getvalue().splitlines()
    assert line.isprintable()
    entry = json.loads(line)
    assert (
        entry["event"],
        entry["level"],
        entry["logger"],
    ) == ("refused", "warning", "watchkeeper.test")
    assert escape(HOSTILE) == entry["label"]
    assert {escape(HOSTILE): [escape(HOSTILE)]} == entry["labels"]


def test_libraries_log_the_same_way(lines: io.StringIO) -> None:
    """What others log through the standard library, errors included, is one object a line too."""
    try:
        int(HOSTILE)
    except ValueError:
        logging.getLogger("library").exception("it failed: %s", HOSTILE)
    (line,) = lines.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["logger"] == "library"
    assert "ValueError" in entry["exception"]


def test_plain_text_is_left_alone() -> None:
    """People's languages are not escaped."""
    assert escape("Größe 温度 ✓") == "Größe 温度 ✓"
