"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    _journal()
    _alerts_and_incidents()
    _changes_and_runs()
    _stories_and_access()


def _text(name: str, **more: Any) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=more.pop("nullable", False), **more)


def _integer(name: str, **more: Any) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False, **more)


def _moment(name: str, **more: Any) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=more.pop("nullable", False), **more)


def _number(name: str = "number") -> "sa.Column[int]":
    return _integer(name, primary_key=True, autoincrement=False)


def _body() -> "sa.Column[bytes]":
    return sa.Column("body", sa.LargeBinary, nullable=False)


def _journal() -> None:
    op.create_table("journal", _number(), _moment("at"), _text("kind"), _body())
    op.create_table("configs", _text("digest", primary_key=True), _body())
    op.create_table("alive", _number("one"), _moment("at"))


def _alerts_and_incidents() -> None:
    op.create_table(
        "alerts",
        _number("heard_at"),
        _moment("ends_at", nullable=True),
        _text("entity", nullable=True),
        _text("incident", nullable=True, index=True),
        _body(),
    )
    op.create_table(
        "incidents",
        _number(),
        _text("state"),
        _integer("priority"),
        _moment("opened_at"),
        _moment("closed_at", nullable=True),
        _body(),
    )
    op.create_table(
        "incident_entities",
        _text("entity", primary_key=True),
        _integer("incident", primary_key=True, autoincrement=False),
    )
    op.create_table(
        "intervals",
        _text("entity", primary_key=True),
        _moment("starts_at", primary_key=True),
        _moment("ends_at", nullable=True),
        _text("health"),
        _body(),
    )


def _changes_and_runs() -> None:
    op.create_table(
        "changes",
        _number(),
        _text("state"),
        _text("entity", index=True),
        _text("incident", nullable=True, index=True),
        _moment("requested_at"),
        _moment("ended_at", nullable=True),
        _body(),
    )
    op.create_table(
        "runs",
        _number(),
        _text("change", index=True),
        _text("state"),
        _moment("requested_at"),
        _body(),
    )
    op.create_table(
        "run_output",
        _text("run", primary_key=True),
        _integer("number", primary_key=True, autoincrement=False),
        _moment("at", index=True),
        _body(),
    )


def _stories_and_access() -> None:
    op.create_table("problems", _number(), _text("state"), _moment("opened_at"), _body())
    op.create_table(
        "timeline",
        _integer("entry", primary_key=True, autoincrement=False),
        _integer("position", primary_key=True, autoincrement=False),
        _text("subject", index=True),
        _moment("at"),
        _body(),
    )
    op.create_table("tokens", _text("id", primary_key=True), _text("name"), _body())
