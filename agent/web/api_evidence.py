"""Everything about one change in one answer, with what proves it: for auditors and reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from agent.model.alert import AlertRecord
from agent.model.change import Change, Run
from agent.model.incident import Incident, TimelineItem
from agent.model.remediation import RunLine
from agent.runtime.audit.desk import AuditDesk
from agent.runtime.audit.log import Event
from agent.web.api_views import ChangeView, change_view
from agent.web.audit_site import desk_of
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Route, answer

TAG = "Audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedEvent:
    """An event about the change. `text` is what was hashed; `path` leads from it to the root."""

    number: int
    text: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Events in the tree that the newest checkpoint signs."""

    size: int
    root: str
    events: tuple[ProvedEvent, ...]
    unsigned: tuple[str, ...]
    """Texts of events that came after the checkpoint: under the next one, not this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """One run with what it printed; the beginning of very long output."""

    run: Run
    lines: tuple[RunLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why it was done, who let it, what ran, what came of it; with decision, risk and conflicts as
    they were judged, duties and reviews in `change`, and each step of the way in `proofs`."""

    change: ChangeView
    record: Change
    """Whole, but for where keys lie."""
    incident: Incident | None
    trigger: AlertRecord | None
    """The alert that it was for, where it is over; one that still fires is in its incident."""
    story: tuple[TimelineItem, ...]
    runs: tuple[RunEvidence, ...]
    proofs: Proofs
    people: Mapping[str, str]
    """Whom the commitments in the events stand for, where that was not erased."""
    checkpoint: str | None
    key: str


async def get_evidence(call: Call) -> web.StreamResponse:
    """The bundle of a change: trigger, decision, approvals, runs, output, story, and proofs."""
    store, desk, identifier = call.site.store, desk_of(call), call.named("id")
    change = await store.change(identifier)
    if change is None:
        raise not_found("change", identifier)
    incident = await store.incident(change.incident) if change.incident else None
    alerts = await store.alerts_of(change.incident) if change.incident else ()
    runs = await store.runs_of(change.id)
    standing = await desk.standing()
    events = await desk.about(change.id)
    newest = standing.checkpoint
    proofs = await _proofs(desk, events, newest.size if newest else 0)
    texts = [each.text for each in proofs.events] + list(proofs.unsigned)
    evidence = Evidence(
        change=change_view(change),
        record=_without_keys(change),
        incident=incident,
        trigger=_trigger(change, alerts),
        story=tuple(await store.timeline(change.id)),
        runs=tuple(
            [RunEvidence(run=run, lines=tuple(await store.run_output(run.id))) for run in runs]
        ),
        proofs=proofs,
        people={
            made: name
            for made, name in (await desk.people()).items()
            if any(made in text for text in texts)
        },
        checkpoint=newest.note if newest else None,
        key=standing.key,
    )
    return answer(evidence, Evidence)


def _trigger(change: Change, alerts: Sequence[AlertRecord]) -> AlertRecord | None:
    return next((each for each in alerts if each.fingerprint == change.trigger), None)


def _without_keys(change: Change) -> Change:
    return replace(
        change, hosts=tuple(replace(host, private_key_file=None) for host in change.hosts)
    )


async def _proofs(desk: AuditDesk, events: Sequence[Event], size: int) -> Proofs:
    """Each event in the tree of `size`, which somebody signed."""
    proved, root = [], ""
    for event in events:
        if event.number < size:
            proof = await desk.inclusion(event.number, size)
            assert proof is not None, "what is in the log can be proved"
            root = proof.root
            text = event.body.decode("utf-8")
            proved.append(ProvedEvent(number=event.number, text=text, path=proof.path))
    return Proofs(
        size=size,
        root=root,
        events=tuple(proved),
        unsigned=tuple(each.body.decode("utf-8") for each in events if each.number >= size),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/changes/{id}/evidence",
        permission=Permission.READ,
        summary="Evidence of a change",
        tag=TAG,
        handler=get_evidence,
        response=Evidence,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
