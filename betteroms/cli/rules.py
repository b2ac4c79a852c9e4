"""`rules list`, `rules set` and `rules remove`: when positions are left again."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import LIMIT_DEFAULT, Books, Json, Limit, Offset, command, group
from betteroms.cli.progress import Progress
from betteroms.cli.trade import WAIT_SECONDS, WAIT_SECONDS_MAX, talk

if TYPE_CHECKING:
    from betteroms.jobs.desk import Desk
    from betteroms.jobs.rules import Claim

app = group("Exit rules: when positions are left again.")

Market = Annotated[
    str, typer.Argument(metavar="MARKET", help="Slug, condition id, Gamma id, or outcome token id.")
]
Outcome = Annotated[
    str | None,
    typer.Argument(metavar="OUTCOME", help="YES, NO or a label; else the one that is held, or has rules."),
]
Wait = Annotated[
    int,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        max=WAIT_SECONDS_MAX,
        help="How long to wait for another run to finish.",
    ),
]
OPTIONS: Final[Mapping[str, str]] = {
    "stopLossPct": "--stop-loss",
    "stopPrice": "--stop-price",
    "trailingStopPct": "--trailing-stop",
    "takeProfitPct": "--take-profit",
    "takeProfitPrice": "--take-profit-price",
    "maxHoldHours": "--max-hold-hours",
    "exitBeforeCloseSec": "--exit-before-close-sec",
    "coolDownMinutes": "--cool-down-minutes",
    "maxDailyTrades": "--max-daily-trades",
}
"""The keys of a plan, and what they are called here; `set_` has them in this order."""
WORDS: Final[Mapping[str, str]] = {
    "stopLossPct": "stop-loss {}%",
    "stopPrice": "stop at {}",
    "trailingStopPct": "trailing stop {}%",
    "takeProfitPct": "take-profit {}%",
    "takeProfitPrice": "take-profit at {}",
    "maxHoldHours": "hold at most {} h",
    "exitBeforeCloseSec": "exit {} s before the end",
    "coolDownMinutes": "cool-down {} min",
    "maxDailyTrades": "at most {} orders a day",
}


def _rule(name: str, metavar: str, does: str) -> Any:
    return typer.Option(OPTIONS[name], metavar=metavar, help=does, show_default=False)


@command(
    app,
    "list",
    example="betteroms rules list",
    does="List exit rules, and how each set stands.",
    more="betteroms maintain acts on them.",
)
def list_(limit: Limit = LIMIT_DEFAULT, offset: Offset = 0, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import rules
    from betteroms.settings import load

    with wiring.records(load(), name="rules list") as records:
        found = rules.listed(records, Mode.PAPER)[offset : offset + limit + 1]
    rows = found[:limit]
    if as_json:
        render.lines(rows)
        return
    if not rows:
        say("no exit rules")
        return
    for index, row in enumerate(rows):
        told = render.section(_heading(row), _lines(row)) or ""
        render.show(told if index else told.lstrip("\n"))
    render.more(found, limit, offset)


def _heading(row: Mapping[str, Any]) -> str:
    held = f", {render.number(row['size'])} shares" if row["size"] != "0" else ""
    return f"{render.market(row['marketId'])} {row['outcome']}: {row['state']}{held}"


def _lines(row: Mapping[str, Any]) -> list[str]:
    trigger, by = row["trigger"], row["origin"]
    who = f"by order {row['orderId'][:8]}" if row["orderId"] else f"by the {by}"
    seen = [f"high {row['high']}"] if row["high"] else []
    attempts = row["attempts"]
    if attempts:
        seen.append(f"{attempts:,} exit attempt{'s' if attempts != 1 else ''}")
    lines = [_words(row["rules"]), "; ".join([f"set {render.moment(row['setAt'])} {who}", *seen])]
    if trigger is not None:
        lines.append(f"{trigger['cause']} since {render.moment(trigger['at'])}: {trigger['detail']}")
    if row["exitOrderId"]:
        lines.append(f"exit order {row['exitOrderId'][:8]}")
    return lines


def _words(rules: Mapping[str, Any]) -> str:
    return ", ".join(WORDS[name].format(rules[name]) for name in WORDS if name in rules)


@command(
    app,
    "set",
    example="betteroms rules set will-x-happen YES --stop-loss 10 --take-profit 25",
    does="Set the exit rules of one outcome, in the place of those it has.",
    more="They cover all of it that is held. A later order that carries rules replaces them in turn.",
)
def set_(
    market: Market,
    outcome: Outcome = None,
    stop_loss: Annotated[
        str | None, _rule("stopLossPct", "PCT", "Sell so many percent below average cost.")
    ] = None,
    stop_price: Annotated[str | None, _rule("stopPrice", "PRICE", "Sell at this price or below.")] = None,
    trailing_stop: Annotated[
        str | None, _rule("trailingStopPct", "PCT", "Sell so many percent below the best price seen.")
    ] = None,
    take_profit: Annotated[
        str | None, _rule("takeProfitPct", "PCT", "Sell so many percent above average cost.")
    ] = None,
    take_profit_price: Annotated[
        str | None, _rule("takeProfitPrice", "PRICE", "Sell at this price or above.")
    ] = None,
    max_hold_hours: Annotated[
        str | None, _rule("maxHoldHours", "HOURS", "Sell so long after the position was opened.")
    ] = None,
    exit_before_close_sec: Annotated[
        str | None, _rule("exitBeforeCloseSec", "SECONDS", "Sell so long before the market's end.")
    ] = None,
    cool_down_minutes: Annotated[
        str | None, _rule("coolDownMinutes", "MINUTES", "Buy none of it for so long after a stop.")
    ] = None,
    max_daily_trades: Annotated[
        str | None, _rule("maxDailyTrades", "COUNT", "The most orders in this market in one UTC day.")
    ] = None,
    books: Books = None,
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    from betteroms.domain.errors import PlanInvalid
    from betteroms.jobs import rules
    from betteroms.sources.rule_fields import read_rules

    prices = (stop_loss, stop_price, trailing_stop, take_profit, take_profit_price)
    others = (max_hold_hours, exit_before_close_sec, cool_down_minutes, max_daily_trades)
    written = dict(zip(OPTIONS, (*prices, *others), strict=True))
    try:
        wished = read_rules({name: text for name, text in written.items() if text is not None})
    except PlanInvalid as wrong:
        raise typer.BadParameter("\n".join(_by_option(problem) for problem in wrong.problems)) from None
    _change(
        "rules set",
        market,
        outcome,
        change=lambda desk, claim: rules.set_rules(desk, claim, wished),
        ruled=False,
        books=books,
        wait=wait,
        as_json=as_json,
    )


def _by_option(problem: str) -> str:
    """The complaint with the option's name for the plan's key."""
    key, _, rest = problem.partition(":")
    return f"{OPTIONS[key]}:{rest}" if key in OPTIONS else problem


def changed(result: Mapping[str, Any]) -> str:
    """What a change came to, in a line."""
    after = result["after"]
    says = "no exit rules now" if after is None else _words(after["rules"])
    return f"{render.market(result['marketId'])} {result['outcome']}: {says}"


@command(
    app,
    "remove",
    example="betteroms rules remove will-x-happen YES",
    does="Take the exit rules of one outcome away.",
    more="An exit under way goes no further, and a cool-down ends. A resting BUY that carries rules brings "
    "them back with its next fill.",
)
def remove(market: Market, outcome: Outcome = None, wait: Wait = WAIT_SECONDS, as_json: Json = False) -> None:
    from betteroms.jobs import rules

    _change(
        "rules remove",
        market,
        outcome,
        change=rules.remove_rules,
        ruled=True,
        books=None,
        wait=wait,
        as_json=as_json,
    )


def _change(
    name: str,
    market: str,
    outcome: str | None,
    *,
    change: "Callable[[Desk, Claim], dict[str, Any]]",
    ruled: bool,
    books: Path | None,
    wait: int,
    as_json: bool,
) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import NotFound
    from betteroms.domain.terms import Mode
    from betteroms.jobs import rules
    from betteroms.settings import load

    settings = load()
    with wiring.records(settings, name=name) as records:
        claim = rules.known(records, Mode.PAPER, market, outcome, ruled=ruled)
    if claim is None and ruled:
        raise NotFound([f"{market} has no exit rules"])
    with ExitStack() as stack:
        progress = stack.enter_context(Progress())
        desk = stack.enter_context(
            wiring.desk(
                settings, Mode.PAPER, name=name, books=books, lock_wait_seconds=wait, show=progress.show
            )
        )
        told = change(desk, claim or rules.asked(desk.catalog, market, outcome))
        notes = list(desk.notes())
    talk(notes)
    result = told["result"]
    if as_json:
        render.document(name, result, told["timing"])
        return
    render.text(changed(result))
    for warning in result["warnings"]:
        say(f"note: {warning}")
