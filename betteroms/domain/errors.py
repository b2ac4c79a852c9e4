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
    ├── ApprovalInvalid      a file that is no saved preview
    ├── ApprovalMismatch     a saved preview that is not what would happen now
    ├── CashShort            more was to be taken out of the wallet than is free
    ├── CredentialsUnusable  a key, wallet or credentials that lack, do not go together, or are refused
    ├── LiveOff              a live plan, and the live switch is off
    ├── LiveUnconfirmed      a live plan, and nobody said yes
    ├── LiveUnrehearsed      the switch is to go on before any live plan was looked at
    ├── LedgerBehindVenue    the venue has orders of our key that the ledger does not know
    ├── VenueUnfit           the venue, or our clock, is not as live trading needs it
    ├── OutcomeUnknown       an order may have been placed, and nobody knows yet
    ├── OrderMisnamed        the venue calls an order otherwise than we computed
    ├── LockHeld             another run is writing
    ├── VenueUnreachable     the venue gave no usable answer
    │   └── CredentialsRefused   it answered that it does not take our API credentials
    ├── RecordingUnreadable  a --books directory cannot be used
    ├── StorageUnreachable   object storage with plans gave no usable answer
    ├── OutputRefused        a file that is there already, or is no file
    ├── ExtraMissing         a part of the program that was not installed
    ├── CrontabUnusable      the crontab cannot be read or replaced
    ├── NotificationFailed   a message that was asked for could not be sent
    ├── TransactionFailed    the chain, or the relayer, did not carry out what was sent
    ├── TransactionPending   what was sent to the chain is not carried out yet
    ├── SandboxUnusable      the sandbox cannot start as it was asked to
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


class ApprovalInvalid(BetterOmsError):
    """A file that is no saved preview, or cannot be read."""


class ApprovalMismatch(BetterOmsError):
    """A saved preview that was altered, is too old, or is not what would happen now; nothing is written.

    `problems` names every difference: what it was, and what it is now.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class CashShort(BetterOmsError):
    """More was to be withdrawn than is there and not reserved; nothing is written."""


class CredentialsUnusable(BetterOmsError):
    """A key, wallet or credentials that lack, do not go together, or are refused; no secret is quoted.

    `problems` names what there is to do or to choose from, where there is.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class LiveOff(BetterOmsError):
    """The live switch is off: no live plan is carried out."""


class LiveUnconfirmed(BetterOmsError):
    """A live plan that nobody confirmed: neither by --yes nor by typing it."""


class LiveUnrehearsed(BetterOmsError):
    """No live plan was ever previewed or run in the shadow, so the switch does not go on."""


class LedgerBehindVenue(BetterOmsError):
    """The venue has orders or trades of our API key that the ledger does not know; `problems` names them."""

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class VenueUnfit(BetterOmsError):
    """The venue, or our clock, is not as live trading needs it; `problems` names every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class OutcomeUnknown(BetterOmsError):
    """Orders may have been placed and nobody knows yet; a later poll finds out."""


class OrderMisnamed(BetterOmsError):
    """The venue gave an order another name than we computed; the switch was turned off."""


class LockHeld(BetterOmsError):
    """Another run holds the writer's lock; the message says which."""


class VenueUnreachable(BetterOmsError):
    """The venue did not answer, or not in a way that can be used."""


class CredentialsRefused(VenueUnreachable):
    """The venue refuses our API credentials: an answer, and none to what was asked."""


class RecordingUnreadable(BetterOmsError):
    """The directory of recorded books does not exist or cannot be read."""


class StorageUnreachable(BetterOmsError):
    """The object storage that holds plans did not answer, or refused us."""


class OutputRefused(BetterOmsError):
    """What was to be written would replace a file nobody said to replace, or something that is no file."""


class ExtraMissing(BetterOmsError):
    """An optional part that this installation lacks; `extra` is its name in pyproject.toml."""

    def __init__(self, extra: str, needed: str) -> None:
        super().__init__(f"{needed}: pip install 'betteroms[{extra}]'")
        self.extra = extra


class CrontabUnusable(BetterOmsError):
    """The crontab cannot be read or replaced; it is as it was."""


class NotificationFailed(BetterOmsError):
    """A message could not be sent; `problems` names each service that did not take it, and why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class TransactionFailed(BetterOmsError):
    """A transaction that was refused or reverted: it changed nothing, and asking again may."""


class TransactionPending(BetterOmsError):
    """A transaction that was sent, and of which nothing is known yet: it may still be carried out."""


class SandboxUnusable(BetterOmsError):
    """The sandbox cannot start as it was asked to; `problems` names every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class DatabaseUnavailable(BetterOmsError):
    """The database cannot be reached or cannot be used."""
