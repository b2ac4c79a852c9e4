"""`trade --approved` when markets and books moved on: what may differ, and what is refused."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from tests.cli.approving import FILE, RESTS, Bench, Cli, a_market_order, bench
from tests.cli.test_preview import requoted
from tests.cli.worlds import GONE, RAIN, SNOW, book, instruction, write_plan
from tests.venue_server import VenueServer

__all__ = ["bench"]


def test_a_cap_that_was_tightened_is_told_where_it_refuses(bench: Bench) -> None:
    bench.save(instruction())
    [problem] = bench.refused(BETTEROMS_MAX_ORDER_NOTIONAL_USD="50")
    assert problem == (
        "tradeInstructions[0]: was to be placed, is refused "
        "(NOTIONAL_EXCEEDS_LIMIT: notional=99.9965 max=50.00)"
    )
    assert bench.apply(BETTEROMS_MAX_ORDER_NOTIONAL_USD="100").code == 0


def rows_changed(bench: Bench, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the venue say something else about markets, by slug."""
    rows = [{**market.row(), **changes.get(market.slug, {})} for market in (RAIN, SNOW, GONE)]
    (bench.books / "markets.json").write_text(json.dumps(rows))


def test_a_market_that_closed_is_told(bench: Bench) -> None:
    bench.save(instruction(), instruction(SNOW))
    rows_changed(bench, {RAIN.slug: {"closed": True, "acceptingOrders": False}})
    [problem] = bench.refused()
    assert problem.startswith("tradeInstructions[0]: was to be placed, is refused (MARKET_CLOSED: ")


def test_what_was_refused_is_not_placed_now_that_it_could_be(bench: Bench) -> None:
    bench.save(instruction(), instruction(side="SELL", price=0.5, size=10), instruction(GONE), code=5)
    told = json.loads((bench.books / "books.json").read_text())
    (bench.books / "books.json").write_text(json.dumps([*told, book(GONE)]))
    rows_changed(bench, {GONE.slug: {"closed": False, "acceptingOrders": True}})
    [problem] = bench.refused()
    assert problem.startswith("tradeInstructions[2]: was refused (MARKET_CLOSED: market=did-it-hail")
    assert problem.endswith("), is to be placed")


def test_a_refusal_with_other_numbers_is_no_difference(bench: Bench) -> None:
    bench.save(instruction(SNOW), instruction(side="SELL", price=0.5, size=1000), code=5)
    requoted(bench.books, bids=RESTS, asks=[("0.60", "10")])
    assert bench.apply().code == 5


def test_an_order_that_would_be_sized_differently_is_told(bench: Bench) -> None:
    bench.save(instruction(price=0.425))
    told = json.loads((bench.books / "books.json").read_text())
    for each in told:
        each["tick_size"] = "0.001"
    (bench.books / "books.json").write_text(json.dumps(told))
    assert bench.refused() == [
        "tradeInstructions[0]: size was 238.09 shares, is 235.29 shares",
        "tradeInstructions[0]: limit was 0.42, is 0.425",
    ]


def test_a_name_that_means_another_token_now_is_told(bench: Bench) -> None:
    bench.save(instruction())
    rows_changed(bench, {RAIN.slug: {"clobTokenIds": json.dumps([RAIN.token_id(1), RAIN.token_id(0)])}})
    assert f"tradeInstructions[0]: token was {RAIN.token_id(0)}, is {RAIN.token_id(1)}" in bench.refused()


def test_within_its_limit_a_price_may_move(bench: Bench) -> None:
    bench.save(instruction())
    requoted(bench.books, bids=RESTS, asks=[("0.43", "1000")])
    [told] = bench.apply().document["result"]["instructions"]
    assert (told["limitPrice"], told["size"], told["executions"][0]["price"]) == ("0.43", "232.55", "0.43")


@pytest.mark.parametrize(("asks", "now"), [([("0.44", "1000")], "0.44"), ([], "none")], ids=["away", "gone"])
def test_a_price_that_moved_past_the_limit_is_told(
    asks: list[tuple[str, str]], now: str, bench: Bench
) -> None:
    bench.save(instruction())
    requoted(bench.books, bids=RESTS, asks=asks)
    assert bench.refused() == [f"tradeInstructions[0]: best ask was 0.42, is {now}: past the limit 0.43"]


def test_a_sale_whose_price_moved_past_the_limit_is_told(bench: Bench) -> None:
    bench.trade(instruction())
    bench.save(instruction(side="SELL", price=0.39, size=100))
    requoted(bench.books, bids=[("0.38", "500")], asks=[("0.42", "300")])
    assert bench.refused() == ["tradeInstructions[0]: best bid was 0.4, is 0.38: past the limit 0.39"]


def test_an_order_that_was_to_rest_may_do_so_or_be_filled(bench: Bench) -> None:
    bench.save(instruction(price=0.41))
    requoted(bench.books, bids=RESTS, asks=[("0.41", "1000")])
    [told] = bench.apply().document["result"]["instructions"]
    assert (told["status"], told["limitPrice"]) == ("FILLED", "0.41")


def test_an_order_that_would_have_been_filled_and_now_finds_nothing_is_told(bench: Bench) -> None:
    bench.save(instruction(timeInForce="FOK"))
    requoted(bench.books, bids=RESTS, asks=[("0.42", "10")])
    assert bench.refused() == [
        "tradeInstructions[0]: 238.095238 shares would have been filled at once, none are now"
    ]


@pytest.mark.parametrize("best", ["0.41", "0.43", "0.44"])
def test_the_approved_worst_price_of_a_market_order_stands(best: str, bench: Bench) -> None:
    bench.save(a_market_order(size=20))
    requoted(bench.books, bids=RESTS, asks=[(best, "1000")])
    [told] = bench.apply().document["result"]["instructions"]
    assert (told["limitPrice"], told["dollars"], told["status"]) == ("0.44", "20", "FILLED")
    assert told["executions"][0]["price"] == best


def test_a_market_order_whose_best_price_is_past_the_approved_one_is_told(bench: Bench) -> None:
    bench.save(a_market_order(size=20))
    requoted(bench.books, bids=RESTS, asks=[("0.45", "1000")])
    assert bench.refused() == ["tradeInstructions[0]: best ask was 0.42, is 0.45: past the limit 0.44"]


def test_the_approved_worst_price_of_a_market_sale_stands(bench: Bench) -> None:
    bench.trade(instruction())
    bench.save(a_market_order("SELL", size=100))
    requoted(bench.books, bids=[("0.39", "500")], asks=[("0.42", "300")])
    [told] = bench.apply().document["result"]["instructions"]
    assert (told["limitPrice"], told["filledSize"]) == ("0.38", "100")


def test_a_market_sale_whose_best_price_is_past_the_approved_one_is_told(bench: Bench) -> None:
    bench.trade(instruction())
    bench.save(a_market_order("SELL", size=100))
    requoted(bench.books, bids=[("0.37", "500")], asks=[("0.42", "300")])
    assert bench.refused() == ["tradeInstructions[0]: best bid was 0.4, is 0.37: past the limit 0.38"]


def test_an_applied_run_is_recomputed_with_the_price_that_was_approved(bench: Bench, cli: Cli) -> None:
    bench.save(a_market_order(size=20))
    requoted(bench.books, bids=RESTS, asks=[("0.43", "1000")])
    assert bench.apply().code == 0
    assert cli("runs", "replay", "june").code == 0


def test_the_books_that_were_compared_are_the_ones_that_are_traded_on(
    bench: Bench, cli: Cli, sql: psycopg.Connection[Any]
) -> None:
    plan = write_plan(bench.directory / "plan.json", instruction())
    with VenueServer(books=[book(RAIN)], markets=[RAIN.row()]) as venue:
        there = {"BETTEROMS_CLOB_URL": venue.url, "BETTEROMS_GAMMA_URL": venue.url}
        assert cli("preview", str(plan), "--save", FILE, **there).code == 0
        venue.asked.clear()
        assert cli("trade", "--approved", FILE, **there).code == 0
        assert [asked.path for asked in venue.asked].count("/books") == 1
        assert len(venue.asked) == 2
    assert sql.execute(
        "SELECT kind, count(*) FROM book_snapshots GROUP BY kind ORDER BY kind"
    ).fetchall() == [
        ("book", 1),
        ("market", 1),
        ("plan", 1),
    ]
