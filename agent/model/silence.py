"""Silences: a person's word that matching alerts shall make no noise for a time."""

from dataclasses import dataclass
from datetime import datetime

from agent.model.labels import Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Suppresses creation, never resolution, of what all its matchers match."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime
