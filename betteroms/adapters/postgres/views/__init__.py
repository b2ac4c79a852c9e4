"""Read-only SQL for lists, reports and checks."""
