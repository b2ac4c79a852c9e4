"""The PostgreSQL server that comes with the package: finding it, placing it, creating, starting and stopping it."""
