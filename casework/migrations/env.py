"""Alembic's entry: runs the migrations on the connection that ``casework.store.schema`` opens."""

from alembic import context

from casework.store.schema import TARGET

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TARGET,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
