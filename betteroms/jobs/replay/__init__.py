"""A past run computed again from what it recorded: as it was, or as it would have been."""

from betteroms.jobs.replay.changes import Changes, ChangeUnknown, read_changes
from betteroms.jobs.replay.job import Bench, replay

__all__ = ["Bench", "ChangeUnknown", "Changes", "read_changes", "replay"]
