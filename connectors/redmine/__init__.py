"""Redmine, both ways: one issue an incident, and what people do to it.

Redmine answers 204 to changes that it did not make, ignores filters that it does not know, and has
no key against repeats. So: look for our id before creating, mark each comment, read back whatever
was written. Not here: when to write or ask, and what a person's word leads to.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from agent.connector import Exchange, Options, Request, Response, TicketPoll, answer, refusal
from agent.errors import PermanentError
from agent.model.incident import Priority
from agent.model.ticket import RemoteComment, RemoteTicket, Ticket, TicketRef, TicketState
from connectors.redmine.place import Place, read_cursor, write_cursor
from connectors.redmine.wire import (
    LIST,
    ONE,
    PRIORITIES,
    STATUSES,
    TRACKERS,
    USER,
    Changes,
    FieldValue,
    Formatting,
    Issue,
    Journal,
    Named,
    as_text,
    one_line,
)

OVERLAP = timedelta(seconds=10)
"""Redmine dates a change when it begins to write it: a slow write shows up behind later ones."""
PAGE = 100
PAGES_MAX = 20
KEYS_PER_REQUEST = 40
ISSUES_A_POLL = 500
"""Each is read by itself, and a conversation has at most a thousand turns."""
REMOTE_TEXT_CHARS_MAX = 10_000


class RedmineOptions(Options):
    """What Redmine calls the things that we speak of; names are looked up, never guessed."""

    project: str = Field(min_length=1, description="Identifier of the project for new issues.")
    external_id_field: int = Field(
        description="Id of a text custom field for issues, for all projects, used as a filter."
    )
    statuses: Mapping[TicketState, tuple[str, ...]] = Field(
        description="Status names by our state; the first of each is the one we set."
    )
    priorities: Mapping[Literal["P1", "P2", "P3", "P4", "P5"], str] = Field(
        default={}, description="Priority names by ours; what is not named is left to Redmine."
    )
    tracker: str | None = Field(default=None, description="Tracker for new issues, by name.")
    people: Mapping[str, int] = Field(default={}, description="Redmine user ids by our names.")
    text_formatting: Formatting = Field(
        default="textile", description="As Redmine is set, so that text from alerts stays text."
    )


@dataclass(frozen=True, slots=True)
class Redmine:
    """One issue an incident, both ways."""

    options: RedmineOptions
    options_model: ClassVar[type[Options]] = RedmineOptions

    def upsert(self, ticket: Ticket, known_ref: str | None) -> Exchange[TicketRef]:
        """Make the issue of this key agree; the URL in the answer is relative to Redmine's.

        An issue that was there and is gone is not made anew: somebody took it away on purpose.
        Raises PermanentError then, and when Redmine kept something else than what we wrote.
        """
        found = (yield from self._known(known_ref)) if known_ref else (yield from self._by(ticket))
        number = found.id if found else (yield from self._create(ticket))
        path = f"/issues/{number}.json"
        issue = yield from self._issue(path)
        statuses = yield from _statuses()
        changes = yield from self._differences(issue, ticket, statuses)
        lacking = yield from self._lacking(issue, ticket)
        first = lacking[0] if lacking else None
        if first or changes.model_fields_set:
            yield from _write(changes.model_copy(update={"notes": first}), path)
        for note in lacking[1:]:
            yield from _write(Changes(notes=note), path)
        if lacking or changes.model_fields_set:
            after = yield from self._issue(path)
            left = yield from self._differences(after, ticket, statuses)
            unwritten = yield from self._lacking(after, ticket)
            _check_written(after, left, unwritten)
        return TicketRef(ref=str(number), url=f"/issues/{number}")

    def poll(self, cursor: str | None, keys: Collection[str]) -> Exchange[TicketPoll]:
        """What others wrote and moved since the cursor, each journal once.

        Without a cursor: everything that others ever did to these tickets; then a move counts only
        where we did not move the ticket after it. A state nobody else set is `unknown`. What is
        too much for one conversation is gone on with from its cursor.
        """
        place = read_cursor(cursor)
        if not keys:
            return TicketPoll(tickets=(), cursor=cursor or "")
        own = answer(USER, (yield _get("/users/current.json")), "who are we").user.id
        statuses = yield from _statuses()
        if place.is_first:
            listed, newest, after = yield from self._of_some(keys, place)
        else:
            assert place.at is not None, "a later poll goes on from a moment"
            listed = _some((yield from self._changed_since(place.at - OVERLAP)), place.at)
            newest = max([each.updated_on for each in listed], default=place.at)
            after = None
        tickets: list[RemoteTicket] = []
        late = set(place.journals) if place.is_first else set()
        for each in listed:
            key = self._key(each)
            if key is None or key not in keys:
                continue
            issue = yield from self._issue(f"/issues/{each.id}.json")
            late |= {
                journal.id
                for journal in issue.journals
                if newest and journal.created_on >= newest - OVERLAP
            }
            since = None if place.is_first or place.at is None else place.at - OVERLAP
            heard = _heard(issue.journals, since, place.journals)
            if remote := self._remote(
                key, issue, heard=heard, own=own, statuses=statuses, is_first=place.is_first
            ):
                tickets.append(remote)
        return TicketPoll(tickets=tuple(tickets), cursor=write_cursor(newest, late, after))

    def _known(self, ref: str) -> Exchange[Issue | None]:
        response = yield _get(f"/issues/{int(ref)}.json")
        if response.status in (403, 404, 410):
            raise PermanentError(
                f"issue {ref} was deleted, or moved out of our sight; it is not made anew"
            )
        return answer(ONE, response, f"read issue {ref}").issue

    def _by(self, ticket: Ticket) -> Exchange[Issue | None]:
        query = {f"cf_{self.options.external_id_field}": ticket.key, "sort": "id", "limit": "5"}
        found = yield from self._list(query)
        ours = [each for each in found if self._key(each) == ticket.key]
        if found and not ours:
            raise PermanentError(
                f"Redmine does not filter by custom field {self.options.external_id_field}: "
                'set "for all projects" and "used as a filter" on it'
            )
        return ours[0] if ours else None

    def _create(self, ticket: Ticket) -> Exchange[int]:
        options = self.options
        changes = Changes(
            project_id=options.project,
            subject=one_line(ticket.title),
            description=as_text(ticket.body, options.text_formatting),
            custom_fields=[FieldValue(id=options.external_id_field, value=ticket.key)],
            priority_id=(yield from self._priority(ticket.priority)),
        )
        if options.tracker:
            response = yield _get("/trackers.json")
            known = answer(TRACKERS, response, "read trackers").found
            changes.tracker_id = _id_of(options.tracker, known, "tracker")
        response = yield changes.request("POST", "/issues.json")
        made = answer(ONE, response, f"create an issue for {ticket.key}").issue
        if self._key(made) != ticket.key:
            raise PermanentError(
                f"issue {made.id} was created, but Redmine did not keep custom field "
                f"{options.external_id_field}: allow it for project and tracker"
            )
        return made.id

    def _issue(self, path: str) -> Exchange[Issue]:
        response = yield _get(path, {"include": "journals"})
        return answer(ONE, response, f"read {path}").issue

    def _list(self, query: Mapping[str, str]) -> Exchange[list[Issue]]:
        response = yield _get("/issues.json", {"status_id": "*", **query})
        return answer(LIST, response, "list issues").issues

    def _of_some(
        self, keys: Collection[str], place: Place
    ) -> Exchange[tuple[list[Issue], datetime | None, str | None]]:
        """The issues of the next keys, the moment to go on from, and the last key unless all."""
        left = sorted(key for key in keys if key > place.after)
        some = left[:ISSUES_A_POLL]
        newest = place.at
        if newest is None and len(left) > len(some):
            # Before the first issue is read, so that nothing falls between the conversations.
            query = {f"cf_{self.options.external_id_field}": "*", "sort": "updated_on:desc"}
            last = yield from self._list({**query, "limit": "1"})
            newest = last[0].updated_on if last else None
        listed = yield from self._of(some)
        if newest is None:
            newest = max([each.updated_on for each in listed], default=None)
        return listed, newest, some[-1] if len(left) > len(some) else None

    def _of(self, keys: Collection[str]) -> Exchange[list[Issue]]:
        ordered = sorted(keys)
        found: list[Issue] = []
        for start in range(0, len(ordered), KEYS_PER_REQUEST):
            some = "|".join(ordered[start : start + KEYS_PER_REQUEST])
            query = {f"cf_{self.options.external_id_field}": some, "limit": str(PAGE)}
            found += yield from self._list(query)
        return found

    def _changed_since(self, at: datetime) -> Exchange[list[Issue]]:
        found: list[Issue] = []
        for page in range(PAGES_MAX):
            query = {
                f"cf_{self.options.external_id_field}": "*",
                "updated_on": f">={at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "sort": "updated_on,id",
                "limit": str(PAGE),
                "offset": str(page * PAGE),
            }
            some = yield from self._list(query)
            found += some
            if len(some) < PAGE:
                break
        return found

    def _key(self, issue: Issue) -> str | None:
        values = {each.id: each.value for each in issue.custom_fields}
        value = values.get(self.options.external_id_field)
        return value if isinstance(value, str) and value else None

    def _state(self, status: int, statuses: Mapping[int, Named]) -> TicketState:
        named = statuses.get(status)
        for state, names in self.options.statuses.items():
            if named and named.name.lower() in {name.lower() for name in names}:
                return state
        return TicketState.RESOLVED if named and named.is_closed else TicketState.UNKNOWN

    def _priority(self, priority: Priority) -> Exchange[int | None]:
        name = {str(key): value for key, value in self.options.priorities.items()}.get(
            priority.name
        )
        if name is None:
            return None
        response = yield _get("/enumerations/issue_priorities.json")
        return _id_of(name, answer(PRIORITIES, response, "read priorities").found, "priority")

    def _differences(
        self, issue: Issue, ticket: Ticket, statuses: Mapping[int, Named]
    ) -> Exchange[Changes]:
        """What has to be written so that the issue agrees."""
        changes = Changes()
        must_move = _must_move(self._state(issue.status.id, statuses), ticket.state)
        if must_move and not (yield from self._is_unheard_close(issue, ticket, statuses)):
            names = self.options.statuses.get(ticket.state, ())
            name = names[0] if names else ticket.state.value
            changes.status_id = _id_of(name, statuses.values(), "status")
        priority = yield from self._priority(ticket.priority)
        if priority is not None and priority != issue.priority.id:
            changes.priority_id = priority
        person = self.options.people.get(ticket.assignee or "")
        if person is not None and person != (issue.assigned_to and issue.assigned_to.id):
            changes.assigned_to_id = person
        if one_line(ticket.title) != issue.subject:
            changes.subject = one_line(ticket.title)
        description = as_text(ticket.body, self.options.text_formatting)
        if description != (issue.description or "").replace("\r\n", "\n").rstrip():
            changes.description = description
        return changes

    def _is_unheard_close(
        self, issue: Issue, ticket: Ticket, statuses: Mapping[int, Named]
    ) -> Exchange[bool]:
        """Whether somebody closed it since we last heard; the next poll tells of it."""
        moves = [each for each in issue.journals if each.status == issue.status.id]
        if not moves or self._state(issue.status.id, statuses) is not TicketState.RESOLVED:
            return False
        last = max(moves, key=lambda journal: journal.id)
        if ticket.close_heard is not None and last.created_on <= ticket.close_heard:
            return False
        own = answer(USER, (yield _get("/users/current.json")), "who are we").user.id
        return last.user.id != own

    def _lacking(self, issue: Issue, ticket: Ticket) -> Exchange[list[str]]:
        """The notes that are still to be written, oldest first."""
        if not ticket.comments:
            return []
        own = answer(USER, (yield _get("/users/current.json")), "who are we").user.id
        written = [(each.notes or "").rstrip() for each in issue.journals if each.user.id == own]
        return [
            f"{as_text(comment.text, self.options.text_formatting)}\n\n[{comment.key}]"
            for comment in ticket.comments
            if not any(note.endswith(f"[{comment.key}]") for note in written)
        ]

    def _remote(
        self,
        key: str,
        issue: Issue,
        *,
        heard: Iterable[Journal],
        own: int,
        statuses: Mapping[int, Named],
        is_first: bool,
    ) -> RemoteTicket | None:
        journals = list(heard)
        theirs = [each for each in journals if each.user.id != own and not each.private_notes]
        telling = [each for each in theirs if each.notes or each.status]
        if not telling:
            return None
        # what was said before we looked for the first time holds only if it still stands
        moves = [each for each in (journals if is_first else theirs) if each.status]
        state = TicketState.UNKNOWN
        if moves and moves[-1].user.id != own:
            state = self._state(moves[-1].status or 0, statuses)
        return RemoteTicket(
            key=key,
            ref=str(issue.id),
            state=state,
            changed_by=telling[-1].user.name,
            changed_at=telling[-1].created_on.astimezone(UTC),
            comments=tuple(_comment(each) for each in telling if each.notes),
        )


def _must_move(state: TicketState, wish: TicketState) -> bool:
    # what people do between open and resolved is theirs: we never push it back
    if TicketState.UNKNOWN is wish or state is wish:
        return False
    starts = state is TicketState.OPEN and wish is TicketState.IN_PROGRESS
    return starts or TicketState.RESOLVED in (state, wish)


def _get(path: str, query: Mapping[str, str] | None = None) -> Request:
    return Request(method="GET", path=path, query=query or {})


def _write(changes: Changes, path: str) -> Exchange[None]:
    response: Response = yield changes.request("PUT", path)
    if not response.is_success:
        raise refusal(response, f"write {path}")


def _statuses() -> Exchange[dict[int, Named]]:
    response = yield _get("/issue_statuses.json")
    return {each.id: each for each in answer(STATUSES, response, "read statuses").found}


def _id_of(name: str, known: Iterable[Named], what: str) -> int:
    ids = {each.name.lower(): each.id for each in known}
    if name.lower() not in ids:
        raise PermanentError(f'{what} "{name}" does not exist; there are: {", ".join(ids)}')
    return ids[name.lower()]


def _check_written(issue: Issue, left: Changes, unwritten: list[str]) -> None:
    kept = {
        "status_id": f'status "{issue.status.name}"',
        "priority_id": f'priority "{issue.priority.name}"',
        "assigned_to_id": "the assignee",
        "subject": "the subject",
        "description": "the description",
    }
    names = [kept[name] for name in sorted(left.model_fields_set)]
    if names:
        raise PermanentError(
            f"Redmine said yes but kept {', '.join(names)} of issue {issue.id}: the role or "
            "workflow of our user does not allow the change"
        )
    if unwritten:
        raise PermanentError(f"Redmine said yes but did not keep a comment on issue {issue.id}")


def _heard(
    journals: Iterable[Journal], since: datetime | None, seen: Collection[int]
) -> Iterator[Journal]:
    for each in sorted(journals, key=lambda journal: journal.id):
        if (since is None or each.created_on >= since) and each.id not in seen:
            yield each


def _comment(journal: Journal) -> RemoteComment:
    return RemoteComment(
        id=str(journal.id),
        author=journal.user.name,
        text=(journal.notes or "")[:REMOTE_TEXT_CHARS_MAX],
        at=journal.created_on.astimezone(UTC),
    )


def _some(listed: list[Issue], at: datetime) -> list[Issue]:
    """As many as one conversation may read, oldest change first; always more than the overlap."""
    return [
        each
        for number, each in enumerate(listed)
        if number < ISSUES_A_POLL or each.updated_on <= at + OVERLAP
    ]
