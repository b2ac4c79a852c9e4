"""What a command ends with: one table from faults to exit codes, and which code wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from betteroms.domain import errors

DONE: Final = 0
UNEXPECTED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CREDENTIALS: Final = 4
REFUSED: Final = 5
VENUE_UNREACHABLE: Final = 6
OUTCOME_UNKNOWN: Final = 7
ALREADY_RUN: Final = 8
DATABASE: Final = 9
LOCKED: Final = 10
PLACES: Final = 11
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143

SEVERITY: Final = (
    UNEXPECTED,
    DATABASE,
    OUTCOME_UNKNOWN,
    CREDENTIALS,
    VENUE_UNREACHABLE,
    LOCKED,
    REFUSED,
    USAGE,
    NOT_FOUND,
    ALREADY_RUN,
    PLACES,
    DONE,
)
"""Where several happened the first of these wins (DECISIONS 10.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a fault ends a command: its code, its name in JSON, and what the user can do."""

    code: int
    name: str
    hint: str | None = None


FAULTS: Final[dict[type[BaseException], Exit]] = {
    errors.SettingsInvalid: Exit(
        code=USAGE, name="SETTINGS_INVALID", hint="docs/settings.md tells what each variable may be"
    ),
    errors.PlanInvalid: Exit(code=USAGE, name="PLAN_INVALID"),
    errors.InexactAmount: Exit(code=USAGE, name="INEXACT_AMOUNT"),
    errors.Ambiguous: Exit(code=USAGE, name="AMBIGUOUS"),
    errors.RecordingUnreadable: Exit(code=USAGE, name="RECORDING_UNREADABLE"),
    errors.OutputRefused: Exit(code=USAGE, name="OUTPUT_REFUSED", hint="--force replaces a file"),
    errors.ExtraMissing: Exit(code=USAGE, name="EXTRA_MISSING"),
    errors.NotFound: Exit(code=NOT_FOUND, name="NOT_FOUND"),
    errors.ModeUnavailable: Exit(
        code=REFUSED, name="MODE_UNAVAILABLE", hint='set "mode": "paper" in the plan to rehearse it'
    ),
    errors.PlanAlreadyRun: Exit(
        code=ALREADY_RUN,
        name="PLAN_ALREADY_RUN",
        hint="betteroms runs show tells what it did; to trade again, give the plan another planId",
    ),
    errors.PlanChanged: Exit(code=ALREADY_RUN, name="PLAN_CHANGED"),
    errors.ApprovalInvalid: Exit(
        code=USAGE, name="APPROVAL_INVALID", hint="betteroms preview --save FILE writes one"
    ),
    errors.ApprovalMismatch: Exit(
        code=REFUSED,
        name="APPROVAL_MISMATCH",
        hint="nothing was done; betteroms preview --save FILE shows what would be done now",
    ),
    errors.CashShort: Exit(
        code=REFUSED, name="INSUFFICIENT_CASH", hint="betteroms portfolio show tells what is free"
    ),
    errors.CredentialsUnusable: Exit(
        code=CREDENTIALS,
        name="CREDENTIALS_UNUSABLE",
        hint="docs/credentials.md tells which key, address and credentials are needed",
    ),
    errors.LiveOff: Exit(
        code=REFUSED,
        name="LIVE_OFF",
        hint="betteroms live status tells how the switch stands; docs/live.md, how to go live",
    ),
    errors.LiveUnconfirmed: Exit(
        code=REFUSED, name="LIVE_NOT_CONFIRMED", hint="--yes says so where nobody can be asked"
    ),
    errors.LiveUnrehearsed: Exit(
        code=REFUSED,
        name="LIVE_NOT_REHEARSED",
        hint="betteroms preview PLAN, or betteroms live shadow and a run of it, is a rehearsal",
    ),
    errors.LedgerBehindVenue: Exit(
        code=REFUSED,
        name="LEDGER_BEHIND_VENUE",
        hint="betteroms poll --adopt takes them in, once you know where they come from",
    ),
    errors.VenueUnfit: Exit(
        code=REFUSED, name="VENUE_UNFIT", hint="betteroms doctor looks at the venue and at your clock"
    ),
    errors.OutcomeUnknown: Exit(
        code=OUTCOME_UNKNOWN,
        name="OUTCOME_UNKNOWN",
        hint="betteroms poll finds out; nothing is sent twice meanwhile",
    ),
    errors.OrderMisnamed: Exit(
        code=OUTCOME_UNKNOWN,
        name="ORDER_ID_MISMATCH",
        hint="the switch is OFF; betteroms orders cancel-all --mode live ends whatever the venue holds",
    ),
    errors.LockHeld: Exit(code=LOCKED, name="LOCK_HELD", hint="--wait says for how many seconds to wait"),
    errors.VenueUnreachable: Exit(
        code=VENUE_UNREACHABLE,
        name="VENUE_UNREACHABLE",
        hint="betteroms doctor looks at the connection; the same command again takes the run up",
    ),
    errors.CredentialsRefused: Exit(
        code=CREDENTIALS,
        name="CREDENTIALS_UNUSABLE",
        hint="betteroms generate-creds --write gets those that belong to the key",
    ),
    errors.StorageUnreachable: Exit(
        code=VENUE_UNREACHABLE,
        name="STORAGE_UNREACHABLE",
        hint="docs/scheduled-runs.md tells how storage is reached; the next run asks again",
    ),
    errors.CrontabUnusable: Exit(
        code=REFUSED,
        name="CRONTAB_UNUSABLE",
        hint="betteroms cron show prints the lines, to be put by hand where your scheduler keeps them",
    ),
    errors.NotificationFailed: Exit(
        code=VENUE_UNREACHABLE,
        name="NOTIFICATION_FAILED",
        hint="docs/cron.md tells how BETTEROMS_NOTIFY_URLS is written",
    ),
    errors.TransactionFailed: Exit(
        code=REFUSED,
        name="TRANSACTION_FAILED",
        hint="what was done stays done; the same command again does the rest",
    ),
    errors.TransactionPending: Exit(
        code=OUTCOME_UNKNOWN,
        name="TRANSACTION_PENDING",
        hint="the same command again, in a minute, shows what has come of it and does the rest",
    ),
    errors.SandboxUnusable: Exit(
        code=USAGE, name="SANDBOX_UNUSABLE", hint="docs/sandbox.md tells how files and options are written"
    ),
    errors.DatabaseUnavailable: Exit(
        code=DATABASE, name="DATABASE_UNAVAILABLE", hint="betteroms doctor looks at what is wrong"
    ),
    OSError: Exit(code=UNEXPECTED, name="OS_ERROR"),
}
"""The nearest class of a fault counts; what is not here is unexpected."""


def exit_for(fault: BaseException) -> Exit:
    """How this fault ends the command."""
    return _exit_for_kind(type(fault)) or Exit(
        code=UNEXPECTED,
        name="UNEXPECTED",
        hint="this is a mistake of the program: betteroms --debug … shows where; please report it",
    )


def code_of(kind: type[BaseException]) -> int:
    """The exit code that faults of this kind mean."""
    found = _exit_for_kind(kind)
    return found.code if found else UNEXPECTED


def _exit_for_kind(kind: type[BaseException]) -> Exit | None:
    return next((FAULTS[base] for base in kind.__mro__ if base in FAULTS), None)


def worst(codes: Iterable[int]) -> int:
    """The one code for several things that happened."""
    return min(codes, key=SEVERITY.index, default=DONE)
