"""What the history is told of an occurrence of an alert, once it is over.

What fires is in the state; whoever shows it beside the history asks here for its record.
"""

from datetime import datetime

from agent.core.state import ActiveAlert
from agent.model.alert import AlertRecord, EndedBy


def alert_record(
    active: ActiveAlert, *, ends_at: datetime | None = None, by: EndedBy | None = None
) -> AlertRecord:
    """The row of one occurrence as it stands: still firing where no end is given."""
    alert = active.alert
    return AlertRecord(
        heard_at=active.heard_at,
        fingerprint=alert.fingerprint,
        starts_at=alert.starts_at,
        ends_at=ends_at,
        ended_by=by,
        source=active.source,
        entity=active.entity,
        incident=active.incident,
        suppressed_by=active.suppressed_by,
        labels=alert.labels,
        annotations=alert.annotations,
        generator_url=alert.generator_url,
    )
