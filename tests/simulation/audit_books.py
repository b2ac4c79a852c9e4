"""The auditor's look at liquidity: what fills took was displayed, and stays taken as DECISIONS 4.1 says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.audit_tables import MICROS, PAPER_LIKE, Row, Tables, Window, micros


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One kept book, its levels keyed by price as the market's first outcome sees it."""

    token_id: str
    index: int
    payload_id: str
    stamp: int
    bids: Mapping[int, int]
    asks: Mapping[int, int]
    last_trade: int | None

    def own(self, key: int) -> int:
        """A level's price as this token's traders see it."""
        return key if self.index == 0 else MICROS - key

    @property
    def levels(self) -> Mapping[int, int]:
        return {**self.bids, **self.asks}

    @property
    def crossed(self) -> bool:
        if not self.bids or not self.asks:
            return False
        return max(map(self.own, self.bids)) > min(map(self.own, self.asks))


@dataclass(kw_only=True)
class Memory:
    """What is taken of one market's levels, and the stamp of the newest book that had a say."""

    stamp: int = 0
    taken: dict[int, int] = field(default_factory=dict)

    def see(self, book: Shown) -> None:
        """A newer book replenishes what it shows and forgets what it does not."""
        if book.stamp > self.stamp:
            shown = book.levels
            kept = {key: min(size, shown.get(key, 0)) for key, size in self.taken.items()}
            self.taken = {key: size for key, size in kept.items() if size > 0}
            self.stamp = book.stamp


Memories = dict[tuple[str, str], Memory]


def books_of(tables: Tables, window: Window) -> dict[str, Shown]:
    """The books a run read, by token, from their kept bytes."""
    outcomes = tables.index_of
    books: dict[str, Shown] = {}
    for token, note in ((window.run["inputs"] or {}).get("books") or {}).items():
        raw = tables.document(note["id"])
        if not isinstance(raw, dict) or token not in outcomes:
            continue
        index = outcomes[token]
        # A mirrored book was read off the complement's, whose traders see the prices from their side.
        payload_index = 1 - index if note["mirrored"] else index
        sides = {side: _levels(raw.get(side) or (), payload_index) for side in ("bids", "asks")}
        if note["mirrored"]:
            sides = {"bids": sides["asks"], "asks": sides["bids"]}
        books[token] = Shown(
            token_id=token,
            index=index,
            payload_id=note["id"],
            stamp=int(raw.get("timestamp") or 0),
            bids=sides["bids"],
            asks=sides["asks"],
            last_trade=_last_trade(raw, note["mirrored"]),
        )
    return books


def _last_trade(raw: Mapping[str, Any], mirrored: bool) -> int | None:
    """The price of the last trade as this token's traders see it; none where it is no price."""
    told = raw.get("last_trade_price")
    price = micros(told) if told else 0
    if not 0 < price < MICROS:
        return None
    return MICROS - price if mirrored else price


def _levels(raw: Sequence[Mapping[str, Any]], index: int) -> dict[int, int]:
    """A price that comes twice counts with the smaller size."""
    levels: dict[int, int] = {}
    for level in raw:
        price, size = micros(level["price"]), micros(level["size"])
        key = price if index == 0 else MICROS - price
        levels[key] = min(size, levels.get(key, size))
    return {key: size for key, size in levels.items() if size > 0}


def check_liquidity(tables: Tables) -> Iterator[str]:
    """Replay what every run saw and took; the table must hold the same, and no level gave twice."""
    memories: Memories = {}
    for window in tables.windows:
        if window.run["mode"] not in PAPER_LIKE:
            continue
        books = books_of(tables, window)
        now = _remembered(window, memories)
        for book in sorted(books.values(), key=lambda book: (book.stamp, book.token_id)):
            now.setdefault(tables.market_of[book.token_id]["market_id"], Memory()).see(book)
        for book in books.values():
            memory = now[tables.market_of[book.token_id]["market_id"]]
            memory.stamp = max(memory.stamp, book.stamp)
        for event in tables.events_in(window):
            if event["event_type"] == "order_filled":
                yield from _check_bite(tables, window, books, now, event)
        yield from _check_rest(tables, window, books, now)
        memories.update(
            {(window.run["mode"], market): memory for market, memory in now.items() if memory.taken}
        )
        for market, memory in now.items():
            if not memory.taken:
                memories.pop((window.run["mode"], market), None)
    yield from _check_table(tables, memories)


def _remembered(window: Window, memories: Memories) -> dict[str, Memory]:
    """The mode's memory as the run found it: of a market with nothing taken, nothing is kept."""
    return {
        market: Memory(stamp=memory.stamp, taken=dict(memory.taken))
        for (mode, market), memory in memories.items()
        if mode == window.run["mode"]
    }


def _check_bite(
    tables: Tables, window: Window, books: Mapping[str, Shown], now: dict[str, Memory], event: Row
) -> Iterator[str]:
    """One fill: it took what its book displayed, no more than that and no better."""
    name, data = f"event {event['sequence']}", event["event_data"]
    order = tables.order.get(event["entity_id"])
    if order is None:
        return
    book = books.get(order["token_id"])
    if book is None or data["book"] != book.payload_id:
        yield f"{name}: names a book that its run did not read for this token"
        return
    if sum(size for _, size in data["taken"]) != sum(row[2] for row in data["executions"]):
        yield f"{name}: took another number of shares than it filled"
    side = book.asks if order["side"] == "BUY" else book.bids
    memory = now.setdefault(order["market_id"], Memory(stamp=book.stamp))
    for key, size in data["taken"]:
        memory.taken[key] = memory.taken.get(key, 0) + size
        ours = side.get(key, 0) * _fraction(window) // MICROS
        if memory.taken[key] > ours:
            yield f"{name}: {memory.taken[key]} taken at {key}, where {ours} was ours to take"
    yield from _check_prices(tables, window, order, book, event)


def _check_prices(tables: Tables, window: Window, order: Row, book: Shown, event: Row) -> Iterator[str]:
    name, data = f"event {event['sequence']}", event["event_data"]
    prices = [book.own(key) for key, _ in data["taken"]]
    if prices != sorted(prices, reverse=order["side"] == "SELL"):
        yield f"{name}: did not take the best level first"
    if any(p > order["limit_price"] if order["side"] == "BUY" else p < order["limit_price"] for p in prices):
        yield f"{name}: took from a level beyond the limit"
    numbers = {row[0] for row in data["executions"]}
    makers = {f["liquidity"] for f in tables.fills_of(order["order_id"]) if f["number"] in numbers}
    paid = [row[1] for row in data["executions"]]
    if makers == {"TAKER"} and not int(window.run["settings"].get("BETTEROMS_PAPER_SLIPPAGE_TICKS", "0")):
        if paid != prices:
            yield f"{name}: filled at {paid}, the levels were at {prices}"
    elif order["expires_at"] is not None and makers == {"MAKER"}:
        over = order["expires_at"].timestamp() * 1000
        if book.stamp >= over or event["at"] >= order["expires_at"]:
            yield f"{name}: filled an order that had expired"


def _fraction(window: Window) -> int:
    return micros(window.run["settings"].get("BETTEROMS_PAPER_LIQUIDITY_FRACTION", "1"))


def _check_rest(
    tables: Tables, window: Window, books: Mapping[str, Shown], now: Mapping[str, Memory]
) -> Iterator[str]:
    """No fill was forgotten: where an order still rests, nothing that crosses it is left for us."""
    for order in tables.open_at(window.run["mode"], window.last):
        book, market = books.get(order["token_id"]), tables.market.get(order["market_id"])
        if book is None or market is None or book.crossed or _untouchable(window, order, book, market):
            continue
        buying, limit = order["side"] == "BUY", order["limit_price"]
        for key, size in (book.asks if buying else book.bids).items():
            price = book.own(key)
            left = size * _fraction(window) // MICROS - now[order["market_id"]].taken.get(key, 0)
            if left > 0 and (price <= limit if buying else price >= limit):
                yield f"order {order['order_id']}: rests at {limit} though {left} is there at {price}"


def _untouchable(window: Window, order: Row, book: Shown, market: Row) -> bool:
    if market["closed"] or not market["accepting_orders"]:
        return True
    expires = order["expires_at"]
    return expires is not None and (book.stamp >= expires.timestamp() * 1000 or window.run["now"] >= expires)


def _check_table(tables: Tables, memories: Memories) -> Iterator[str]:
    made = {
        (mode, market, price): (size, memory.stamp)
        for (mode, market), memory in memories.items()
        for price, size in memory.taken.items()
    }
    stored = {
        (row["mode"], row["market_id"], row["price"]): (row["size"], row["changed_at_ms"])
        for row in tables.taken
    }
    for key in sorted(made.keys() | stored.keys()):
        if made.get(key) != stored.get(key):
            yield f"liquidity {key}: the table holds {stored.get(key)}, the fills make {made.get(key)}"


def check_payloads(tables: Tables) -> Iterator[str]:
    """What is kept is what its name says, and what runs read is kept."""
    yield from tables.unreadable
    for window in tables.windows:
        inputs = window.run["inputs"] or {}
        wanted = {note["id"] for note in inputs.get("books", {}).values()}
        wanted.update(row_id for row_id in inputs.get("markets", {}).values() if row_id)
        for name in sorted(wanted - tables.bodies.keys()):
            yield f"run {window.run['plan_id']}: read payload {name}, which is not kept"
    known = {market["market_id"] for market in tables.markets}
    for order in tables.orders:
        if order["market_id"] not in known:
            yield f"order {order['order_id']}: its market is not in the registry"
