"""Alerts: a tool's claim about a label set, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.model.labels import Labels


class Severity(StrEnum):
    """How bad the sender says it is. An unknown word stays unknown: shown, never guessed."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


SEVERITIES = {
    "critical": Severity.CRITICAL,
    "crit": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "high": Severity.CRITICAL,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "info": Severity.INFO,
    "none": Severity.INFO,
}


def severity_of(labels: Labels) -> Severity:
    """The severity that the label `severity` names."""
    word = labels.get("severity", "")
    return SEVERITIES.get(word) or SEVERITIES.get(word.lower(), Severity.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One statement of a tool: this label set fires, or has ended.

    An occurrence is (`fingerprint`, `starts_at`): the same labels that fire again later are the
    same alert in a new occurrence.
    """

    fingerprint: str
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None = None
    """When it resolved; None while it fires."""
    expires_at: datetime | None = None
    """Until when a firing holds without being repeated (its lease); None: until it resolves."""
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The kind of alert; empty where the sender gave none."""
        return self.labels.get("alertname", "")


class EndedBy(StrEnum):
    """Why an occurrence is over."""

    RESOLVED = "resolved"
    EXPIRED = "expired"
    REFIRED = "refired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """One occurrence of an alert for the history: written when it is over."""

    heard_at: datetime
    """When we first heard of it. No two are alike: what the history knows an occurrence by."""
    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None
    ended_by: EndedBy | None
    source: str
    entity: str | None
    incident: str | None
    suppressed_by: tuple[str, ...]
    labels: Labels
    annotations: Labels
    generator_url: str
