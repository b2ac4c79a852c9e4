"""What chance does to an operator: plans, a market that moves, every fault of the venue, and its measure."""

from random import Random
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.life.acting import rest
from betteroms.sandbox.model import MICROS, OrderStatus, Refused
from betteroms.sandbox.world import World
from tests.simulation.live_world import FEES, FEW, FINE, MANY, PLAIN, POSITION, Instruction, wish

SOMEBODY: Final = "somebody"
POSTS: Final = ("POST /order", "POST /orders")
SLUGS: Final = (PLAIN, FEES, MANY, FEW, POSITION, FINE)
TIMES: Final = ("GTC", "GTC", "GTC", "GTC", "GTD", "FAK", "FAK", "FOK")
CENT: Final = MICROS // 100
LATE_MS: Final = 40_000
BLIND_MS: Final = 60_000
"""So long at most does a venue not show what it has: less than we wait before we conclude anything."""
RESTART: Final = {"down_ms": 30_000, "post_only_ms": 20_000}

_AT_POSTS: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "lost_answer"},
    {"fault": "lost_answer"},
    {"fault": "cut_before"},
    {"fault": "truncated", "how": "closed"},
    {"fault": "truncated", "how": "honest"},
    {"fault": "restarting"},
    {"fault": "rate_limited"},
    {"fault": "error_500", "effect": True},
    {"fault": "error_500", "effect": False},
    {"fault": "order_timed_out"},
    {"fault": "error_502", "effect": True},
    {"fault": "error_502", "effect": False},
    {"fault": "answer", "status": 200, "body": "<html>busy</html>", "effect": True},
    {"fault": "answer", "status": 403, "body": "<html>blocked</html>"},
    {"fault": "post_only"},
    {"fault": "cancel_only"},
    {"fault": "halted"},
    {"fault": "unmatched", "effect": True},
    {"fault": "unmatched", "effect": False},
    {"fault": "delayed", "delay_s": 3},
    {"fault": "late_landing", "after_ms": LATE_MS, "answer": "cut"},
    {"fault": "late_landing", "after_ms": LATE_MS, "answer": "hang"},
    {"fault": "restart", **RESTART},
)
_AT_CANCELS: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "lost_answer"},
    {"fault": "cut_before"},
    {"fault": "truncated"},
    {"fault": "error_502", "effect": True},
    {"fault": "restarting"},
)
_AT_READS: Final[tuple[dict[str, Any], ...]] = (
    {"on": "GET /data/order/*", "fault": "forgetful", "says": "404"},
    {"on": "GET /data/order/*", "fault": "forgetful", "says": "null"},
    {"on": "GET /data/order/*", "fault": "forgetful", "says": "empty"},
    {"on": "GET /data/order/*", "fault": "forgetful", "of": "all", "for_ms": BLIND_MS},
    {"on": "GET /data/orders", "fault": "forgetful", "of": "all", "for_ms": BLIND_MS},
    {"on": "GET /data/trades", "fault": "forgetful", "of": "all", "for_ms": BLIND_MS},
    {"on": "GET /data/trades", "fault": "forgetful", "of": "all", "times": 1},
    {"on": "GET /data/trades", "fault": "forgetful", "of": "all", "times": 1},
    {"on": "GET /balance-allowance", "fault": "lagging"},
    {"on": "GET /data-api/**", "fault": "lagging"},
    {"on": "GET /data/**", "fault": "lost_answer"},
    {"on": "GET /data/**", "fault": "error_502"},
    {"on": "GET /data/**", "fault": "rate_limited"},
    {"on": "GET /**", "fault": "truncated"},
    {"on": "GET /**", "fault": "error_500"},
    {"on": "GET /**", "fault": "restart", **RESTART},
)
_BLIND: Final[tuple[dict[str, Any], ...]] = tuple(
    {"on": f"GET /data/{what}", "fault": "forgetful", "of": "all", "for_ms": BLIND_MS, "times": 20}
    for what in ("order/*", "orders", "trades")
)
"""All three places where an order is looked up: what arrives late is shown only after we sent it again."""
_AT_TRADES: Final[tuple[dict[str, Any], ...]] = (
    {"fault": "failed"},
    {"fault": "failed", "attempts": 2},
    {"fault": "retrying", "attempts": 2},
)


def script(chance: Random) -> dict[str, Any]:
    """A script of faults: each strikes a few times, so that the end is quiet."""
    rules = [
        {"on": chance.choice(POSTS), **chance.choice(_AT_POSTS)}
        for _ in range(chance.choice((0, 1, 1, 2, 3)))
    ]
    rules += [{"on": "DELETE /orders", **chance.choice(_AT_CANCELS)} for _ in range(chance.choice((0, 0, 1)))]
    rules += [dict(chance.choice(_AT_READS)) for _ in range(chance.choice((0, 1, 1, 2)))]
    rules += [{"on": "TRADE", **chance.choice(_AT_TRADES)} for _ in range(chance.choice((0, 0, 1)))]
    if chance.random() < 0.25:
        rules += [*map(dict, _BLIND), {"on": "POST /orders", "fault": "late_landing", "answer": "cut"}]
    for rule in rules:
        rule["probability"] = chance.choice((0.3, 0.6, 1))
        rule.setdefault("times", chance.choice((1, 1, 2, 6)))
    return {"seed": chance.randrange(1 << 30), "rules": rules}


def instructions(chance: Random, count: int) -> list[Instruction]:
    """What somebody may wish for: some of it is refused, by us or by the venue."""
    return [_instruction(chance) for _ in range(count)]


def _instruction(chance: Random) -> Instruction:
    time = chance.choice(TIMES)
    side = chance.choice(("BUY", "BUY", "SELL"))
    more: dict[str, Any] = {"outcome": chance.choice(("Yes", "Yes", "No")), "timeInForce": time}
    if time == "GTD":
        more["cancelAfterSec"] = chance.choice((130, 600, 86_400))
    elif time == "GTC":
        more |= chance.choice(({}, {}, {"postOnly": True}, {"cancelAfterSec": chance.choice((60, 600))}))
    if side == "BUY" and time in ("FAK", "FOK"):
        more["sizeUnit"] = "USDC"
    price: str | None = f"0.{chance.randrange(30, 62):02}"
    if side == "BUY" and chance.random() < 0.1:
        price, more = None, {"outcome": more["outcome"], "sizeUnit": "USDC", "type": "MARKET"}
    return wish(chance.choice(SLUGS), side, price, str(chance.randrange(5, 60)), **more)


def move(world: World, chance: Random) -> None:
    """Somebody trades: takes what is there, or offers something; or the venue ends an order, anybody's."""
    market = chance.choice(list(world.exchange.markets.values()))
    if chance.random() < 0.1:
        alive = [order for order in world.exchange.orders.values() if order.status is OrderStatus.LIVE]
        world.exchange.cancel(chance.choice(alive), world.now(), reason="")
        return
    side = chance.choice((Side.BUY, Side.SELL))
    try:
        rest(
            world,
            market,
            by=SOMEBODY,
            outcome=chance.randrange(2),
            side=side,
            price=CENT * chance.randrange(35, 60),
            size=MICROS * chance.randrange(5, 80),
            time_in_force=chance.choice((TimeInForce.GTC, TimeInForce.FAK)),
        )
    except Refused:
        return  # nothing there to take
