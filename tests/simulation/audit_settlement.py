"""The auditor's look at what is not final at the venue: settlements, and bytes that could be sent."""

from collections.abc import Iterator

from tests.simulation.audit_tables import Tables

ALIVE = ("NEW", "UNCONFIRMED", "OPEN")
TAKEN_BACK = ":reversed"
"""What the name of a fill ends in where it takes another back."""


def check_settlements(tables: Tables) -> Iterator[str]:
    """Each fill that the venue named has come as far as was told, and only what failed was taken back."""
    stored = {(row["order_id"], row["external_execution_id"]): row["state"] for row in tables.chain}
    told: dict[tuple[str, str], str] = {}
    undone: dict[tuple[str, str], int] = {}
    sizes: dict[tuple[str, str], int] = {}
    for fill in tables.executions:
        name = fill["external_execution_id"]
        if name is None:
            continue
        if fill["size"] < 0:
            undone[fill["order_id"], name.removesuffix(TAKEN_BACK)] = fill["size"]
        else:
            told[fill["order_id"], name] = "MATCHED"
            sizes[fill["order_id"], name] = fill["size"]
    for event in tables.audit:
        if event["event_type"] == "order_progressed":
            named = event["entity_id"], event["event_data"]["execution"]
            if named not in told:
                yield f"event {event['sequence']}: {named[1]} settles and is not booked"
            told[named] = event["event_data"]["state"]
    for named in sorted(stored.keys() | told.keys()):
        if stored.get(named) != told.get(named):
            yield f"fill {named[1]}: is {stored.get(named)}, its events say {told.get(named)}"
        if (told.get(named) == "FAILED") != (named in undone):
            yield f"fill {named[1]}: is {told.get(named)}, taken back: {named in undone}"
        elif named in undone and undone[named] != -sizes[named]:
            yield f"fill {named[1]}: {sizes[named]} shares were bought or sold, {undone[named]} taken back"


def check_signed(tables: Tables) -> Iterator[str]:
    """What could be sent is kept as long as its order is alive, and not a moment longer."""
    kept = {row["order_id"] for row in tables.signed}
    for order in tables.orders:
        sendable = order["mode"] == "live" and order["status"] in ALIVE
        if sendable != (order["order_id"] in kept):
            yield f"order {order['order_id']}: is {order['status']}, its bytes kept: {not sendable}"
