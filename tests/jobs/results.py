"""Summaries of runs, of the shape that jobs.summary gives them."""

from typing import Any


def order(number: int = 0, status: str = "FILLED", **fields: Any) -> dict[str, Any]:
    """A BUY of 100 shares at 0.41, filled unless said otherwise."""
    filled = status == "FILLED"
    execution = {"price": "0.41", "size": "100", "fee": "1.2", "liquidity": "TAKER"}
    return {
        "line": number,
        "marketId": "will-x-happen",
        "outcome": "Yes",
        "side": "BUY",
        "orderId": f"{number:08x}-0000-5000-8000-000000000000",
        "status": status,
        "code": None,
        "reason": None,
        "limitPrice": "0.42",
        "size": "100",
        "dollars": None,
        "filledSize": "100" if filled else "0",
        "executions": [execution] if filled else [],
        **fields,
    }


def denied(number: int = 0, code: str = "BELOW_MINIMUM_SIZE", reason: str = "size=1 min=5") -> dict[str, Any]:
    """An order that was refused."""
    return order(number, "DENIED", code=code, reason=reason)


def result(*orders: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a run of these orders came to."""
    statuses = [each["status"] for each in orders]
    refused = [each["code"] for each in orders if each["status"] == "DENIED"]
    return {
        "planId": "june",
        "mode": "paper",
        "status": "completed",
        "instructions": list(orders),
        "settled": [],
        "totals": {
            "placed": len(orders) - len(refused),
            "filled": statuses.count("FILLED"),
            "partlyFilled": 0,
            "resting": statuses.count("OPEN"),
            "canceled": 0,
            "rejected": 0,
            "denied": len(refused),
            "notional": str(41 * statuses.count("FILLED")),
            "fees": "1.2",
            "slippage": "0",
        },
        "refused": {code: refused.count(code) for code in sorted(set(refused))},
        "markets": [],
        "books": [],
        "warnings": [],
        **fields,
    }
