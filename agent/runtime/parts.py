"""What the running agent shows to whoever carries its face (the web), and what it expects of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry

from agent.config.schema_settings import Settings
from agent.model.alert import Alert
from agent.model.reported import ChangeReport
from agent.runtime.audit.desk import AuditDesk
from agent.runtime.clock import Clock
from agent.runtime.discover import Discoverer
from agent.runtime.intake import Intake
from agent.runtime.loop import Loop
from agent.runtime.signature import Signed
from agent.runtime.store import Store

Parse = Callable[[bytes, datetime], Sequence[Alert]]
"""Bytes as a source sent them, and when: its alerts. Raises `PayloadError`."""


ParseChanges = Callable[[bytes, datetime], Sequence[ChangeReport]]
"""Bytes as a source sent them, and when: what it says of changes. Raises `PayloadError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What reads what tools post to us."""

    parsers: Mapping[str, Parse]
    """By source; `alertmanager_v2` is the API of that name, the others are webhooks."""
    change_parsers: Mapping[str, ParseChanges]
    """By source of changes that others made."""
    signatures: Mapping[str, Signed]
    """Sources that sign what they send, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The agent, ready to be asked."""

    settings: Settings
    loop: Loop
    store: Store
    intake: Intake
    sources: Sources
    clock: Clock
    registry: CollectorRegistry
    discoverer: Discoverer
    audit: AuditDesk
    problems: Callable[[], Sequence[str]]
    """Why the agent is not well; empty while all is."""


class OpenFace(Protocol):
    """Makes the agent reachable for the time of a block, which gets the URL."""

    def __call__(self, parts: Parts) -> AbstractAsyncContextManager[str]:
        """Listen from the start of the block to its end."""
