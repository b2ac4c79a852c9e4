"""A world of resting orders: many markets, a plan that rests in all of them, and books that then cross half.

The same bytes every time.
"""

import json
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.worlds import condition_id, token_id

MARKETS: Final = 500
ORDERS: Final = 10_000
ORDER_SHARES: Final = 17
LOWEST_TICKS: Final = 3_000
"""The lowest limit, in ticks of 0.0001; each of a market's orders is ten ticks above the one before."""
STEP_TICKS: Final = 10
FAR_TICKS: Final = 5_000


def write_world(directory: Path) -> tuple[Path, Path, Path]:
    """Write the plan, the books it rests in, and the books that cross half of it; their paths."""
    per_market = ORDERS // MARKETS
    crossing = LOWEST_TICKS + STEP_TICKS * (per_market // 2)
    before, after = directory / "before", directory / "after"
    for place, best, stamp in ((before, FAR_TICKS, 1_795_177_000_000), (after, crossing, 1_795_178_000_000)):
        place.mkdir(parents=True)
        (place / "markets.json").write_text(json.dumps([_market(number) for number in range(MARKETS)]))
        books = [_book(number, best, stamp) for number in range(MARKETS)]
        (place / "books.json").write_text(json.dumps(books))
    instructions = [
        {
            "marketId": f"resting-market-{line % MARKETS}",
            "outcome": "YES",
            "side": "BUY",
            "price": f"0.{LOWEST_TICKS + STEP_TICKS * (line // MARKETS):04d}",
            "size": ORDER_SHARES,
            "sizeUnit": "SHARES",
            "ref": f"line-{line}",
        }
        for line in range(ORDERS)
    ]
    plan = {"planId": "resting", "mode": "paper", "tradeInstructions": instructions}
    path = directory / "plan.json"
    path.write_text(json.dumps(plan))
    return path, before, after


def _market(number: int) -> dict[str, Any]:
    return {
        "id": str(910_000 + number),
        "question": f"Resting question {number}?",
        "conditionId": condition_id(number),
        "slug": f"resting-market-{number}",
        "endDate": "2036-01-01T00:00:00Z",
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


def _book(number: int, best_ask: int, stamp: int) -> dict[str, Any]:
    # Deep enough for every order that crosses: 30 levels of 1,000 shares each side of the spread.
    asks = [{"price": f"0.{best_ask + step:04d}", "size": "1000"} for step in reversed(range(30))]
    bids = [{"price": f"0.{2_900 - step:04d}", "size": "1000"} for step in range(30, 0, -1)]
    return {
        "market": condition_id(number),
        "asset_id": token_id(number, 0),
        "timestamp": str(stamp),
        "bids": bids,
        "asks": asks,
        "min_order_size": "5",
        "tick_size": "0.0001",
        "neg_risk": False,
        "last_trade_price": "0.4",
    }
