"""`risk show` and `risk reset`: the caps, how much of them is used, and the drawdown switch."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import Json, command, group
from betteroms.cli.progress import Progress
from betteroms.cli.trade import WAIT_SECONDS, WAIT_SECONDS_MAX

if TYPE_CHECKING:
    from betteroms.jobs.risk import Configured
    from betteroms.settings import Settings

app = group("The caps on trading: how much of them is used, and the drawdown switch.")

ROWS_MAX: Final = 10
SHARES: Final = frozenset({"maxSpread"})
COUNTS: Final = frozenset({"maxOrdersPerRun", "maxOpenPositions"})
NO_CAP: Final = "no cap"
NEEDS_YES: Final = "nobody can be asked here; --yes says that the switch is to be reset"


@command(
    app,
    "show",
    example="betteroms risk show --plan plans/june.json",
    does="Show every cap, where it comes from, and how much of it is used.",
    more="With --plan also that plan's limits; the tighter one holds. Positions count at the prices they "
    "were last seen at.",
)
def show(
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="PLAN.json", readable=False, help="With this plan's limits, too."),
    ] = None,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import risk
    from betteroms.settings import load
    from betteroms.sources.plan import load_plan, plan_limits

    settings, now = load(), wiring.clock().now()
    watch = render.Stopwatch(now)
    # A plan in another mode is shown all the same: its limits are what is asked for.
    planned = None if plan is None else plan_limits(load_plan(plan))
    with wiring.records(settings, name="risk show") as records:
        told = risk.shown(records, Mode.PAPER, now=now, configured=_configured(settings), planned=planned)
    if as_json:
        render.document("risk show", told, watch.timing())
        return
    heads = render.columns("limit", ">cap", ">used", "from")
    render.show(
        render.table(heads, [_row(limit) for limit in told["limits"]]),
        render.section("Account", _account(told)),
        render.section("Markets, by what they cost", _amounts(told["markets"], "notional")),
        render.section("Events, by what may be lost at worst", _amounts(told["events"], "worstCase")),
        render.section("Remarks", _remarks(told)),
    )


def _configured(settings: "Settings") -> "Configured":
    from betteroms.domain.risk.limits import CAPS
    from betteroms.jobs.risk import Configured
    from betteroms.settings import VARIABLES, places

    variables = {spec.attribute: name for name, spec in VARIABLES.items() if spec.attribute in CAPS}
    said = places()
    return Configured(
        limits=settings.limits(),
        variables=variables,
        places={cap: said.get(name, "default") for cap, name in variables.items()},
    )


def _row(limit: Mapping[str, Any]) -> list[str]:
    name, value, used = limit["name"], limit["value"], limit["used"]
    return [name, NO_CAP if value is None else _amount(name, value), _used(name, used), limit["from"] or ""]


def _used(name: str, used: str | None) -> str:
    return "" if used is None else _amount(name, used)


def _amount(name: str, value: str) -> str:
    if name == "maxBookAgeSeconds":
        return f"{render.number(value)} s"
    return render.number(value) if name in COUNTS | SHARES else render.dollars(value)


def _account(told: Mapping[str, Any]) -> list[str]:
    account = told["account"]
    return [
        f"gained or lost since the beginning {render.dollars(account['equity'])}",
        f"at the day's start {render.dollars(account['dayStart'])}, {_since_then(account['dayLoss'])}",
        f"at the peak {render.dollars(account['peak'])}, below it {render.dollars(account['drawdown'])}",
    ]


def _since_then(loss: str) -> str:
    """A loss below zero is a gain, and people say so."""
    word = "gained" if loss.startswith("-") else "lost"
    return f"{word} since then {render.dollars(loss.removeprefix('-'))}"


def _amounts(rows: Sequence[Mapping[str, str]], what: str) -> list[str]:
    told = [f"{render.dollars(row[what])}  {render.market(row['name'])}" for row in rows[:ROWS_MAX]]
    hidden = len(rows) - ROWS_MAX
    return [*told, f"… and {hidden:,} more; --json names them all"] if hidden > 0 else told


def _remarks(told: Mapping[str, Any]) -> list[str]:
    switch = told["switch"]
    found = [
        f"COOL_DOWN: {_cooling(row)} is not bought until {render.moment(row['until'])}"
        for row in told["coolDowns"]
    ]
    if switch["tripped"]:
        found.append(
            f"DRAWDOWN_TRIPPED: since {render.moment(switch['since'])}, {switch['detail']}; "
            "nothing is opened until betteroms risk reset"
        )
    elif switch["reached"]:
        found.append(f"DRAWDOWN_TRIPPED: {switch['detail']}; the next run writes it down")
    elif switch["resetAt"]:
        found.append(f"the drawdown switch was reset {render.moment(switch['resetAt'])}")
    return found


def _cooling(row: Mapping[str, str | None]) -> str:
    if row["marketId"] is None:
        return render.token(str(row["tokenId"]))
    return f"{render.market(row['marketId'])} {row['outcome']}"


@command(
    app,
    "reset",
    example="betteroms risk reset --yes",
    does="Reset the drawdown switch, so that positions may be opened again.",
    more="From then on drawdown is measured from what the account is worth at that moment.",
)
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        int,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            min=0,
            max=WAIT_SECONDS_MAX,
            help="How long to wait for another run to finish.",
        ),
    ] = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import risk
    from betteroms.settings import load

    settings = load()
    watch = render.Stopwatch(wiring.clock().now())
    if not yes:
        _ask(settings)
    with ExitStack() as stack:
        progress = stack.enter_context(Progress())
        desk = stack.enter_context(
            wiring.desk(settings, Mode.PAPER, name="risk reset", lock_wait_seconds=wait, show=progress.show)
        )
        result = risk.put_back(desk)
    if as_json:
        render.document("risk reset", result, watch.timing())
    else:
        render.text(was_reset(result))


def was_reset(result: Mapping[str, Any]) -> str:
    """What a reset came to, in a line."""
    if result["reset"]:
        return f"reset: drawdown is measured from {render.dollars(result['equity'])} on"
    return "nothing to reset: the drawdown switch has not tripped"


def _ask(settings: "Settings") -> None:
    """Have a person say yes, where there is one and something has tripped.

    Raises:
        BadParameter: there is nobody to ask.
        Exit: the answer is no.
    """
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import risk

    now = wiring.clock().now()
    with wiring.records(settings, name="risk reset") as records:
        told = risk.shown(records, Mode.PAPER, now=now, configured=_configured(settings), planned=None)
    switch = told["switch"]
    if not (switch["tripped"] or switch["reached"]):
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise typer.BadParameter(NEEDS_YES)
    say(f"tripped: {switch['detail']}")
    if not typer.confirm("open positions again?", err=True):
        say("nothing was reset")
        raise typer.Exit
