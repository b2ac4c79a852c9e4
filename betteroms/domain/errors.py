"""Faults: what the world, or the operator, can do to us.

A refusal of one instruction is a value (`Denial`, in `order.py`), never one of these.

    BetterOmsError
    ├── InexactAmount        a number that does not fit our six decimals
    ├── SettingsInvalid      the environment is wrong; all complaints at once
    ├── PlanInvalid          the plan is wrong; all complaints at once
    ├── NotFound             a market, run, order … that does not exist
    ├── Ambiguous            a short name that fits several things
    ├── ModeUnavailable      a mode that this version cannot carry out
    ├── PlanAlreadyRun       the planId has a completed run in this mode
    ├── PlanChanged          the planId was started with other content
    ├── LockHeld             another run is writing
    ├── VenueUnreachable     the venue gave no usable answer
    ├── RecordingUnreadable  a --books directory cannot be used
    └── DatabaseUnavailable  the database is gone, full, too old or too new
"""

from collections.abc import Sequence


class BetterOmsError(Exception):
    """Any fault a user can be told about in one message, without a traceback."""


class InexactAmount(BetterOmsError, ValueError):
    """Text that is no exact number of millionths."""


class SettingsInvalid(BetterOmsError):
    """The environment holds wrong or missing settings; `problems` names every one of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class PlanInvalid(BetterOmsError):
    """The plan breaks its schema or its meaning; `problems` holds one line for each complaint."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class NotFound(BetterOmsError):
    """Something named by the user does not exist."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Ambiguous(BetterOmsError):
    """A short name that fits several things; `problems` names the candidates."""

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(candidates)


class ModeUnavailable(BetterOmsError):
    """A plan in a mode that this version cannot carry out."""


class PlanAlreadyRun(BetterOmsError):
    """The planId already has a completed run in this mode."""


class PlanChanged(BetterOmsError):
    """The planId was started before with another content."""


class LockHeld(BetterOmsError):
    """Another run holds the writer's lock; the message says which."""


class VenueUnreachable(BetterOmsError):
    """The venue did not answer, or not in a way that can be used."""


class RecordingUnreadable(BetterOmsError):
    """The directory of recorded books does not exist or cannot be read."""


class DatabaseUnavailable(BetterOmsError):
    """The database cannot be reached or cannot be used."""
