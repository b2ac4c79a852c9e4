"""One verb per file; one job is one row in runs."""
