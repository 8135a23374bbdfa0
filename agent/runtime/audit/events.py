"""Which entries are audited, and what the event of one says.

Audited is what a person did, what put other rules or tokens into force, what began a watch, what
changed a change or a run, and what changed how far automation may go, whoever was behind it. Each
such entry is exactly one event.
Ordinary alerts are none: they are the journal's.
Not here: how an event is chained and kept (`log`).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.model.change import Change, Run
from agent.model.effect import PrepareRun
from agent.model.entry import (
    AgentStarted,
    AlertsReceived,
    CalendarsExpanded,
    ConfigLoaded,
    Entry,
    SignalsMeasured,
    SilenceAdded,
    TicketChanged,
    What,
)
from agent.model.incident import TimelineItem
from agent.model.policy import Policy
from agent.model.preview_entries import RunPreviewed
from agent.model.reason import Reason
from agent.model.remediation import Host, RunSpec
from agent.model.rule import Config
from agent.model.transition import Record, Transition
from agent.runtime.codec import encode_canonical, plain
from agent.runtime.tokens import TokenRecord

FORMAT = 1
TEXT_CHARACTERS_MAX = 2_000
"""Longer texts stand in an event by their SHA-256: a difference of a thousand lines, for one."""
STORIES = ("CHG-", "PRB-", "rule:")
"""Whose lines of story go into an event."""

_BULKY = (AlertsReceived, CalendarsExpanded, RunPreviewed, SignalsMeasured, TicketChanged)
"""What tools say: an event names it by the SHA-256 of the journal's own text."""
_FOLLOWED = (Change, Run)
_TURNS = frozenset(
    {
        Reason.AUTONOMY_RESUMED,
        Reason.AUTONOMY_STOPPED,
        Reason.BREAKER_OPENED,
        Reason.BREAKER_RESET,
        Reason.HANDED_OVER,
        Reason.LOOP_FOUND,
        Reason.MODE_DEMOTED,
        Reason.MODE_PROMOTED,
        Reason.MODE_RESET,
        Reason.RESOLVED_BY_TICKET,
        Reason.RULE_HALTED,
    }
)
"""Lines of story that say how far automation may go, or that somebody elsewhere decided."""
_ALWAYS = (AgentStarted, ConfigLoaded, SilenceAdded)

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """Something to be audited, as far as it is known before it has a place in the log."""

    at: str
    kind: str
    subjects: tuple[str, ...]
    """Ids of changes and whatever else it is found by."""
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An audited entry with what it led to; becomes an event where it is written."""

    entry: Entry
    body: bytes
    """As the journal keeps it."""
    transition: Transition


def is_audited(what: What, records: Iterable[Record]) -> bool:
    """Whether this entry is an event of the audit log."""
    if isinstance(what, _ALWAYS) or hasattr(what, "by"):
        return True
    return any(isinstance(record, _FOLLOWED) or _is_turn(record) for record in records)


def event_of(happened: Happened) -> Audited:
    """What the audit log says of an entry."""
    entry, transition = happened.entry, happened.transition
    what, records = entry.what, transition.records
    changes = [record for record in records if isinstance(record, Change)]
    runs = [record for record in records if isinstance(record, Run)]
    document: Document = {
        "entry": entry.number,
        "what": _what(what, happened.body),
        "changes": [_plain_change(change) for change in changes],
        "runs": [plain(run) for run in runs],
        "laid_out": [
            plain(_spec_without_keys(effect.spec))
            for effect in transition.effects
            if isinstance(effect, PrepareRun)
        ],
        "told": [
            {"subject": item.subject, "reason": item.reason, "text": item.text}
            for item in records
            if isinstance(item, TimelineItem)
            and (item.subject.startswith(STORIES) or _is_turn(item))
        ],
        "refused": transition.refusal and plain(transition.refusal),
    }
    subjects = [change.id for change in changes]
    subjects += [change for run in runs for change in (run.id, run.change)]
    subjects += [
        str(getattr(what, name))
        for name in ("change", "run", "incident", "problem")
        if getattr(what, name, None)
    ]
    if transition.created:
        subjects.append(transition.created)
    return Audited(
        at=written(entry.at),
        kind=type(what).__name__,
        subjects=tuple(sorted(set(subjects))),
        document={name: value for name, value in document.items() if value},
    )


def token_made(record: TokenRecord, by: str) -> Audited:
    """Somebody may do something from now on: who, what, and who said so."""
    what = {
        "by": by,
        "held_by": record.name,
        "token": record.id,
        "roles": record.roles,
        "expires_at": record.expires_at and written(record.expires_at),
    }
    return Audited(
        at=written(record.created_at),
        kind="TokenMade",
        subjects=(record.id,),
        document={"what": what},
    )


def token_removed(token_id: str, by: str, at: datetime) -> Audited:
    """A token is no longer in force."""
    what = {"by": by, "token": token_id}
    return Audited(
        at=written(at), kind="TokenRemoved", subjects=(token_id,), document={"what": what}
    )


def written(at: datetime) -> str:
    """A moment as events have it: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def shortened(value: object) -> object:
    """The same, with long texts by their SHA-256."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shortened(item) for item in value]
    if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX:
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        return {"characters": len(value), "sha256": digest}
    return value


def _what(what: What, body: bytes) -> object:
    if isinstance(what, ConfigLoaded):
        return _rule_set(what.config)
    if isinstance(what, _BULKY):
        return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    said = plain(what)
    if isinstance(said, dict) and "to" in said and "starts_at" in said:
        # Of a delegation it is a person; of a problem or a rule it is the state they came to.
        said["delegate"] = said.pop("to")
    return said


def _rule_set(config: Config) -> Document:
    """What came into force, by digest: the journal keeps the rule set itself."""
    return {
        "digest": config.digest,
        "policy": _policy(config.policy) if config.policy else None,
        "rules": [
            {"name": rule.name, "author": rule.author, "mode": rule.mode}
            for rule in config.remediation_rules
        ],
        "remediations": {name: each.digest for name, each in config.remediations.items()},
        "calendars": list(config.calendars),
        "entities": len(config.service_map.entities),
    }


def _policy(policy: Policy) -> Document:
    return {
        "digest": policy.digest,
        "edits": plain(policy.edits),
        "rules": [rule.name for rule in policy.rules],
        "standard": {each.name: each.digest for each in policy.standard},
    }


def _is_turn(record: Record) -> bool:
    return isinstance(record, TimelineItem) and record.reason in _TURNS


def _plain_change(change: Change) -> object:
    """A change as events have it: what check mode showed by its hash where that is long."""
    said = plain(replace(change, hosts=_hosts(change.hosts)))
    assert isinstance(said, dict)
    shown = encode_canonical(said.get("preview"))
    if len(shown) > TEXT_CHARACTERS_MAX:
        said["preview"] = {"bytes": len(shown), "sha256": hashlib.sha256(shown).hexdigest()}
    return said


def _spec_without_keys(spec: RunSpec) -> RunSpec:
    return replace(spec, hosts=_hosts(spec.hosts))


def _hosts(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    """Where keys lie is nobody's business who checks what was done."""
    return tuple(replace(host, private_key_file=None) for host in hosts)
