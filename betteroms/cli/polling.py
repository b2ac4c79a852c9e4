"""`poll`: what became of live orders, and whether our books agree with the venue's."""

from collections.abc import Mapping
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say, tell
from betteroms.cli.options import Json, command
from betteroms.cli.scheduled import Quiet, Scheduled, open_desk, wait_option
from betteroms.cli.trade import talk

if TYPE_CHECKING:
    from datetime import datetime

    from betteroms.settings import Settings

INTERVAL: Final = 30
INTERVAL_MAX: Final = 3_600
POLLS_MAX: Final = 1_000_000
HURRY_SECONDS: Final = 1.0
"""Several nudges that come so close together make one poll."""
ROWS_MAX: Final = 40


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "poll",
        example="betteroms poll",
        does="Find out what became of live orders, and compare our books with the venue's.",
        more="maintain and every live run begin with it. Differences are told and kept, never mended. Exit "
        "code 7 says that of some orders nobody knows yet whether they arrived, 5 that the venue has orders "
        "of this API key that the ledger does not know.",
    )(poll)


Interval = Annotated[
    int,
    typer.Option(
        "--interval",
        metavar="SECONDS",
        min=1,
        max=INTERVAL_MAX,
        help="With --watch: look at least so often.",
    ),
]
Polls = Annotated[
    int | None,
    typer.Option("--polls", metavar="COUNT", min=1, max=POLLS_MAX, help="With --watch: stop after so many."),
]


def poll(
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: at once when the venue's stream tells of something.")
    ] = False,
    interval: Interval = INTERVAL,
    polls: Polls = None,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Take in orders and fills of this API key that the ledger does not know."
        ),
    ] = False,
    wait: Annotated[int, wait_option()] = 0,
    at: Scheduled = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    from betteroms.domain.errors import LockHeld
    from betteroms.settings import load

    if polls is not None and not watch:
        raise typer.BadParameter("--polls is about how long to watch: it needs --watch")
    settings = load()
    if watch:
        raise typer.Exit(_watched(settings, interval, polls, adopt=adopt, quiet=quiet, as_json=as_json))
    try:
        code = _polled(settings, adopt=adopt, wait=wait, at=at, quiet=quiet, as_json=as_json)
    except LockHeld:
        if quiet:
            # Whoever is at it polls, too.
            raise typer.Exit(exits.DONE) from None
        raise
    raise typer.Exit(code)


def _polled(
    settings: "Settings", *, adopt: bool, wait: int, at: "datetime | None", quiet: bool, as_json: bool
) -> int:
    from betteroms.domain.terms import Mode
    from betteroms.jobs.poll import poll as carry_out

    with open_desk(settings, "poll", mode=Mode.LIVE, books=None, wait=wait, quiet=quiet) as desk:
        desk.ledger.end_interrupted(desk.clock.now())
        told = carry_out(desk, at=at, adopt=adopt)
        notes = desk.notes()
    result, timing = told["result"], told["timing"]
    if not quiet:
        talk(notes)
        if as_json:
            render.document("poll", result, timing)
        else:
            show_poll(result, timing)
    return code_of(result)


def code_of(result: Mapping[str, Any]) -> int:
    """What a poll ends with."""
    codes = [exits.OUTCOME_UNKNOWN] if result["totals"]["unconfirmed"] else []
    return exits.worst([*codes, exits.REFUSED] if result["behind"]["count"] else codes)


def _watched(
    settings: "Settings", interval: int, polls: int | None, *, adopt: bool, quiet: bool, as_json: bool
) -> int:
    """Poll until somebody ends it; the code of the last poll."""
    from betteroms import wiring
    from betteroms.domain.errors import BetterOmsError
    from betteroms.wiring import account

    settings = account.unlocked(settings)  # who is asked for a passphrase is asked once, not at each poll
    nudge, code, count = Event(), exits.DONE, 0
    with ExitStack() as stack:
        stack.enter_context(wiring.nudges(settings, nudge))
        say(f"watching: when the venue tells of something, and every {interval} s; Ctrl-C ends it")
        while True:
            nudge.clear()
            try:
                code = _polled(settings, adopt=adopt, wait=interval, at=None, quiet=quiet, as_json=as_json)
            except BetterOmsError as fault:
                code = tell(fault, json_wanted=as_json)
            count += 1
            if polls is not None and count >= polls:
                return code
            if nudge.wait(timeout=interval):
                Event().wait(timeout=HURRY_SECONDS)


def show_poll(result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """Print a poll: what moved, how things stand, and what differs."""
    rows = result["settled"]
    heads = render.columns("order", "side", "~market", ">filled", "became")
    shorts = render.short_ids([row["orderId"] for row in rows])
    shown: list[render.Row] = [
        [
            short,
            row["side"],
            render.market(row["marketId"]),
            render.number(row["filledSize"]),
            render.status(row),
        ]
        for short, row in zip(shorts[:ROWS_MAX], rows, strict=False)
    ]
    hidden = len(rows) - ROWS_MAX
    render.show(
        f"poll · {result['mode']} · {result['status']}",
        "\nOrders that moved\n" if rows else None,
        render.table(heads, shown, indent=2) if rows else None,
        f"  … {hidden:,} more are not shown; --json tells all of them" if hidden > 0 else None,
        render.section("Now", _standing(result["totals"])),
        render.section("Not in our ledger", result["behind"]["shown"]),
        render.section("Reconciliation", reconciliation(result["reconciliation"])),
        render.section("Remarks", result["warnings"]),
        "",
        f"run {timing['runId'][:8]} · {timing['durationMs'] / 1000:.2f} s",
    )


def _standing(totals: Mapping[str, Any]) -> list[str]:
    words = (
        ("fills", "fill booked" if totals["fills"] == 1 else "fills booked"),
        ("reversed", "fill taken back" if totals.get("reversed") == 1 else "fills taken back"),
        ("open", "open"),
        ("unconfirmed", "unconfirmed"),
        ("unsent", "not sent: the same plan again sends them"),
        ("settling", "settling on the chain"),
        ("external", "fills from elsewhere"),
        ("adopted", "adopted"),
    )
    said = [f"{totals[name]:,} {word}" for name, word in words if totals.get(name)]
    return [
        ", ".join(said) or ("nothing is open" if totals["moved"] else "nothing is open, and nothing moved")
    ]


def reconciliation(told: Mapping[str, Any]) -> list[str]:
    """How our books and the venue's compare, in lines."""
    if told["status"] == "failed":
        return [f"not compared: {told['reason']}"]
    cash = told["cash"]
    lines = [
        f"cash: ledger {render.dollars(cash['ledger'])}, venue {render.dollars(cash['venue'])}"
        + (" (differs)" if cash["differs"] else "")
    ]
    differing = [row for row in told["positions"] if row["differs"]]
    lines += [
        f"{render.token(row['tokenId'])}: ledger {row['ledger']}, venue {row['venue']} (differs)"
        for row in differing[:ROWS_MAX]
    ]
    agreeing = len(told["positions"]) - len(differing)
    return [*lines, f"{render.counted(agreeing, 'position')} as the venue has them"]
