"""`orders cancel` and `orders cancel-all`: the operator ends orders."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say, tell
from betteroms.cli.options import Json, command
from betteroms.cli.scheduled import open_desk, wait_option
from betteroms.cli.trade import WAIT_SECONDS

if TYPE_CHECKING:
    from betteroms.domain.ids import OrderId
    from betteroms.domain.terms import Mode
    from betteroms.settings import Settings

Name = Literal["paper", "shadow", "live"]
Wait = Annotated[int, wait_option()]


def add_to(app: typer.Typer) -> None:
    """Declare the two commands beside the others of `orders`."""
    command(
        app,
        "cancel",
        example="betteroms orders cancel 3f2a91bc",
        does="Cancel orders, and tell what had filled before.",
        more="One of which nobody knows yet whether it arrived is left to betteroms poll: exit code 7.",
    )(cancel)
    command(
        app,
        "cancel-all",
        example="betteroms orders cancel-all --mode live",
        does="Cancel every order that is open.",
        more="The venue is asked first, for all orders of the API key: that waits for no other run and works "
        "without the database. Then it is booked.",
    )(cancel_every)


def cancel(
    orders: Annotated[
        list[str],
        typer.Argument(metavar="ORDER…", help="The beginnings of orders' ids: 8 characters or more."),
    ],
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.jobs.lookup import the_order
    from betteroms.settings import load

    settings = load()
    watch = render.Stopwatch(wiring.clock().now())
    by_mode: dict[Mode, list[OrderId]] = {}
    with wiring.records(settings, name="orders cancel") as records:
        for name in orders:
            order = the_order(records, name).order
            by_mode.setdefault(order.mode, []).append(order.order_id)
    told = [_booked(settings, mode, wanted, wait=wait) for mode, wanted in sorted(by_mode.items())]
    if as_json:
        render.document("orders cancel", {"modes": told}, watch.timing())
    else:
        _show(told)
    raise typer.Exit(_code(told))


def cancel_every(
    mode: Annotated[Name | None, typer.Option("--mode", help="Only orders of this mode.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    from betteroms.cli.confirming import asked, is_there
    from betteroms.domain.errors import LiveUnconfirmed

    if not yes:
        which = "every open order" if mode is None else f"every open {mode} order"
        if not is_there():
            raise LiveUnconfirmed(f"nobody is there to confirm that {which} is to be cancelled")
        if not asked(f"This cancels {which}", "cancel"):
            raise LiveUnconfirmed("not confirmed: nothing was cancelled")
    raise typer.Exit(cancel_all(mode, wait=wait, as_json=as_json))


def cancel_all(mode: Name | None, *, wait: int = WAIT_SECONDS, as_json: bool) -> int:
    """Cancel everything of a mode, or of all; the exit code."""
    from betteroms import wiring
    from betteroms.domain.errors import BetterOmsError
    from betteroms.domain.terms import Mode
    from betteroms.settings import load

    settings = load()
    watch = render.Stopwatch(wiring.clock().now())
    modes = list(Mode) if mode is None else [Mode(mode)]
    codes: list[int] = []
    at_venue = None
    try:
        if Mode.LIVE in modes and (mode is not None or settings.api_key is not None):
            at_venue = _at_the_venue(settings)
    except BetterOmsError as fault:
        codes.append(tell(fault, json_wanted=as_json, about="venue"))
    told = []
    for each in modes:
        try:
            told.append(_all_booked(settings, each, wait=wait, asked=mode is not None))
        except BetterOmsError as fault:
            codes.append(tell(fault, json_wanted=as_json, about=each.value))
    done = [each for each in told if each is not None]
    if as_json:
        render.document("orders cancel-all", {"venue": at_venue, "modes": done}, watch.timing())
    else:
        if at_venue is not None:
            say(f"the venue cancelled {render.counted(at_venue['canceled'], 'order')}")
        _show(done)
    return exits.worst([*codes, _code(done)])


def _at_the_venue(settings: "Settings") -> dict[str, Any]:
    """Have the venue end everything of our key: no lock, no database."""
    from betteroms import wiring

    with wiring.membership(settings, notes=[]) as member:
        canceled, refused = member.venue.cancel_all()
    return {"canceled": len(canceled), "orders": list(canceled), "notCanceled": dict(refused)}


def _all_booked(settings: "Settings", mode: "Mode", *, wait: int, asked: bool) -> dict[str, Any] | None:
    """Cancel and book all orders of a mode; None where there are none, and nobody asked for the mode."""
    from betteroms import wiring

    if not asked:
        with wiring.records(settings, name="orders cancel-all") as records:
            if not list(records.alive_orders(mode)):
                return None
    return _booked(settings, mode, None, wait=wait)


def _booked(
    settings: "Settings", mode: "Mode", wanted: "Sequence[OrderId] | None", *, wait: int
) -> dict[str, Any]:
    from betteroms.jobs.cancel import cancel as carry_out

    name = "orders cancel" if wanted is not None else "orders cancel-all"
    with open_desk(settings, name, mode=mode, books=None, wait=wait, quiet=False) as desk:
        result: dict[str, Any] = carry_out(desk, wanted)["result"]
    return result


def _code(told: Sequence[Mapping[str, Any]]) -> int:
    unknown = any(result["totals"]["stillAlive"] for result in told)
    return exits.OUTCOME_UNKNOWN if unknown else exits.DONE


ROWS_MAX: Final = 40


def _show(told: Sequence[Mapping[str, Any]]) -> None:
    if not any(result["orders"] for result in told):
        say("no order was open")
        return
    heads = render.columns("order", "mode", "side", ">filled", ">left", "became")
    rows: list[Any] = []
    for result in told:
        ids = render.short_ids([row["orderId"] for row in result["orders"]])
        for short, row in zip(ids, result["orders"], strict=True):
            code = f": {row['code']}" if row["code"] else ""
            filled, left = (render.number(row["filledSize"]), render.number(row["remaining"]))
            side = f"{row['side']} {row['outcome']}"
            became = f"{render.STATUS_WORDS[row['status']]}{code}"
            rows.append([short, result["mode"], side, filled, left, became])
    hidden = len(rows) - ROWS_MAX
    render.show(
        render.table(heads, rows[:ROWS_MAX]),
        f"… {hidden:,} more; --json has them all" if hidden > 0 else None,
    )
    if _code(told):
        say("hint: betteroms poll finds out what became of those still alive; none of them is sent again")
