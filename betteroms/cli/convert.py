"""`convert`: dollars to shares and back."""

from typing import Annotated

import typer

from betteroms.cli import render
from betteroms.cli.options import Json, command


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "convert",
        example="betteroms convert 500 USDC @ 0.42",
        does="Convert dollars to shares at a price, or shares to dollars.",
        more="Rounded as the venue rounds an order: shares to 0.01, a cost up, proceeds down. Fees apart.",
    )(convert)


def convert(
    words: Annotated[
        list[str], typer.Argument(metavar="AMOUNT USDC|SHARES @ PRICE", help="Such as 500 USDC @ 0.42.")
    ],
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.jobs.convert import convert as converted

    watch = render.Stopwatch(wiring.clock().now())
    told = converted(words)
    if as_json:
        render.document("convert", told, watch.timing())
        return
    shares, cost = render.number(told["shares"]), render.dollars(told["cost"])
    if told["unspent"] is None:
        proceeds = render.dollars(told["proceeds"])
        render.text(f"{shares} shares at {told['price']}: a BUY costs {cost}, a SELL brings {proceeds}")
        return
    unspent = render.dollars(told["unspent"])
    given = render.dollars(told["given"]["amount"])
    render.text(f"{given} at {told['price']}: {shares} shares, which cost {cost}; {unspent} stay unspent")
