"""Logs: one JSON object a line on standard error, and nothing in it that could act on a terminal.

Not for the story of an incident: that is the timeline, kept and shown.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

_DANGEROUS = re.compile(
    # Control characters (a line break forges a line, ESC moves the cursor), what joins or turns
    # text round, the other line breaks of Unicode, and halves of characters.
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def escape(text: str) -> str:
    """The same text with every character that is not simply shown written as `\\uXXXX`."""
    return _DANGEROUS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def configure_logs(level: str = "INFO", out: TextIO = sys.stderr) -> None:
    """Send everything that is logged, ours and the libraries', to `out` as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _escape_all,
                structlog.processors.JSONRenderer(default=repr),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Migrations tell every plug-in that they load.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of one part of the agent."""
    made: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"watchkeeper.{name}")
    return made


def _escape_all(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {escape(key): _escaped(value) for key, value in event.items()}


def _escaped(value: object) -> object:
    match value:
        case str():
            return escape(value)
        case dict():
            return {escape(str(key)): _escaped(item) for key, item in value.items()}
        case list() | tuple():
            return [_escaped(item) for item in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return escape(repr(value))
