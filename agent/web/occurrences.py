"""The alerts of an incident: what fires or flaps from memory, what is over from the history.

Not here: how they are shown (`views`, `api_views`).
"""

from itertools import islice

from agent.core.record import alert_record
from agent.core.state import State
from agent.model.alert import AlertRecord
from agent.web.site import Site
from agent.web.views.flapping import Flapping

FIRING_MAX = 5000


async def occurrences_of(site: Site, incident: str) -> tuple[AlertRecord, ...]:
    """The occurrences of its alerts, newest first; of those that fire, and of those that are over,
    the newest `FIRING_MAX` and as many as the history gives back."""
    state = site.loop.state
    members = state.members.get(incident)
    newest = islice(reversed(members.firing), FIRING_MAX) if members else ()
    firing = [alert_record(state.alerts[fingerprint]) for fingerprint in newest]
    # What came back after it had lapsed fires, whatever the history has of it.
    known = {record.heard_at for record in firing}
    over = [
        record for record in await site.store.alerts_of(incident) if record.heard_at not in known
    ]
    return tuple(sorted((*firing, *over), key=lambda record: record.heard_at, reverse=True))


def flapping_of(state: State, incident: str) -> tuple[Flapping, ...]:
    """What flaps in an incident."""
    members = state.members.get(incident)
    found = ((name, state.flaps[name]) for name in (members.flapping if members else ()))
    return tuple(
        Flapping(
            alert=name,
            name=flap.label,
            since=flap.since,
            changes=flap.changes,
            changed_at=tuple(flap.changed_at),
        )
        for name, flap in found
        if flap.since is not None
    )
