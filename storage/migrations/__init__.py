"""The one Alembic history, for SQLite and PostgreSQL alike."""
