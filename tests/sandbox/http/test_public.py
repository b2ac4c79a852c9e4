"""What anybody may ask: books that prove themselves, prices, markets."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha1
from typing import Any

import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.http.cursors import page
from betteroms.sandbox.model import Refused
from tests.sandbox.http.conftest import Front
from tests.sandbox.http.member import Member
from tests.sandbox.http.shape import shape
from tests.sandbox.stage import FEES, GROUPED, MARKETS, PLAIN
from tests.vectors import shape as sample

YES, NO = PLAIN.token_ids
UNKNOWN = "123456789"


def test_the_time_is_a_whole_number_of_seconds(front: Front) -> None:
    assert front.ask("GET", "/time").text == "1795177659"
    front.later(2)
    assert front.get("/time") == 1795177661


@pytest.mark.parametrize(("path", "told"), [("/", "OK"), ("/ok", "OK"), ("/version", {"version": 2})])
def test_it_says_that_it_is_there(front: Front, path: str, told: Any) -> None:
    assert front.get(path) == told


def test_a_book_has_its_best_prices_last_and_everything_as_text(front: Front) -> None:
    told = front.get("/book", token_id=YES)
    assert shape(told) == shape(sample("book"))
    assert [level["price"] for level in told["bids"]] == ["0.38", "0.4"]
    assert [level["price"] for level in told["asks"]] == ["0.46", "0.45"]
    assert (told["min_order_size"], told["tick_size"], told["last_trade_price"]) == ("5", "0.01", "")


def test_a_book_proves_itself_by_its_hash(front: Front, member: Member) -> None:
    front.post(member, member.order(PLAIN, Side.BUY, "0.45", "12.5"))
    for token in (YES, NO):
        told = front.get("/book", token_id=token)
        bare = json.dumps({**told, "hash": ""}, separators=(",", ":"))
        assert told["hash"] == sha1(bare.encode(), usedforsecurity=False).hexdigest()


def test_the_other_outcomes_book_is_the_mirror(front: Front) -> None:
    first, second = front.get("/book", token_id=YES), front.get("/book", token_id=NO)

    def mirrored(levels: list[dict[str, str]]) -> list[tuple[int, str]]:
        return [(1_000_000 - to_micros(level["price"]), level["size"]) for level in levels]

    def plain(levels: list[dict[str, str]]) -> list[tuple[int, str]]:
        return [(to_micros(level["price"]), level["size"]) for level in levels]

    assert plain(second["bids"]) == mirrored(first["asks"])
    assert plain(second["asks"]) == mirrored(first["bids"])


def test_several_books_come_in_the_order_they_were_asked_for(front: Front) -> None:
    asked = [{"token_id": NO}, {"token_id": UNKNOWN}, {"token_id": YES}]
    told = front.ask("POST", "/books", None, asked).json()
    assert told == [front.get("/book", token_id=NO), front.get("/book", token_id=YES)]


@pytest.mark.parametrize("path", ["/books", "/prices", "/midpoints", "/spreads", "/last-trades-prices"])
def test_no_more_than_five_hundred_at_once(front: Front, path: str) -> None:
    asked = [{"token_id": YES, "side": "BUY"}] * 501
    assert front.ask("POST", path, None, asked).status_code == 400
    assert front.ask("POST", path, None, asked[1:]).status_code == 200
    wrong: Any
    for wrong in ({}, [1], b"["):
        assert front.ask("POST", path, None, wrong).status_code == 400


def test_prices_are_what_one_would_pay_or_get(front: Front) -> None:
    assert front.get("/price", token_id=YES, side="BUY") == {"price": "0.45"}
    assert front.get("/price", token_id=YES, side="SELL") == {"price": "0.4"}
    assert front.get("/price", token_id=NO, side="BUY") == {"price": "0.6"}
    assert front.ask("GET", "/price", token_id=YES, side="HOLD").status_code == 400
    asked = [{"token_id": YES, "side": "BUY"}, {"token_id": YES, "side": "SELL"}]
    expected = {YES: {"BUY": "0.45", "SELL": "0.4"}}
    assert front.ask("POST", "/prices", None, asked).json() == expected
    assert front.get("/prices", token_ids=f"{YES},{YES}", sides="BUY,SELL") == expected


def test_middle_and_spread(front: Front) -> None:
    assert front.get("/midpoint", token_id=YES) == {"mid": "0.425"}
    assert front.get("/spread", token_id=NO) == {"spread": "0.05"}
    asked = [{"token_id": YES}, {"token_id": NO}, {"token_id": UNKNOWN}]
    assert front.ask("POST", "/midpoints", None, asked).json() == {YES: "0.425", NO: "0.575"}
    assert front.ask("POST", "/spreads", None, asked).json() == {YES: "0.05", NO: "0.05"}


def test_an_empty_side_counts_as_its_end(front: Front) -> None:
    """So did the venue answer 0.0005 for a book with asks alone (QUIRKS 3)."""
    exchange, now_ms = front.world.exchange, front.world.now()
    for order in exchange.open_orders():
        if order.market.condition_id == PLAIN.condition_id and order.side is Side.BUY:
            exchange.cancel(order, now_ms)
    assert front.get("/book", token_id=YES)["bids"] == []
    assert front.get("/midpoint", token_id=YES) == {"mid": "0.225"}
    assert front.get("/midpoint", token_id=NO) == {"mid": "0.775"}
    assert front.get("/price", token_id=YES, side="SELL") == {"price": "0"}


def test_the_last_trade_has_no_side_before_the_first(front: Front, member: Member) -> None:
    assert front.get("/last-trade-price", token_id=YES) == {"price": "0.5", "side": ""}
    asked = [{"token_id": YES}, {"token_id": FEES.token_ids[0]}]
    assert front.ask("POST", "/last-trades-prices", None, asked).json() == []
    front.post(member, member.order(PLAIN, Side.BUY, "0.45", "10"))
    assert front.get("/last-trade-price", token_id=YES) == {"price": "0.450", "side": "BUY"}
    (row,) = front.ask("POST", "/last-trades-prices", None, asked).json()
    assert row == {"token_id": YES, "price": "0.450", "side": "BUY"}


def test_what_was_paid_is_kept_by_the_minute(front: Front, member: Member) -> None:
    began_s = front.clock.now_ms() // 1000
    for price, outcome in (("0.45", 0), ("0.46", 0), ("0.60", 1)):
        front.post(member, member.order(PLAIN, Side.BUY, price, "150", outcome=outcome, kind="FAK"))
        front.later(60)
    told = front.get("/prices-history", market=YES, interval="1h", fidelity=1)
    assert told == {
        "history": [
            {"t": began_s, "p": 0.45},
            {"t": began_s + 60, "p": 0.46},
            {"t": began_s + 120, "p": 0.4},
        ]
    }
    assert front.get("/prices-history", market=NO, interval="1h")["history"][-1]["p"] == 0.6
    between: Any = {"startTs": began_s + 1, "endTs": began_s + 60}
    assert [point["t"] for point in front.get("/prices-history", market=YES, **between)["history"]] == [
        began_s + 60
    ]
    assert front.ask("GET", "/prices-history", market=YES, interval="2h").status_code == 400


def test_a_market_in_short_names_tells_its_fee(front: Front) -> None:
    told = front.get(f"/clob-markets/{FEES.condition_id}")
    assert shape(told) == shape(sample("clob_market_info"))
    assert (told["mts"], told["mos"], told["fd"]) == (0.01, 5, {"r": 0.04, "e": 1, "to": True})
    assert "fd" not in front.get(f"/clob-markets/{PLAIN.condition_id}")


def test_a_market_is_told_whole(front: Front) -> None:
    told = front.get(f"/markets/{GROUPED.condition_id}")
    assert told["neg_risk"] is True
    assert told["neg_risk_market_id"] == GROUPED.group_id
    assert told["tokens"][0] == {
        "token_id": GROUPED.token_ids[0],
        "outcome": "Yes",
        "price": 0.425,
        "winner": False,
    }
    assert (told["minimum_tick_size"], told["minimum_order_size"]) == (0.01, 5)


def test_a_resolved_market_names_its_winner(front: Front) -> None:
    market = front.world.exchange.markets[PLAIN.condition_id]
    front.world.exchange.resolve(market, (0, 1_000_000), front.world.now())
    told = front.get(f"/markets/{PLAIN.condition_id}")
    assert [token["winner"] for token in told["tokens"]] == [False, True]
    assert [token["price"] for token in told["tokens"]] == [0, 1]
    assert told["closed"] is True
    assert told["accepting_orders"] is False


def test_a_resolved_market_has_no_book_any_more_but_a_past(front: Front, member: Member) -> None:
    front.post(member, member.order(PLAIN, Side.BUY, "0.45", "10"))
    market = front.world.exchange.markets[PLAIN.condition_id]
    front.world.exchange.resolve(market, (1_000_000, 0), front.world.now())
    for path in ("/book", "/midpoint", "/tick-size"):
        assert front.ask("GET", path, token_id=YES).status_code == 404
    assert front.ask("POST", "/books", None, [{"token_id": YES}]).json() == []
    assert front.ask("POST", "/midpoints", None, [{"token_id": YES}]).json() == {}
    assert len(front.get("/prices-history", market=YES, interval="max")["history"]) == 1


def test_markets_come_in_pages_of_the_recorded_form(front: Front) -> None:
    told = front.get("/markets")
    assert list(told) == ["data", "next_cursor", "limit", "count"]
    assert [row["condition_id"] for row in told["data"]] == [market.condition_id for market in MARKETS]
    assert told["next_cursor"] == "LTE="
    assert list(front.get("/simplified-markets")["data"][0]) == [
        "condition_id",
        "rewards",
        "tokens",
        "active",
        "closed",
        "archived",
        "accepting_orders",
    ]


def test_only_rewarded_markets_are_sampled(front: Front) -> None:
    assert front.get("/sampling-markets")["data"] == []
    market = front.world.exchange.markets[FEES.condition_id]
    market.row = {
        "clobRewards": [{"assetAddress": "0x01", "rewardsDailyRate": 5}],
        "rewardsMinSize": 20,
        "rewardsMaxSpread": 3.5,
    }
    for path in ("/sampling-markets", "/sampling-simplified-markets"):
        (row,) = front.get(path)["data"]
        assert row["condition_id"] == FEES.condition_id
        assert row["rewards"] == {
            "rates": [{"asset_address": "0x01", "rewards_daily_rate": 5}],
            "min_size": 20,
            "max_spread": 3.5,
        }


def test_a_token_leads_to_its_market(front: Front) -> None:
    assert front.get(f"/markets-by-token/{NO}") == {
        "condition_id": PLAIN.condition_id,
        "primary_token_id": YES,
        "secondary_token_id": NO,
    }


def test_small_answers(front: Front) -> None:
    assert front.get("/tick-size", token_id=YES) == {"minimum_tick_size": 0.01}
    assert front.get("/neg-risk", token_id=GROUPED.token_ids[0]) == {"neg_risk": True}
    assert front.get("/fee-rate", token_id=YES) == {"base_fee": 0}
    assert front.get(f"/fees/builder-fees/0x{'01' * 32}") == {
        "builder_maker_fee_rate_bps": 0,
        "builder_taker_fee_rate_bps": 0,
    }
    assert front.get("/api/geoblock")["blocked"] is False


@pytest.mark.parametrize(
    "path", ["/book", "/midpoint", "/spread", "/last-trade-price", "/tick-size", "/neg-risk", "/fee-rate"]
)
def test_a_token_that_nobody_trades_has_no_book(front: Front, path: str) -> None:
    query: Any
    for query in ({"token_id": UNKNOWN}, {}):
        told = front.ask("GET", path, **query)
        assert (told.status_code, told.json()["error"]) == (
            404,
            "No orderbook exists for the requested token id",
        )


@pytest.mark.parametrize("path", ["/markets/0x12", "/clob-markets/0x12", f"/markets-by-token/{UNKNOWN}"])
def test_a_market_that_is_not_there_is_not_found(front: Front, path: str) -> None:
    told = front.ask("GET", path)
    assert (told.status_code, told.json()) == (404, {"error": "market not found"})


def test_a_path_that_is_not_there_is_not_found_in_json(front: Front) -> None:
    assert front.ask("GET", "/nothing").json() == {"error": "Not Found"}
    assert front.ask("PUT", "/order").status_code == 405


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_cover_a_list_once(count: int, limit: int) -> None:
    cursor, found = "MA==", []
    for _ in range(count + 1):
        told = page(range(count), cursor, limit, lambda row: row)
        found += told["data"]
        cursor = told["next_cursor"]
        if cursor == "LTE=":
            break
    assert found == list(range(count))


def test_a_cursor_below_the_list_is_refused() -> None:
    with pytest.raises(Refused):
        page(range(3), b64encode(b"-5").decode(), 2, lambda row: row)
    assert page(range(3), b64encode(b"7").decode(), 2, lambda row: row)["data"] == []


def test_a_condition_id_may_be_told_without_its_last_byte(front: Front) -> None:
    short = "0x" + "ab" * 31
    market = replace(PLAIN, condition_id=short + "00", token_ids=("771", "772"))
    front.world.exchange.add_market(market, front.world.now())
    assert front.get(f"/clob-markets/{short}")["c"] == short + "00"
