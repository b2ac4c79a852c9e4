"""Runs the migrations on the connection that the program hands over, or on DATABASE_URL."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, pool

from betteroms.adapters.postgres.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _run(handed_over)
else:
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        _run(connection)
        connection.commit()
