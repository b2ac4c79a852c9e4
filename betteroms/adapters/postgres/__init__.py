"""PostgreSQL: the tables, the ledger, the read-only views, and the bundled server."""
