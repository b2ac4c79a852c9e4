"""What a plan comes to, worked out the slow and obvious way: exact fractions, plain dicts, no shortcuts.

It shares not a line with the product, so that agreement proves something. Prices, sizes and dollars are
fractions of whole units. The account is not looked at: cash and shares are taken to be plentiful.

    market  {"tick", "minimum", "rate", "exponent", "closed"}
    books   {(market, outcome): {"stamp", "bids": [(price, size)], "asks": [(price, size)]}}, in any order
    state   what one run leaves for the next; start with `nothing()`
"""

from fractions import Fraction
from math import ceil, floor
from typing import Any

MICRO = Fraction(1, 10**6)
LOT = CENT = Fraction(1, 100)
FEE_STEP = Fraction(1, 10**5)
DUST = 2 * MICRO
DOLLAR = Fraction(1)
Levels = list[tuple[Fraction, Fraction]]
Result = dict[str, Any]


def nothing() -> dict[str, Any]:
    """The state before the first run."""
    return {"resting": [], "memory": {}}


def down(value: Fraction, step: Fraction) -> Fraction:
    return floor(value / step) * step


def up(value: Fraction, step: Fraction) -> Fraction:
    return ceil(value / step) * step


def run(
    state: dict[str, Any],
    markets: dict[str, Any],
    books: dict[tuple[str, int], Any],
    plan: list[dict[str, Any]],
    *,
    now: int,
    fraction: Fraction,
    slippage_ticks: int,
) -> tuple[list[Result], list[Result]]:
    """Let resting orders meet the books, then carry the instructions out; `now` in seconds since 1970.

    Returns what became of each instruction, and of each order that rested before, in their order.
    """
    for name in markets:
        remember(state["memory"], name, books)
    world = {"markets": markets, "books": books, "memory": state["memory"], "fraction": fraction}
    rested = list(state["resting"])
    for order in rested:
        order["fills"] = []
    settle(world, rested, now)
    results: list[Result] = []
    seen: list[tuple[Any, ...]] = []
    ours = [order for order in rested if order["status"] == "OPEN"]
    for line, instruction in enumerate(plan):
        order = shaped(instruction, markets, books)
        if "code" not in order:
            twin = likeness(order, instruction)
            if twin in seen:
                order = refused("DUPLICATE_INSTRUCTION")
            elif any(meet(order, other) for other in ours):
                order = refused("SELF_CROSS")
            else:
                seen.append(twin)
                # It is judged before anything is carried out: whatever could rest counts for the others.
                if order["tif"] in ("GTC", "GTD"):
                    ours.append(order)
                order["line"], order["placed"] = line, now
                place(world, order, slippage_ticks)
        results.append(order)
    state["resting"] = [order for order in rested + results if order["status"] == "OPEN"]
    for memory in state["memory"].values():
        memory["taken"] = {price: size for price, size in memory["taken"].items() if size > 0}
        if not memory["taken"]:
            memory["stamp"] = 0
    return results, rested


# Liquidity: one level of the market is one level, whichever outcome's book shows it.


def seen_from_first(price: Fraction, outcome: int) -> Fraction:
    return price if outcome == 0 else 1 - price


def remember(memories: dict[str, Any], name: str, books: dict[tuple[str, int], Any]) -> None:
    memory = memories.setdefault(name, {"stamp": 0, "taken": {}})
    mine = [
        (book["stamp"], book["token"], outcome, book) for (of, outcome), book in books.items() if of == name
    ]
    for stamp, _, outcome, book in sorted(mine, key=lambda row: row[:2]):
        if stamp <= memory["stamp"]:
            continue
        memory["stamp"] = stamp
        shown = {seen_from_first(price, outcome): size for price, size in book["bids"] + book["asks"]}
        for price in list(memory["taken"]):
            memory["taken"][price] = min(memory["taken"][price], shown.get(price, Fraction(0)))


def crossing(world: dict[str, Any], order: dict[str, Any]) -> Levels:
    """What the order may take: level price and shares that are left for us, best first."""
    book = world["books"][order["market"], order["outcome"]]
    taken = world["memory"][order["market"]]["taken"]
    if order["side"] == "BUY":
        levels = sorted(level for level in book["asks"] if level[0] <= order["limit"])
    else:
        levels = sorted((level for level in book["bids"] if level[0] >= order["limit"]), reverse=True)
    left = []
    for price, size in levels:
        ours = down(size * world["fraction"], MICRO) - taken.get(seen_from_first(price, order["outcome"]), 0)
        if ours > 0:
            left.append((price, ours))
    return left


def take(world: dict[str, Any], order: dict[str, Any], price: Fraction, size: Fraction) -> None:
    taken = world["memory"][order["market"]]["taken"]
    level = seen_from_first(price, order["outcome"])
    taken[level] = taken.get(level, Fraction(0)) + size


# Fills.


def book_fill(
    world: dict[str, Any], order: dict[str, Any], price: Fraction, size: Fraction, liquidity: str
) -> None:
    market = world["markets"][order["market"]]
    value = price * size
    cash = -up(value, MICRO) if order["side"] == "BUY" else down(value, MICRO)
    fee = Fraction(0)
    if liquidity == "TAKER" and market["rate"] > 0:
        fee = down(size * market["rate"] * (price * (1 - price)) ** market["exponent"], FEE_STEP)
        fee = max(fee, FEE_STEP)
    fill = {"price": price, "size": size, "cash": cash, "fee": fee, "liquidity": liquidity}
    order["fills"].append(fill)
    order["filled"] += size


def place(world: dict[str, Any], order: dict[str, Any], slippage_ticks: int) -> None:
    book = world["books"][order["market"], order["outcome"]]
    order["fills"], order["filled"], order["code"] = [], Fraction(0), None
    buying = order["side"] == "BUY"
    facing = [price for price, _ in book["asks" if buying else "bids"]]
    would_take = any(price <= order["limit"] if buying else price >= order["limit"] for price in facing)
    if order["post_only"] and would_take:
        order["status"], order["code"] = "REJECTED", "POST_ONLY_WOULD_CROSS"
        return
    slippage = slippage_ticks * world["markets"][order["market"]]["tick"]
    wanted, pieces = order["amount"], []
    for level, ours in crossing(world, order):
        price = min(level + slippage, order["limit"]) if buying else max(level - slippage, order["limit"])
        size = min(ours, down(wanted / price, MICRO) if order["dollars"] else wanted)
        if size == 0:
            break
        pieces.append((level, price, size))
        wanted -= up(price * size, MICRO) if order["dollars"] else size
    complete = bool(pieces) and (wanted <= DUST * len(pieces) if order["dollars"] else wanted == 0)
    if order["tif"] == "FOK" and not complete:
        order["status"], order["code"] = "CANCELED", "FOK_NOT_FILLED"
        return
    for level, price, size in pieces:
        book_fill(world, order, price, size, "TAKER")
        take(world, order, level, size)
    if complete:
        order["status"] = "FILLED"
    elif order["tif"] == "FAK":
        order["status"], order["code"] = "CANCELED", "FAK_REMAINDER" if pieces else "FAK_NO_MATCH"
    else:
        order["status"] = "OPEN"


def settle(world: dict[str, Any], rested: list[dict[str, Any]], now: int) -> None:
    for order in rested:
        if order["expires"] is not None and order["placed"] + order["expires"] <= now:
            order["status"] = "EXPIRED" if order["tif"] == "GTD" else "CANCELED"
            order["code"] = None if order["tif"] == "GTD" else "CANCEL_AFTER"
    for order in sorted(rested, key=rank):
        book = world["books"].get((order["market"], order["outcome"]))
        if order["status"] != "OPEN" or book is None or crossed(book):
            continue
        if world["markets"][order["market"]]["closed"]:
            continue
        if order["expires"] is not None and book["stamp"] >= 1000 * (order["placed"] + order["expires"]):
            continue
        wanted, total = order["amount"] - order["filled"], Fraction(0)
        for level, ours in crossing(world, order):
            size = min(ours, wanted - total)
            if size == 0:
                break
            take(world, order, level, size)
            total += size
        if total:
            book_fill(world, order, order["limit"], total, "MAKER")
        if order["filled"] == order["amount"]:
            order["status"] = "FILLED"


def rank(order: dict[str, Any]) -> tuple[Any, ...]:
    """Who is served first: the better price for the other side, then the older order, then the line.

    To buy one outcome at p and to sell the other at 1 - p is to bid the same price for the same thing.
    """
    bids = order["limit"] if order["side"] == "BUY" else 1 - order["limit"]
    return (-bids, order["placed"], order["line"])


def meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two orders would trade: of the first outcome one bids, and the other asks no more."""
    if one["market"] != other["market"]:
        return False
    prices = [seen_from_first(order["limit"], order["outcome"]) for order in (one, other)]
    bids = [(order["side"] == "BUY") == (order["outcome"] == 0) for order in (one, other)]
    if bids[0] == bids[1]:
        return False
    return prices[0] >= prices[1] if bids[0] else prices[1] >= prices[0]


def crossed(book: dict[str, Any]) -> bool:
    bids, asks = [price for price, _ in book["bids"]], [price for price, _ in book["asks"]]
    return bool(bids and asks) and max(bids) > min(asks)


# From an instruction to an order, or a refusal.


def shaped(
    instruction: dict[str, Any], markets: dict[str, Any], books: dict[tuple[str, int], Any]
) -> dict[str, Any]:
    name, outcome = instruction["marketId"], 0 if instruction["outcome"] == "YES" else 1
    market, book = markets[name], books.get((name, outcome))
    if market["closed"]:
        return refused("MARKET_CLOSED")
    if book is None:
        return refused("NO_BOOK")
    if crossed(book):
        return refused("BOOK_CROSSED")
    buying = instruction["side"] == "BUY"
    tif = instruction.get("timeInForce", "GTC" if "price" in instruction else "FAK")
    best_bid = max((price for price, _ in book["bids"]), default=None)
    best_ask = min((price for price, _ in book["asks"]), default=None)
    limit = limit_of(instruction, market["tick"], best_bid=best_bid, best_ask=best_ask)
    if limit is None:
        return refused("NO_LIQUIDITY")
    if not 0 < limit < 1:
        return refused("PRICE_OFF_RANGE")
    size = Fraction(instruction["size"])
    in_dollars = instruction["sizeUnit"] == "USDC"
    at_once = tif in ("FOK", "FAK")
    if buying and at_once and not in_dollars:
        size = down(size, LOT) * limit
        if size != down(size, CENT):
            return refused("AMOUNT_PRECISION")
    elif buying and at_once:
        size = down(size, CENT)
    else:
        size = down(size / limit if in_dollars else size, LOT)
    dollars = buying and at_once
    if not dollars and size < max(market["minimum"], LOT):
        return refused("BELOW_MINIMUM_SIZE")
    takes = at_once or (best_ask is not None and best_ask <= limit)
    if buying and takes and not instruction.get("postOnly"):
        spent = size if dollars else up(size * limit, MICRO)
        if spent < DOLLAR:
            return refused("BELOW_MINIMUM_NOTIONAL")
    guard = instruction.get("priceCeil" if buying else "priceFloor")
    if guard is not None:
        if best_bid is None or best_ask is None:
            return refused("MID_UNKNOWN")
        mid = (best_bid + best_ask) / 2
        if buying and mid > Fraction(guard):
            return refused("PRICE_ABOVE_CEIL")
        if not buying and mid < Fraction(guard):
            return refused("PRICE_BELOW_FLOOR")
    return {
        "market": name,
        "outcome": outcome,
        "side": instruction["side"],
        "limit": limit,
        "amount": size,
        "dollars": dollars,
        "tif": tif,
        "post_only": instruction.get("postOnly", False),
        "expires": None if at_once else instruction.get("cancelAfterSec"),
    }


def limit_of(
    instruction: dict[str, Any], tick: Fraction, *, best_bid: Fraction | None, best_ask: Fraction | None
) -> Fraction | None:
    buying = instruction["side"] == "BUY"
    if "price" in instruction:
        return (down if buying else up)(Fraction(instruction["price"]), tick)
    best = best_ask if buying else best_bid
    if best is None:
        return None
    if buying:
        ceiling = Fraction(instruction.get("priceCeil", 1))
        return down(min(best + instruction["slippageTicksBuy"] * tick, 1 - tick, ceiling), tick)
    bottom = Fraction(instruction.get("priceFloor", 0))
    return up(max(best - instruction["slippageTicksSell"] * tick, tick, bottom), tick)


def likeness(order: dict[str, Any], instruction: dict[str, Any]) -> tuple[Any, ...]:
    named = instruction.get("ref")
    same = ("market", "outcome", "side", "limit", "amount", "dollars", "tif", "post_only")
    return (named, *(order[name] for name in same))


def refused(code: str) -> Result:
    return {"status": "DENIED", "code": code, "fills": []}
