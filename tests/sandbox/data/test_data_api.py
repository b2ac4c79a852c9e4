"""The Data API: what wallets did and hold, by the chain."""

from typing import Any

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.activity import Activity, ActivityKind
from betteroms.sandbox.model import MICROS, Market, TradeStatus
from betteroms.sandbox.world import World
from tests.sandbox.data.asking import (
    ADA,
    BEN,
    BOOKS,
    NOON_MS,
    answer_to,
    ask,
    go_on,
    market,
    new_world,
    trade,
)

LAKE = "will-lake-constance-freeze-over-before-2036"
MARS = "will-people-land-on-mars-before-2036"
CHESS = "will-reykjavik-host-the-2036-chess-olympiad"
SETTLED_MS = 10_000


@pytest.fixture
def world() -> World:
    """Recorded books, and 1,000 dollars each for Ada and Ben."""
    found = new_world(BOOKS)
    for wallet in (ADA, BEN):
        found.bank.move({(wallet, None): 1_000 * MICROS})
    return found


def bought(world: World, one: Market, price: str = "0.42", size: str = "100", **where: Any) -> None:
    trade(world, ADA, one, Side.BUY, price, size, **where)
    go_on(world, SETTLED_MS)


def positions(world: World, user: str = ADA, **query: Any) -> list[Any]:
    rows: list[Any] = ask(world, "/data-api/v2/positions", user=user, **query)["data"]
    return rows


def split(world: World, one: Market, shares: int) -> None:
    """As the chain carries it out."""
    world.bank.split(ADA, one.condition_id, one.token_ids, shares)
    convert(world, one, ActivityKind.SPLIT, (shares, shares), shares)


def convert(world: World, one: Market, kind: ActivityKind, shares: tuple[int, int], dollars: int) -> None:
    activity = Activity(
        kind=kind,
        owner=ADA,
        market=one,
        shares=shares,
        dollars=dollars,
        at_ms=world.now(),
        transaction_hash="0x" + "5" * 64,
    )
    world.activities.add(activity)


def test_a_position_is_told_with_its_cost_and_its_fees(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake)
    (row,) = positions(world)
    assert row["proxy_wallet"] == ADA
    assert (row["token_id"], row["condition_id"]) == (lake.token_ids[0], lake.condition_id)
    assert (row["current_size"], row["avg_price"], row["entry_cost_usdc"]) == (100.0, 0.42, 42.0)
    assert row["entry_fees_usdc"] == 1.218  # 100 x 0.05 x 0.42 x 0.58
    assert (row["current_price"], row["current_value"], row["unrealized_pnl"]) == (0.41, 41.0, -1.0)
    assert (row["total_pnl"], row["percent_pnl"]) == (-1.0, -2.381)
    assert (row["status"], row["redeemable"], row["mergeable"]) == ("OPEN", False, False)
    assert (row["outcome"], row["opposite_outcome"], row["outcome_index"]) == ("Yes", "No", 0)
    assert (row["opposite_token_id"], row["end_date"]) == (lake.token_ids[1], "2035-12-31")
    assert row["first_entry_at"] == row["last_event_at"] == NOON_MS // 1000


def test_what_is_matched_and_not_mined_is_not_there_yet(world: World) -> None:
    trade(world, ADA, market(world, LAKE), Side.BUY, "0.42", "100")
    assert positions(world) == []
    assert ask(world, "/data-api/v2/trades", user=ADA)["data"] == []
    go_on(world, SETTLED_MS)
    assert len(positions(world)) == len(ask(world, "/data-api/v2/trades", user=ADA)["data"]) == 1


def test_a_trade_that_failed_never_happened(world: World) -> None:
    world.exchange.fail_next()
    bought(world, market(world, LAKE))
    assert world.exchange.trades[0].status is TradeStatus.FAILED
    assert positions(world) == ask(world, "/data-api/v2/activity", user=ADA)["data"] == []


def test_selling_realizes_and_closes(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake)
    trade(world, ADA, lake, Side.SELL, "0.40", "100")
    go_on(world, SETTLED_MS)
    assert positions(world) == []
    (row,) = positions(world, status="CLOSED")
    assert (row["current_size"], row["total_size"], row["total_cost_usdc"]) == (0.0, 100.0, 42.0)
    # 40 dollars less a fee of 1.2, for what cost 42
    assert (row["realized_pnl"], row["unrealized_pnl"], row["status"]) == (-3.2, 0.0, "CLOSED")
    (closed,) = ask(world, "/data-api/closed-positions", user=ADA)
    assert (closed["avgPrice"], closed["totalBought"], closed["realizedPnl"]) == (0.42, 100.0, -3.2)


def test_a_part_sold_takes_its_part_of_the_cost_along(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake, size="90")
    trade(world, ADA, lake, Side.SELL, "0.40", "30")
    go_on(world, SETTLED_MS)
    (row,) = positions(world)
    assert (row["current_size"], row["avg_price"], row["entry_cost_usdc"]) == (60.0, 0.42, 25.2)


def test_split_shares_cost_half_a_dollar_each_and_can_be_merged(world: World) -> None:
    lake = market(world, LAKE)
    split(world, lake, 10 * MICROS)
    rows = positions(world, status="MERGEABLE")
    assert [row["outcome"] for row in sorted(rows, key=lambda row: row["outcome_index"])] == ["Yes", "No"]
    assert {row["avg_price"] for row in rows} == {0.5}
    assert all(row["mergeable"] for row in rows)
    world.bank.merge(ADA, lake.condition_id, lake.token_ids, 10 * MICROS)
    convert(world, lake, ActivityKind.MERGE, (10 * MICROS, 10 * MICROS), 10 * MICROS)
    assert positions(world) == []
    assert {row["realized_pnl"] for row in positions(world, status="CLOSED")} == {0.0}


def test_what_is_won_can_be_redeemed_and_what_is_lost_too(world: World) -> None:
    lake = market(world, LAKE)
    split(world, lake, 10 * MICROS)
    world.exchange.resolve(lake, (0, MICROS), world.now())
    rows = positions(world, status="REDEEMABLE")
    assert {(row["outcome"], row["current_value"]) for row in rows} == {("Yes", 0.0), ("No", 10.0)}
    assert [row["outcome"] for row in positions(world, status="REDEEMABLE_LOST")] == ["Yes"]
    assert positions(world, status="OPEN") == positions(world, status="MERGEABLE") == []
    assert ask(world, "/data-api/v2/value", user=ADA) == {"data": {"proxy_wallet": ADA, "value": 10.0}}
    burned = dict.fromkeys(lake.token_ids, 10 * MICROS)
    world.bank.redeem(ADA, lake.condition_id, burned, 10 * MICROS)
    convert(world, lake, ActivityKind.REDEEM, (10 * MICROS, 10 * MICROS), 10 * MICROS)
    assert {row["realized_pnl"] for row in positions(world, status="CLOSED")} == {5.0, -5.0}
    (redeemed,) = ask(world, "/data-api/v2/activity", user=ADA, type="REDEEM")["data"]
    assert (redeemed["size"], redeemed["usdc_size"], redeemed["price"]) == (10.0, 10.0, 0)
    assert (redeemed["side"], redeemed["token_id"], redeemed["outcome_index"]) == ("", "", 999)


def test_shares_that_came_otherwise_are_held_without_a_cost(world: World) -> None:
    lake = market(world, LAKE)
    world.bank.split(ADA, lake.condition_id, lake.token_ids, 10 * MICROS)
    assert {(row["current_size"], row["entry_cost_usdc"]) for row in positions(world)} == {(10.0, 0.0)}


def test_a_wallet_may_be_spelled_in_any_case(world: World) -> None:
    bought(world, market(world, LAKE))
    assert positions(world, "0x" + "A" * 40) == positions(world)


def test_positions_are_sorted_filtered_and_paged(world: World) -> None:
    for slug, price in ((LAKE, "0.42"), (MARS, "0.30"), (CHESS, "0.124")):
        bought(world, market(world, slug), price, "50")
    assert [row["slug"] for row in positions(world)] == [CHESS, MARS, LAKE]
    assert [row["slug"] for row in positions(world, sort_by="PRICE")] == [LAKE, MARS, CHESS]
    assert [row["slug"] for row in positions(world, sort_by="PRICE", sort_direction="ASC")] == [
        CHESS,
        MARS,
        LAKE,
    ]
    assert [row["slug"] for row in positions(world, title="mars")] == [MARS]
    assert [row["slug"] for row in positions(world, event_id="910003")] == [CHESS]
    assert [row["slug"] for row in positions(world, filter_type="CASH", filter_amount="20")] == [LAKE]
    conditions = ",".join(market(world, slug).condition_id for slug in (LAKE, CHESS))
    assert [row["slug"] for row in positions(world, condition_id=conditions)] == [CHESS, LAKE]
    first = ask(world, "/data-api/v2/positions", user=ADA, limit=2)
    assert first["pagination"]["has_more"]
    rest = ask(world, "/data-api/v2/positions", user=ADA, limit=2, cursor=first["pagination"]["next_cursor"])
    assert [row["slug"] for row in first["data"] + rest["data"]] == [CHESS, MARS, LAKE]
    assert rest["pagination"] == {"has_more": False, "next_cursor": None}


def test_a_condition_alone_tells_everybodys_positions(world: World) -> None:
    mars = market(world, MARS)
    bought(world, mars, "0.30", "50")
    rows = ask(world, "/data-api/v2/positions", condition_id=mars.condition_id[:-2])["data"]
    assert ADA in {row["proxy_wallet"] for row in rows}
    assert len({row["proxy_wallet"] for row in rows}) > 1


def test_makers_are_told_only_when_asked_for(world: World) -> None:
    lake = market(world, LAKE)
    trade(world, BEN, lake, Side.BUY, "0.41", "20")
    world.bank.split(ADA, lake.condition_id, lake.token_ids, 100 * MICROS)
    trade(world, ADA, lake, Side.SELL, "0.40", "30")
    go_on(world, SETTLED_MS)
    assert ask(world, "/data-api/v2/trades", user=BEN)["data"] == []
    (made,) = ask(world, "/data-api/v2/trades", user=BEN, taker_only=False)["data"]
    assert (made["side"], made["size"], made["price"]) == ("BUY", 20.0, 0.41)
    (took,) = ask(world, "/data-api/v2/trades", user=ADA)["data"]
    assert (took["side"], took["size"]) == ("SELL", 30.0)
    assert took["price"] == pytest.approx((20 * 0.41 + 10 * 0.40) / 30)
    assert took["transaction_hash"] == made["transaction_hash"]
    assert len(took["transaction_hash"]) == 66
    everybody = ask(world, "/data-api/v2/trades", condition_id=lake.condition_id, taker_only=False)["data"]
    assert len(everybody) == 3


def test_trades_are_told_newest_first_and_paged_without_gaps(world: World) -> None:
    for _ in range(5):
        bought(world, market(world, LAKE), size="10")
    whole = ask(world, "/data-api/v2/trades", user=ADA)["data"]
    assert [row["timestamp"] for row in whole] == sorted((row["timestamp"] for row in whole), reverse=True)
    seen: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = ask(world, "/data-api/v2/trades", user=ADA, **query)
        seen += page["data"]
        bought(world, market(world, MARS), "0.30", "1")  # news that must not shift the pages
        if not page["pagination"]["has_more"]:
            break
        query["cursor"] = page["pagination"]["next_cursor"]
    assert seen == whole


def test_trades_are_told_from_a_moment_and_of_a_size(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake, size="10")
    middle = world.now() // 1000
    bought(world, lake, size="20")

    def sizes(**query: Any) -> list[float]:
        return [row["size"] for row in ask(world, "/data-api/v2/trades", user=ADA, **query)["data"]]

    assert sizes(start=middle) == [20.0]
    assert sizes(end=middle - 1) == [10.0]
    assert sizes(start=0) == sizes(start=1) == sizes() == [20.0, 10.0]
    assert sizes(filter_amount=5) == [20.0]
    assert sizes(filter_type="TOKENS", filter_amount=11) == [20.0]
    assert sizes(side="SELL") == []


def test_trades_of_long_ago_need_a_start(world: World) -> None:
    bought(world, market(world, LAKE))
    go_on(world, 4 * 365 * 24 * 3600 * 1000)
    assert ask(world, "/data-api/v2/trades", user=ADA)["data"] == []
    assert len(ask(world, "/data-api/v2/trades", user=ADA, start=1)["data"]) == 1


def test_less_than_a_cent_is_told_only_when_asked_for(world: World) -> None:
    chess = market(world, CHESS)
    bought(world, chess, "0.124", "0.05")
    assert ask(world, "/data-api/v2/trades", user=ADA)["data"] == []
    assert len(ask(world, "/data-api/v2/trades", user=ADA, filter_amount=0)["data"]) == 1


def test_activity_is_everything_in_either_direction(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake, size="10")
    split(world, lake, 5 * MICROS)
    newest = ask(world, "/data-api/v2/activity", user=ADA)["data"]
    assert [row["type"] for row in newest] == ["SPLIT", "TRADE"]
    assert (newest[1]["usdc_size"], newest[1]["size"], newest[1]["is_combo"]) == (4.2, 10.0, False)
    oldest = ask(world, "/data-api/v2/activity", user=ADA, sort_direction="ASC")["data"]
    assert oldest == newest[::-1]
    assert [row["type"] for row in ask(world, "/data-api/v2/activity", user=ADA, side="BUY")["data"]] == [
        "TRADE"
    ]
    assert ask(world, "/data-api/v2/activity", user=ADA, type="MERGE,REDEEM")["data"] == []


def test_resolutions_are_told_by_each_name(world: World) -> None:
    lake = market(world, LAKE)
    (before,) = ask(world, "/data-api/v2/resolutions", condition_id=lake.condition_id)["data"]
    assert (before["status"], before["payouts"], before["resolved_at"]) == ("initialized", None, None)
    world.exchange.resolve(lake, (MICROS // 2, MICROS // 2), world.now())
    (after,) = ask(world, "/data-api/v2/resolutions", question_id=lake.question_id)["data"]
    assert (after["status"], after["payouts"], after["price"]) == ("resolved", [500_000, 500_000], 0.5)
    assert after["resolved_at"] == NOON_MS // 1000
    assert ask(world, "/data-api/v2/resolutions", event_id=lake.event_id)["data"] == [after]


def test_tokens_are_told_by_token_and_by_condition(world: World) -> None:
    mars, chess = market(world, MARS), market(world, CHESS)
    tokens = ",".join((mars.token_ids[1], chess.token_ids[0], "1" * 77))
    first, second = ask(world, "/data-api/v2/tokens", token_id=tokens)["data"]
    assert (first["module"], first["outcome"], first["clob_index"]) == ("binary", "No", 1)
    assert (second["module"], second["neg_risk_market_id"]) == ("v1_ctf", chess.group_id)
    both = ask(world, "/data-api/v2/tokens", condition=mars.condition_id[:-2])["data"]
    assert [row["token_id"] for row in both] == list(mars.token_ids)


def test_the_older_answers_are_bare_lists_in_the_older_words(world: World) -> None:
    lake = market(world, LAKE)
    bought(world, lake, size="100")
    (position,) = ask(world, "/data-api/positions", user=ADA)
    assert (position["proxyWallet"], position["asset"]) == (ADA, lake.token_ids[0])
    assert (position["size"], position["avgPrice"], position["initialValue"]) == (100.0, 0.42, 42.0)
    assert (position["cashPnl"], position["percentPnl"], position["curPrice"]) == (-1.0, -2.381, 0.41)
    (one,) = ask(world, "/data-api/trades", user=ADA)
    assert (one["conditionId"], one["outcomeIndex"], one["price"]) == (lake.condition_id, 0, 0.42)
    (activity,) = ask(world, "/data-api/activity", user=ADA)
    assert (activity["type"], activity["usdcSize"]) == ("TRADE", 42.0)
    assert ask(world, "/data-api/value", user=ADA) == [{"user": ADA, "value": 41.0}]
    assert ask(world, "/data-api/trades", user=ADA, offset=1) == []
    assert ask(world, "/data-api/positions", user=ADA, market=lake.condition_id) == [position]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("positions", {}),
        ("positions", {"user": "ada"}),
        ("positions", {"user": ADA, "offset": 0}),
        ("positions", {"user": ADA, "status": "HALF"}),
        ("positions", {"user": ADA, "sort_by": "LUCK"}),
        ("trades", {"offset": 1}),
        ("trades", {"limit": 1001}),
        ("trades", {"cursor": "nonsense"}),
        ("trades", {"user": ADA, "taker_only": "maybe"}),
        ("trades", {"condition_id": "0x1"}),
        ("trades", {"condition_id": "0x" + "1" * 64, "event_id": 1}),
        ("trades", {"filter_amount": "-1"}),
        ("activity", {}),
        ("activity", {"user": ADA, "type": "DANCE"}),
        ("approvals", {}),
        ("value", {}),
        ("resolutions", {}),
        ("tokens", {}),
    ],
)
def test_what_it_does_not_take_is_refused(world: World, path: str, query: dict[str, Any]) -> None:
    answer = answer_to(world, f"/data-api/v2/{path}", **query)
    assert answer.status_code == 400
    assert answer.json()["error"]
