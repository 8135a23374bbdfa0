"""The tables, for migrations and for whoever wants to read the database beside us.

Moments are microseconds since 1970 in UTC. What is asked for by is a column; `body` is the whole
record as JSON. Every index is a page more to write for each row, so there is one only where a
question needs it: what is old lies at the beginning of a key, what is open is in memory.
Not imported while the agent runs: `migrate` needs it only when the tables change.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

metadata = MetaData()


def _text(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


def _text_or_null(name: str) -> "Column[str]":
    return Column(name, Text, nullable=True)


def _moment(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


def _moment_or_null(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=True)


def _number(name: str = "number") -> "Column[int]":
    # On SQLite only a plain INTEGER key is the row's own place, without an index beside it.
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _body() -> "Column[bytes]":
    return Column("body", LargeBinary, nullable=False)


journal = Table("journal", metadata, _number(), _moment("at"), _text("kind"), _body())

configs = Table("configs", metadata, Column("digest", Text, primary_key=True), _body())

alive = Table("alive", metadata, _number("one"), _moment("at"))

alerts = Table(
    "alerts",
    metadata,
    # What comes last goes last, without an index beside it: fingerprints, or the moments that
    # senders claim, are spread over all of one, and each new alert would write a page of its own.
    _number("heard_at"),
    _moment_or_null("ends_at"),
    _text_or_null("entity"),
    _text_or_null("incident"),
    _body(),
    Index("ix_alerts_incident", "incident"),
)

incidents = Table(
    "incidents",
    metadata,
    _number(),
    _text("state"),
    Column("priority", Integer, nullable=False),
    _moment("opened_at"),
    _moment_or_null("closed_at"),
    _body(),
)

incident_entities = Table(
    "incident_entities",
    metadata,
    _text("entity"),
    Column("incident", Integer, nullable=False),
    PrimaryKeyConstraint("entity", "incident"),
)

changes = Table(
    "changes",
    metadata,
    _number(),
    _text("state"),
    _text("entity"),
    _text_or_null("incident"),
    _moment("requested_at"),
    _moment_or_null("ended_at"),
    _body(),
    Index("ix_changes_entity", "entity"),
    Index("ix_changes_incident", "incident"),
)

runs = Table(
    "runs",
    metadata,
    _number(),
    _text("change"),
    _text("state"),
    _moment("requested_at"),
    _body(),
    Index("ix_runs_change", "change"),
)

run_output = Table(
    "run_output",
    metadata,
    _text("run"),
    Column("number", Integer, nullable=False),
    _moment("at"),
    _body(),
    PrimaryKeyConstraint("run", "number"),
    Index("ix_run_output_at", "at"),
)

problems = Table("problems", metadata, _number(), _text("state"), _moment("opened_at"), _body())

reported = Table("reported", metadata, _number(), _moment("started_at"), _text("source"), _body())

timeline = Table(
    "timeline",
    metadata,
    Column("entry", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    _text("subject"),
    _moment("at"),
    _body(),
    PrimaryKeyConstraint("entry", "position"),
    Index("ix_timeline_subject", "subject"),
)

intervals = Table(
    "intervals",
    metadata,
    _text("entity"),
    _moment("starts_at"),
    _moment_or_null("ends_at"),
    _text("health"),
    _body(),
    PrimaryKeyConstraint("entity", "starts_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _body(),
)

# Events of the audit log and the tree over them: never rebuilt, and pruned by a limit of its own.
audit = Table(
    "audit",
    metadata,
    _number(),
    _moment("at"),
    _text("kind"),
    _body(),
    Index("ix_audit_at", "at"),
)

audit_subjects = Table(
    "audit_subjects",
    metadata,
    _text("subject"),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("subject", "number"),
)

audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "position"),
)

audit_people = Table(
    "audit_people",
    metadata,
    Column("name", Text, primary_key=True),
    _text("commitment"),
    Column("salt", LargeBinary, nullable=False),
)

audit_checkpoints = Table("audit_checkpoints", metadata, _number("size"), _moment("at"), _body())

audit_deliveries = Table(
    "audit_deliveries",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    _moment("at"),
)
