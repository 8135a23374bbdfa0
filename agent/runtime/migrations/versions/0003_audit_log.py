"""The audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _integer(name: str, *, is_key: bool = False) -> "sa.Column[int]":
    if is_key:
        return sa.Column(name, sa.Integer, nullable=False, primary_key=True, autoincrement=False)
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str, *, is_key: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, primary_key=is_key)


def _bytes(name: str) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    """Events, the tree over them, people by commitment, and who was told of its head."""
    op.create_table(
        "audit", _integer("number", is_key=True), _integer("at"), _text("kind"), _bytes("body")
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "audit_subjects", _text("subject", is_key=True), _integer("number", is_key=True)
    )
    op.create_table(
        "audit_nodes",
        _integer("level", is_key=True),
        _integer("position", is_key=True),
        _bytes("hash"),
    )
    op.create_table("audit_people", _text("name", is_key=True), _text("commitment"), _bytes("salt"))
    op.create_table(
        "audit_checkpoints", _integer("size", is_key=True), _integer("at"), _bytes("body")
    )
    op.create_table(
        "audit_deliveries", _text("destination", is_key=True), _integer("size"), _integer("at")
    )
