"""What all dialects have in common: an objective with its place, and queries that say their window.

Not here: the dialects themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from agent.config.yaml_lines import Document, Loc
from agent.errors import Finding
from agent.model.slo import WINDOW, Query, Slo


@dataclass(frozen=True, slots=True)
class Read:
    """One objective and where it stands."""

    slo: Slo
    document: Document
    at: Loc


class Foreign(BaseModel):
    """A document of somebody else's format: what we do not know of it is a mistake, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def query(
    document: Document, at: Sequence[str | int], text: str, findings: list[Finding]
) -> Query | None:
    """The query, or None with a finding where it does not say for which window it asks."""
    if WINDOW.search(text):
        return Query(text=text)
    findings.append(
        document.finding(
            at,
            "the query does not say its window.",
            "Write {{.window}} where the length of time stands, as in rate(x[{{.window}}]).",
        )
    )
    return None
