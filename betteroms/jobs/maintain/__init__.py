"""What is done every few minutes for everything that was ever traded: one file per step."""

from betteroms.jobs.maintain.job import maintain

__all__ = ["maintain"]
