"""How Alembic reaches the store: through the connection that `store.Store.open` holds."""

from __future__ import annotations

from alembic import context

from trimtab.review.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
