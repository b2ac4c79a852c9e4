"""Plans and books of a given size, written as the venue would answer; the same bytes every time."""

import json
from pathlib import Path

MARKETS = 100
LEVEL_SHARES = 10
ORDER_SHARES = 17
TICKS_FROM = 4_000
"""The best ask, in ticks of 0.0001."""


def condition_id(number: int) -> str:
    return f"0x{number + 1:064x}"


def token_id(number: int, outcome: int) -> str:
    return str((number + 1) * 10**70 + outcome * 10**60 + 7)


def write_world(
    directory: Path, *, instructions: int, markets: int = MARKETS, first: int = 0
) -> tuple[Path, Path]:
    """Write `plan.json` and `books/`; their paths. `first` is the number of the first market.

    Every order takes from about 2.7 levels, so that `instructions` orders make at least 2.5 times as many
    executions; no two instructions are alike.
    """
    books = directory / "books"
    books.mkdir(parents=True)
    per_market = -(-instructions // markets)
    levels = per_market * (ORDER_SHARES + 1) // LEVEL_SHARES + 5
    numbers = range(first, first + markets)
    rows = [_market(number) for number in numbers]
    (books / "markets.json").write_text(json.dumps(rows))
    (books / "books.json").write_text(json.dumps([_book(number, levels) for number in numbers]))
    plan = {
        "planId": f"bench-{instructions}",
        "mode": "paper",
        "tradeInstructions": [_instruction(line, numbers[line % markets]) for line in range(instructions)],
    }
    path = directory / "plan.json"
    path.write_text(json.dumps(plan))
    return path, books


def _instruction(line: int, market: int) -> dict[str, object]:
    return {
        "marketId": f"bench-market-{market}",
        "outcome": "YES",
        "side": "BUY",
        "price": 0.9,
        "size": ORDER_SHARES + (line // MARKETS % 100) / 100,
        "sizeUnit": "SHARES",
        "ref": f"line-{line}",
    }


def _market(number: int) -> dict[str, object]:
    return {
        "id": str(900_000 + number),
        "question": f"Benchmark question {number}?",
        "conditionId": condition_id(number),
        "slug": f"bench-market-{number}",
        "endDate": "2030-01-01T00:00:00Z",
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": json.dumps([token_id(number, 0), token_id(number, 1)]),
        "active": True,
        "closed": False,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "orderPriceMinTickSize": 0.0001,
        "orderMinSize": 5,
        "negRisk": False,
        "feesEnabled": True,
        "feeSchedule": {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.25},
    }


def _book(number: int, levels: int) -> dict[str, object]:
    asks = [
        {"price": f"0.{TICKS_FROM + step:04d}", "size": str(LEVEL_SHARES)} for step in reversed(range(levels))
    ]
    bids = [{"price": f"0.{TICKS_FROM - step:04d}", "size": str(LEVEL_SHARES)} for step in range(50, 0, -1)]
    return {
        "market": condition_id(number),
        "asset_id": token_id(number, 0),
        "timestamp": "1795177659210",
        "bids": bids,
        "asks": asks,
        "min_order_size": "5",
        "tick_size": "0.0001",
        "neg_risk": False,
        "last_trade_price": "0.4",
    }
