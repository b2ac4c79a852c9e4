"""What people read of live orders: how they left, how they settle, and which were placed elsewhere."""

from collections.abc import Callable

import pytest

from betteroms.domain.order import Order
from betteroms.domain.terms import Mode
from tests.cli.conftest import Ran
from tests.contracts.builders import NOON, a_run, begin, finish, order_of
from tests.contracts.postgres_installation import PostgresInstallation
from tests.postgres.test_sent import lived

Cli = Callable[..., Ran]


@pytest.fixture
def order(cli: Cli, database_url: str) -> Order:
    """A live ledger: an order that ended, with a ghost among its fills; one alive, one placed elsewhere."""
    at = PostgresInstallation(database_url)
    ended = lived(at)
    poll = begin(at.ledger, a_run(None, mode=Mode.LIVE, kind="poll", at=NOON.replace(hour=20)))
    finish(at.ledger, poll)
    shadow = begin(at.ledger, a_run("rehearsed", mode=Mode.SHADOW, at=NOON.replace(hour=21)))
    at.ledger.record([order_of(shadow)], [], sends_out=False)
    finish(at.ledger, shadow)
    at.close()
    return ended


def named(cli: Cli, external: str) -> str:
    """Our id of the order that the venue knows by this name."""
    [found] = [row for row in cli("orders", "list", "--json").rows if row["externalOrderId"] == external]
    return str(found["orderId"])


def test_an_order_that_was_placed_elsewhere_is_labelled_in_lists(cli: Cli, order: Order) -> None:
    [row] = [row for row in cli("orders", "list", "--json").rows if row["source"] == "external"]
    assert (row["externalOrderId"], row["planId"], row["code"]) == ("0xe1", None, "EXTERNAL")
    lines = cli("orders", "list").out.splitlines()
    assert [line.split()[0] for line in lines if "EXTERNAL" in line] == [row["shortId"]]


def test_its_story_says_that_nobody_here_asked_for_it(cli: Cli, order: Order) -> None:
    story = cli("explain", named(cli, "0xe1"), "--json").document["result"]
    assert (story["asWritten"], story["verdict"]["allowed"]) == (None, None)
    told = cli("explain", named(cli, "0xe1")).out
    assert "filled, EXTERNAL: the venue told of its fills; it was not placed from here" in told
    assert "nothing: it was placed elsewhere, and the venue told of it" in told
    assert "it was not placed from here, so nobody here judged it" in told


def test_a_live_orders_story_tells_how_it_left_and_how_its_fills_settled(cli: Cli, order: Order) -> None:
    story = cli("explain", order.order_id, "--json").document["result"]
    assert story["order"]["externalOrderId"] == order.external_order_id
    assert [fill["settlement"] for fill in story["executions"]] == [
        {"state": "CONFIRMED", "transaction": "0xCONFIRMED"},
        {"state": "FAILED", "transaction": "0xFAILED"},
        {"state": "MINED", "transaction": "0xMINED"},
        None,
    ]
    assert [event["event"] for event in story["events"]][:3] == [
        "order_recorded",
        "order_placed",
        "order_filled",
    ]
    told = cli("explain", order.order_id).out
    assert "reversed -10 @ 0.5" in told
    assert "given back with the fill that failed" in told
    assert "2  failed, transaction 0xFAILED" in told


def test_signed_bytes_are_told_by_no_command(cli: Cli, order: Order, database_url: str) -> None:
    at = PostgresInstallation(database_url)
    [alive] = [found for found in at.reader.orders() if found.signed is not None]
    at.close()
    assert alive.signed is not None
    commands = [
        ("orders", "list"),
        ("orders", "show", alive.order_id),
        ("explain", alive.order_id),
        ("runs", "list"),
        ("positions", "verify"),
        ("report", "--mode", "live", "--period", "all"),
    ]
    said = [cli(*words, *form) for words in commands for form in ((), ("--json",))]
    said.append(cli("runs", "show", alive.run_id, "--json"))
    assert [ran.err for ran in said if ran.code] == []
    assert not any(alive.signed.reveal() in ran.out + ran.err for ran in said)


def test_positions_that_were_traded_elsewhere_are_flagged(cli: Cli, order: Order, database_url: str) -> None:
    from betteroms import wiring
    from betteroms.jobs import positions
    from betteroms.settings import load

    with wiring.records(load(), name="test") as records:
        told = positions.report(records, Mode.LIVE, now=NOON, by=positions.MarkBy.BID, with_lots=True)
    [row] = told["positions"]
    assert row["flags"] == ["NO_BID", "EXTERNAL"]
    assert [(lot["planId"], lot["size"]) for lot in row["lots"]] == [("plan-1", "20"), (None, "5")]


def test_live_and_shadow_runs_and_polls_are_listed_and_reported(cli: Cli, order: Order) -> None:
    rows = cli("runs", "list", "--json").rows
    assert [(row["kind"], row["mode"]) for row in rows] == [
        ("trade", "shadow"),
        ("poll", "live"),
        ("maintain", "live"),
        ("trade", "live"),
        ("trade", "live"),
    ]
    poll = rows[1]["runId"]
    assert cli("runs", "show", poll).code == 0
    replayed = cli("runs", "replay", poll, "--json").document["result"]
    assert (replayed["outcome"], replayed["kind"]) == ("nothing", "poll")
    asked = ("--period", "all", "--by", "strategy", "--json")
    live = cli("report", "--mode", "live", *asked).document["result"]
    groups = {group["group"]: group for group in live["groups"]}
    assert {name: group["executions"] for name, group in groups.items()} == {"plan": 4, "external": 1}
    shadow = cli("report", "--mode", "shadow", *asked).document["result"]
    assert (shadow["totals"]["orders"], shadow["totals"]["executions"]) == (1, 0)


def test_verify_counts_live_rows_and_agrees(cli: Cli, order: Order) -> None:
    ran = cli("positions", "verify")
    assert (ran.code, ran.out) == (0, "5 executions, 1 position, 4 orders: all agree\n")
