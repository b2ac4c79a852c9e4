"""Plans and recorded books for the command line's tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.simulation.worlds import MORNING_MS, Market

RAIN = Market(slug="will-it-rain-in-bregenz")
SNOW = Market(slug="will-it-snow-in-bregenz", rate=None)
GONE = Market(slug="did-it-hail-in-bregenz", closed=True)


def book(market: Market, outcome: int = 0, *, stamp: int = MORNING_MS) -> dict[str, Any]:
    """The book all tests start from: 0.40 bid for 200, asks at 0.42 and 0.44."""
    bids, asks = [("0.40", "200"), ("0.38", "500")], [("0.42", "300"), ("0.44", "1000")]
    if outcome == 1:
        bids, asks = [("0.58", "300"), ("0.56", "1000")], [("0.60", "200"), ("0.62", "500")]
    return market.book(outcome, bids=bids, asks=asks, stamp=stamp)


def write_books(directory: Path) -> Path:
    """Books and rows of all markets, in the venue's format."""
    directory.mkdir()
    rows = [market.row() for market in (RAIN, SNOW, GONE)]
    (directory / "markets.json").write_text(json.dumps(rows))
    both = [book(market, outcome) for market in (RAIN, SNOW) for outcome in (0, 1)]
    (directory / "books.json").write_text(json.dumps(both))
    return directory


def instruction(market: Market = RAIN, **fields: Any) -> dict[str, Any]:
    """A BUY of YES at 0.43 for at most 100 dollars, unless said otherwise."""
    return {
        "marketId": market.slug,
        "outcome": "YES",
        "side": "BUY",
        "price": 0.43,
        "size": 100,
        **fields,
    }


def write_plan(path: Path, *instructions: Mapping[str, Any], **fields: Any) -> Path:
    """A paper plan called "june", unless said otherwise."""
    plan = {"planId": "june", "mode": "paper", "tradeInstructions": list(instructions), **fields}
    path.write_text(json.dumps(plan))
    return path
