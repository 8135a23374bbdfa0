"""`watchkeeper incidents INC-7 --ack` and the like: a person takes an incident in hand."""

from dataclasses import dataclass
from datetime import UTC, datetime

from agent.cli import show
from agent.cli.incidents import tell_incident
from agent.cli.remote import Document, Remote
from agent.config.durations import parse_duration
from agent.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a person wants done to one incident; None or False: not this."""

    acknowledge: bool = False
    until: str | None = None
    """With `acknowledge`: `clear`, or a duration at the most."""
    assign: str | None = None
    """A name; empty: take it from whoever has it."""
    comment: str | None = None
    cause: str | None = None
    merge_into: str | None = None
    confirm_suspect: str | None = None
    dismiss_suspect: str | None = None
    split: tuple[str, ...] = ()
    """Fingerprints of alerts that are an incident of their own."""
    move: tuple[str, ...] = ()
    """Fingerprints of alerts that belong to `into`."""
    into: str | None = None
    unrelated: tuple[str, ...] = ()
    """Fingerprints, or references of entities."""
    resolve: bool = False
    note: str = ""

    def actions(self) -> list[tuple[str, Document]]:
        """The words of the API with their bodies, in the order in which they make sense."""
        wanted: list[tuple[bool, str, Document]] = [
            (self.acknowledge, "acknowledge", {"until": _moment(self.until)}),
            (self.assign is not None, "assign", {"assignee": self.assign or None}),
            (self.comment is not None, "comment", {"text": self.comment}),
            (self.cause is not None, "cause", {"entity": self.cause}),
            (bool(self.confirm_suspect), f"suspects/{self.confirm_suspect}/confirm", None),
            (bool(self.dismiss_suspect), f"suspects/{self.dismiss_suspect}/dismiss", None),
            (bool(self.unrelated), "unrelated", self._unrelated()),
            (bool(self.move), "move", {"alerts": self.move, "into": self.into, "note": self.note}),
            (bool(self.split), "split", {"alerts": self.split, "note": self.note}),
            (self.merge_into is not None, "merge", {"into": self.merge_into}),
            (self.resolve, "resolve", {"note": self.note}),
        ]
        return [(word, body) for is_wanted, word, body in wanted if is_wanted]

    def _unrelated(self) -> Document:
        # A reference has a kind and a namespace; a fingerprint is hexadecimal.
        entities = [name for name in self.unrelated if ":" in name]
        alerts = [name for name in self.unrelated if ":" not in name]
        return {"alerts": alerts, "entities": entities, "note": self.note}


def respond(remote: Remote, identifier: str, response: Response, *, as_json: bool) -> int:
    """Do it, and print the incident as it is then."""
    shown = response.merge_into or identifier
    for word, body in response.actions():
        told = remote.post(f"/api/v1/incidents/{identifier}/{word}", body)
        shown = told["id"] if word == "split" else shown
    detail = remote.get(f"/api/v1/incidents/{shown}")
    return show.as_json(detail) if as_json else tell_incident(detail)


def _moment(until: str | None) -> str | None:
    """`clear`, or the moment at which a duration from now ends."""
    if until is None or until == "clear":
        return until
    try:
        return (datetime.now(UTC) + parse_duration(until)).isoformat()
    except ValueError as error:
        raise PermanentError(f"--until: {error}; or write `clear`") from error
