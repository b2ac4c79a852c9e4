"""The PostgreSQL server that comes with the package: where it is, how it is made, started and stopped."""
