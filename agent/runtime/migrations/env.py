"""What alembic runs for each command: revisions over the connection that `migrate` opened."""

from alembic import context

from agent.runtime.schema import metadata

with context.config.attributes["engine"].begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite changes a table by writing it anew.
        render_as_batch=True,
        transaction_per_migration=False,
    )
    context.run_migrations()
