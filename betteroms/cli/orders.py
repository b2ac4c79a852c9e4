"""`orders list`, `orders show` and `explain`: what was ordered, and an order's whole story."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import LIMIT_DEFAULT, Json, Limit, Offset, command, group

app = group("Orders, alive and past.")

OrderArgument = Annotated[
    str, typer.Argument(metavar="ORDER", help="The beginning of an order's id: 8 characters or more.")
]


class Status(StrEnum):
    """How an order can stand, in the words of `render.STATUS_WORDS`."""

    PENDING = "pending"
    UNCONFIRMED = "unconfirmed"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DENIED = "denied"
    REJECTED = "rejected"


def add_to(app: typer.Typer) -> None:
    """Declare the verb that is typed every day."""
    command(
        app,
        "explain",
        example="betteroms explain 3f2a91bc",
        does="Tell an order's whole story on one page.",
        more="What was asked, what was rounded, the book it saw, why it was allowed or refused, and "
        "everything that happened to it since.",
    )(explain)


@command(
    app,
    "list",
    example="betteroms orders list --status open --plan june-dip",
    does="List orders, those of the latest run first.",
)
def list_(
    status: Annotated[
        list[Status] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            case_sensitive=False,
            help=f"Only orders that stand so: {', '.join(Status)}. May be given several times.",
        ),
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="PLANID", help="Only orders of this plan.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TOKEN", help="Only this outcome token; its beginning is enough."),
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.order import OrderStatus
    from betteroms.jobs import told
    from betteroms.settings import load

    ours = {word: OrderStatus(name) for name, word in render.STATUS_WORDS.items()}
    with wiring.records(load(), name="orders list") as records:
        found = records.orders(
            statuses=[ours[word] for word in status or ()],
            plan_id=plan,
            token_prefix=token,
            limit=limit + 1,
            offset=offset,
        )
    rows = [told.order(record) for record in found[:limit]]
    if as_json:
        render.lines(rows)
        return
    if not rows:
        say("no orders")
        return
    wide = render.console().width >= render.WIDE
    average = [">average"] if wide else []
    heads = render.columns("order", "placed", "~side", ">limit", ">size", ">filled", *average, "status")
    render.show(render.table(heads, _under_markets(rows, wide)))
    render.more(found, limit, offset)


def _under_markets(rows: Sequence[Mapping[str, Any]], wide: bool) -> list[render.Row | render.Heading]:
    """The rows, with the market as a heading wherever it changes."""
    shown: list[render.Row | render.Heading] = []
    market = None
    for row in rows:
        if row["marketId"] != market:
            market = row["marketId"]
            shown.append(render.Heading(render.market(market)))
        shown.append(_row(row, wide))
    return shown


def _row(row: Mapping[str, Any], wide: bool) -> list[Any]:
    placed = render.moment(row["placedAt"] or row["createdAt"], seconds=wide)
    return [
        row["shortId"],
        placed if wide else placed[5:],
        f"{row['side']} {row['outcome']}",
        render.number(row["limitPrice"]),
        render.size(row),
        render.number(row["filledSize"]),
        *([render.average(row["averagePrice"])] if wide else []),
        render.status(row).append(f", {row['code']}" if row["source"] == "external" else ""),
    ]


@command(
    app,
    "show",
    example="betteroms orders show 3f2a91bc",
    does="Show one order as it stands, with its fills.",
    more="betteroms explain tells how it came to be so.",
)
def show(order: OrderArgument, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs import told
    from betteroms.jobs.lookup import the_order
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    with wiring.records(load(), name="orders show") as records:
        record = the_order(records, order)
        executions = [told.execution(fill) for fill in records.executions(record.order.order_id)]
    row = {**told.order(record), "executions": executions}
    if as_json:
        render.document("orders show", row, watch.timing())
        return
    from betteroms.cli.story import facts, fills

    render.show(*facts(row), *fills(executions))


def explain(order: OrderArgument, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs.explain import explain as tell_story
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    with wiring.records(load(), name="explain") as records:
        story = tell_story(records, order, wiring.Payloads())
    if as_json:
        render.document("explain", story, watch.timing())
        return
    from betteroms.cli.story import show_story

    show_story(story)
