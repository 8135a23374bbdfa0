"""What Redmine's REST API says and takes, as far as we read and write it.

Not here: any decision about it.
"""

import re
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from agent.connector import JSON, Request

SUBJECT_CHARS_MAX = 255

Formatting = Literal["textile", "markdown"]


class Named(BaseModel):
    """A record of which only the name matters: a status, a priority, a person."""

    id: int
    name: str = ""
    is_closed: bool = False


class Detail(BaseModel):
    """One field that an edit of an issue changed."""

    property: str
    name: str
    new_value: str | None = None


class Journal(BaseModel):
    """One edit of an issue: notes, changes, or both."""

    id: int
    user: Named = Named(id=0, name="somebody")
    notes: str | None = None
    private_notes: bool = False
    created_on: AwareDatetime
    details: list[Detail] = []

    @property
    def status(self) -> int | None:
        """The status that it moved the issue to."""
        moves = [each.new_value for each in self.details if each.name == "status_id"]
        return int(moves[-1]) if moves and moves[-1] else None


class FieldValue(BaseModel):
    """The value of a custom field."""

    id: int
    value: str | list[str] | None = None


class Issue(BaseModel):
    """An issue, with its edits where they were asked for."""

    id: int
    status: Named
    priority: Named
    assigned_to: Named | None = None
    subject: str = ""
    description: str | None = None
    updated_on: AwareDatetime
    custom_fields: list[FieldValue] = []
    journals: list[Journal] = []


class Changes(BaseModel):
    """What is written; only what was set is sent."""

    project_id: str | None = None
    tracker_id: int | None = None
    status_id: int | None = None
    priority_id: int | None = None
    assigned_to_id: int | None = None
    subject: str | None = None
    description: str | None = None
    notes: str | None = None
    custom_fields: list[FieldValue] | None = None

    def request(self, method: str, path: str) -> Request:
        """The request that writes it."""
        content = Envelope(issue=self).model_dump_json(exclude_none=True).encode()
        return Request(method=method, path=path, headers=JSON, body=content)


class Envelope(BaseModel):
    """What is written, as Redmine wants it wrapped."""

    issue: Changes


class OneIssue(BaseModel):
    """The answer about one issue."""

    issue: Issue


class Issues(BaseModel):
    """One page of a list of issues."""

    issues: list[Issue]


class Statuses(BaseModel):
    """All statuses that issues may have."""

    found: list[Named] = Field(alias="issue_statuses")


class Priorities(BaseModel):
    """All priorities that issues may have."""

    found: list[Named] = Field(alias="issue_priorities")


class Trackers(BaseModel):
    """All trackers."""

    found: list[Named] = Field(alias="trackers")


class CurrentUser(BaseModel):
    """Who our key belongs to."""

    user: Named


ONE, LIST, USER = TypeAdapter(OneIssue), TypeAdapter(Issues), TypeAdapter(CurrentUser)
STATUSES, PRIORITIES = TypeAdapter(Statuses), TypeAdapter(Priorities)
TRACKERS = TypeAdapter(Trackers)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_TAG = re.compile(r"(<)(?=[/!a-zA-Z])")
_FENCE = re.compile(r"([`~])(?=[`~])")
_BREAK = "\\1\u200b"


def one_line(text: str) -> str:
    """Text from anywhere as a subject."""
    return " ".join(_CONTROL.sub(" ", text).split())[:SUBJECT_CHARS_MAX].rstrip()


def as_text(text: str, formatting: Formatting) -> str:
    """Text from anywhere as nothing but text: no link, image, macro or mention in it."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n")).strip()
    if formatting == "textile":
        return f"<pre>\n{_TAG.sub(_BREAK, plain)}\n</pre>"
    return f"~~~\n{_FENCE.sub(_BREAK, plain)}\n~~~"
