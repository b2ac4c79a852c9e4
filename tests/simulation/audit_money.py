"""The auditor's look at money: executions, fees, positions and cash, all recomputed with fractions."""

import dataclasses
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from tests.simulation.audit_tables import MICROS, PAPER_LIKE, Row, Tables


def fee_of(market: Row, fill: Row) -> int:
    """The venue's fee, in millionths: floored at five decimals, never less than 0.00001, makers free."""
    rate = Fraction(market["fee_rate"], MICROS)
    if fill["liquidity"] == "MAKER" or rate == 0:
        return 0
    price, size = Fraction(fill["price"], MICROS), Fraction(fill["size"], MICROS)
    charged: Fraction = size * rate * (price * (1 - price)) ** int(market["fee_exponent"])
    return max(floor(charged * 10**5), 1) * 10


def cash_of(fill: Row) -> int:
    """What entered us: a buyer pays rounded up, a seller receives rounded down."""
    exact = Fraction(fill["price"] * fill["size"], MICROS)
    return -ceil(exact) if fill["side"] == "BUY" else floor(exact)


def check_executions(tables: Tables) -> Iterator[str]:
    """Each fill is told by exactly one event, agrees with its order, and costs what it must."""
    for fill in tables.executions:
        name = f"execution {fill['order_id']}/{fill['number']}"
        order = tables.order.get(fill["order_id"])
        if order is None:
            yield f"{name}: its order does not exist"
            continue
        for field in ("mode", "market_id", "token_id", "side"):
            if fill[field] != order[field]:
                yield f"{name}: {field} is {fill[field]}, its order's is {order[field]}"
        for problem in _wrong_terms(tables, order, fill):
            yield f"{name}: {problem}"
    for order in tables.orders:
        yield from _check_told(tables, order)
    for fill in tables.executions:
        times = sum(fill["number"] in _told_of(event) for event in tables.events_of(fill["order_id"]))
        if times != 1:
            yield f"execution {fill['order_id']}/{fill['number']}: is told by {times} events"


def _told_of(event: Row) -> list[int]:
    """The numbers of the executions that an event of an order tells of, or takes back."""
    told = event["event_data"].get("executions", ())
    match event["event_type"]:
        case "order_filled":
            return [row[0] for row in told]
        case "order_reversed":
            return list(told)
        case _:
            return []


def _wrong_terms(tables: Tables, order: Row, fill: Row) -> Iterator[str]:
    price, limit = fill["price"], order["limit_price"]
    if limit is None or (price > limit if fill["side"] == "BUY" else price < limit):
        yield f"price {price} is beyond the limit {limit}"
    if fill["mode"] not in PAPER_LIKE:
        return
    if fill["liquidity"] == "MAKER" and price != limit:
        yield f"a resting order filled at {price} and not at its limit {limit}"
    if fill["liquidity"] == "TAKER" and order["post_only"]:
        yield "a post-only order took"
    if fill["cash"] != cash_of(fill):
        yield f"cash is {fill['cash']}, price times size says {cash_of(fill)}"
    market = tables.market.get(fill["market_id"])
    if market is None:
        yield "its market is not in the registry"
    elif fill["fee"] != fee_of(market, fill):
        yield f"fee is {fill['fee']}, the formula says {fee_of(market, fill)}"


def _check_told(tables: Tables, order: Row) -> Iterator[str]:
    """The order's sums and its events, against its executions."""
    name, fills = order["order_id"], tables.fills_of(order["order_id"])
    sums = {
        "fills": len(fills),
        "filled_size": sum(fill["size"] for fill in fills),
        "filled_cash": sum(abs(fill["cash"]) * (1 if fill["size"] > 0 else -1) for fill in fills),
    }
    for field, value in sums.items():
        if order[field] != value:
            yield f"order {name}: {field} is {order[field]}, its executions make {value}"
    if [fill["number"] for fill in fills] != list(range(1, len(fills) + 1)):
        yield f"order {name}: its executions are numbered {[fill['number'] for fill in fills]}"
    by_number = {fill["number"]: fill for fill in fills}
    for event in tables.events_of(name):
        if event["event_type"] != "order_filled":
            continue
        data = event["event_data"]
        # A BUY for dollars is complete where the venue says so, which may be some time after its last fill.
        if not data["executions"] and (order["mode"] in PAPER_LIKE or not data["complete"]):
            yield f"event {event['sequence']}: tells of a fill without executions"
        for number, price, size, fee in data["executions"]:
            fill = by_number.get(number)
            if fill is None:
                yield f"event {event['sequence']}: tells of execution {number}, which does not exist"
            elif (fill["price"], fill["size"], fill["fee"]) != (price, size, fee):
                yield f"event {event['sequence']}: tells execution {number} otherwise than it is"
            elif fill["executed_at"] != event["at"] and order["mode"] in PAPER_LIKE:
                yield f"event {event['sequence']}: execution {number} happened at another time"


@dataclass(kw_only=True)
class Held:
    """A position as its executions and entries make it, by average cost."""

    market_id: str
    size: int = 0
    cost_basis: int = 0
    realised: int = 0
    fees: int = 0
    opened_at: datetime | None = None

    def add(self, move: Row) -> None:
        """Take in whatever came next."""
        if "side" in move:
            self._fill(move)
        else:
            self._enter(move)

    def _enter(self, entry: Row) -> None:
        """Shares that an entry takes away leave with their cost; its cash is realised."""
        gone = self._cost_of(-entry["size"])
        self.size += entry["size"]
        self.cost_basis -= gone
        self.realised += entry["cash"] - gone
        if self.size == 0:
            self.opened_at = None

    def _cost_of(self, size: int) -> int:
        """The rule of DECISIONS 5.2: what leaves takes cost along pro rata, rounded up, all of it at zero."""
        if self.size <= 0 or size >= self.size:
            return self.cost_basis
        return ceil(Fraction(self.cost_basis * size, self.size))

    def _fill(self, fill: Row) -> None:
        self.fees += fill["fee"]
        self.realised -= fill["fee"]
        if fill["side"] == "BUY":
            self.opened_at = fill["executed_at"] if self.size == 0 else self.opened_at
            self.size += fill["size"]
            self.cost_basis += -fill["cash"]
            if self.size == 0:  # a fill was taken back: what its shares cost otherwise was a gain or a loss
                self.realised -= self.cost_basis
                self.cost_basis, self.opened_at = 0, None
            return
        gone = self._cost_of(fill["size"])
        self.size -= fill["size"]
        self.cost_basis -= gone
        self.realised += fill["cash"] - gone
        if self.size == 0:
            self.opened_at = None


Key = tuple[str, str]
"""A mode and a token."""


@dataclass(kw_only=True)
class Account:
    """Everything that moved so far: what is held of each (mode, token), and each mode's cash."""

    held: dict[Key, Held] = dataclasses.field(default_factory=dict)
    cash: dict[str, int] = dataclasses.field(default_factory=dict)
    deposited: dict[str, int] = dataclasses.field(default_factory=dict)

    def take(self, move: Row) -> None:
        """Take in what came next in the sequence."""
        mode, token = move["mode"], move["token_id"]
        self.cash[mode] = self.cash.get(mode, 0) + move["cash"] - move.get("fee", 0)
        if token is None:
            self.deposited[mode] = self.deposited.get(mode, 0) + move["cash"]
        else:
            self.held.setdefault((mode, token), Held(market_id=move["market_id"])).add(move)


def accounts(tables: Tables, sequences: Iterable[int]) -> Iterator[Account]:
    """The account as it was at each of these places, which rise; one and the same, moved on."""
    account, moves = Account(), iter(tables.moves)
    move = next(moves, None)
    for sequence in sequences:
        while move is not None and move["sequence"] < sequence:
            account.take(move)
            move = next(moves, None)
        yield account


def at_the_end(tables: Tables) -> Account:
    """The account after all that ever moved."""
    account = Account()
    for move in tables.moves:
        account.take(move)
    return account


def check_positions(tables: Tables) -> Iterator[str]:
    """Positions are the fold of what moved them, and the ledger's invariant holds for each and for all."""
    account = at_the_end(tables)
    made = account.held
    stored = {(row["mode"], row["token_id"]): row for row in tables.positions}
    for key in made.keys() - stored.keys():
        yield f"position {key}: is missing"
    for key, row in stored.items():
        held = made.get(key)
        if held is None:
            yield f"position {key}: no execution made it"
            continue
        for field in ("market_id", "size", "cost_basis", "realised", "fees", "opened_at"):
            if row[field] != getattr(held, field):
                yield f"position {key}: {field} is {row[field]}, its executions make {getattr(held, field)}"
    for mode in {row["mode"] for row in (*tables.positions, *tables.executions)}:
        left = sum(row["realised"] - row["cost_basis"] for row in tables.positions if row["mode"] == mode)
        right = account.cash.get(mode, 0) - account.deposited.get(mode, 0)
        if left != right:
            yield f"mode {mode}: realised - cost basis is {left}, cash flows less fees are {right}"


def check_cash(tables: Tables) -> Iterator[str]:
    """On paper neither cash nor shares were ever below zero, and what open orders may use is there."""
    for mode in {row["mode"] for row in (*tables.entries, *tables.orders)}.intersection(PAPER_LIKE):
        if not any(row["mode"] == mode for row in tables.entries):
            yield f"mode {mode}: traded without an opening deposit"
        account = yield from _running(mode, [move for move in tables.moves if move["mode"] == mode])
        alive = [o for o in tables.orders if o["mode"] == mode and o["status"] in ("NEW", "OPEN")]
        reserved = sum(_reserved(order) for order in alive if order["side"] == "BUY")
        if reserved > account.cash.get(mode, 0):
            yield f"mode {mode}: open buys may spend {reserved} of {account.cash.get(mode, 0)}"
        promised: dict[str, int] = {}
        for order in alive:
            if order["side"] == "SELL":
                left = order["amount"] - order["filled_size"]
                promised[order["token_id"]] = promised.get(order["token_id"], 0) + left
        for token, size in promised.items():
            if size > (account.held[mode, token].size if (mode, token) in account.held else 0):
                yield f"mode {mode}: open sells promise {size} of token {token}, which is not there"


def _running(mode: str, moves: Sequence[Row]) -> Generator[str, None, Account]:
    """Walk through the mode's history; how it stands at its end."""
    account = Account()
    for move in moves:
        account.take(move)
        # A payout that is taken back is a fact that asks nobody whether the money is still there.
        if account.cash[mode] < 0 and move.get("kind") != "REVERSAL":
            yield f"mode {mode}: cash is {account.cash[mode]} after sequence {move['sequence']}"
        token = move["token_id"]
        if token is not None and account.held[mode, token].size < 0:
            yield f"mode {mode}: short of token {token} after sequence {move['sequence']}"
    return account


def _reserved(order: Row) -> int:
    if order["amount_unit"] == "DOLLARS":
        return int(order["amount"] - order["filled_cash"])
    return ceil(Fraction(order["limit_price"] * (order["amount"] - order["filled_size"]), MICROS))


def check_entries(tables: Tables) -> Iterator[str]:
    """Each ledger entry is told once, and each mode was opened once."""
    told: dict[str, list[Row]] = {}
    for event in tables.audit:
        if event["event_type"] == "ledger_entry":
            told.setdefault(event["entity_id"], []).append(event)
    for row in tables.entries:
        events = told.pop(row["key"], [])
        if len(events) != 1:
            yield f"entry {row['key']}: is told by {len(events)} events"
        if any(event["mode"] != row["mode"] for event in events):
            yield f"entry {row['key']}: is told in another mode"
        if any(Fraction(e["event_data"]["cash"]) * MICROS != row["cash"] for e in events):
            yield f"entry {row['key']}: is told with another amount"
    for key in told:
        yield f"entry {key}: is told and does not exist"
    openings = [(row["mode"], row["note"]) for row in tables.entries if row["note"] == "opening cash"]
    if len(openings) != len(set(openings)):
        yield "a mode was opened twice"
