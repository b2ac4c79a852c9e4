"""The nouns of the venue: markets, orders, trades. Amounts are whole millionths, times are milliseconds."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce

MICROS: Final = 1_000_000


class Protocol(StrEnum):
    """Which contracts a market lives on: conditional tokens, or the newer position manager (VENUE 2.5)."""

    CTF = "CTF"
    POSITION = "POSITION"


class OrderStatus(StrEnum):
    """The venue's words (VENUE 3.5). DELAYED waits for its match; the rest as the venue tells them."""

    LIVE = "LIVE"
    DELAYED = "DELAYED"
    MATCHED = "MATCHED"
    CANCELED = "CANCELED"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"

    @property
    def alive(self) -> bool:
        return self is OrderStatus.LIVE or self is OrderStatus.DELAYED


class TradeStatus(StrEnum):
    """How far a match has come on the chain (VENUE 3.5). CONFIRMED and FAILED are final."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"


class Kind(StrEnum):
    """How a maker meets the taker: shares change hands, or a full set is minted, or one is merged."""

    COMPLEMENTARY = "COMPLEMENTARY"
    MINT = "MINT"
    MERGE = "MERGE"


@dataclass(slots=True, kw_only=True)
class Market:
    """A question with two outcomes and the rules for trading it.

    `fee_rate` is in millionths; the fee of a fill is shares x rate x (p(1-p))^exponent (VENUE 4).
    `seconds_delay` is how long marketable orders wait (sports). `row` is the recorded Gamma row, the base of
    what Gamma answers; `event` the recorded event, where there is one. `payouts` are millionths per share by
    outcome, None until resolved. `book_stamp_ms` is when the book last changed.
    """

    condition_id: str
    question_id: str
    gamma_id: str
    slug: str
    question: str
    token_ids: tuple[str, str]
    outcomes: tuple[str, str]
    tick: int
    minimum_size: int
    fee_rate: int = 0
    fee_exponent: int = 1
    neg_risk: bool = False
    group_id: str | None = None
    protocol: Protocol = Protocol.CTF
    accepting_orders: bool = True
    closed: bool = False
    seconds_delay: int = 0
    game_starts_ms: int | None = None
    ends_ms: int | None = None
    event_id: str = ""
    event_slug: str = ""
    payouts: tuple[int, int] | None = None
    resolved_ms: int | None = None
    last_price: int | None = None
    last_side: Side | None = None
    last_outcome: int = 0
    book_stamp_ms: int = 0
    row: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)

    def outcome_index(self, token_id: str) -> int:
        return 0 if token_id == self.token_ids[0] else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOrder:
    """An order as it came: the signed struct, its signature, and what is not signed (VENUE 2.1, 2.3).

    `expiration` is in seconds, 0 for none; `timestamp` in milliseconds. Addresses and hex are as sent.
    """

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: int
    taker_amount: int
    side: Side
    signature_type: int
    timestamp: int
    metadata: str
    builder: str
    signature: str
    expiration: int = 0


class Order:
    """An order the venue took on. One small object each: there may be a million of them.

    `id` is the EIP-712 hash of the signed struct. `owner` is the API key that posted it ("" for the venue's
    own counterparties), `maker` the funding wallet in lower case. `price` is the limit in millionths of a
    dollar for the order's own token, rounded down; `size` the shares asked for (for a dollar BUY: its
    takerAmount, the fewest it may get). `matched` counts shares, `spent` the maker's side of what was matched
    (dollars of a BUY, shares of a SELL); `used` is how much of makerAmount the contract counts as filled: at
    a BUY's own price, where `spent` is what it paid. `reason` is why a dead order is dead, where the venue
    has words. `trades` holds trade numbers.
    """

    __slots__ = (
        "created_ms",
        "expiration",
        "id",
        "maker",
        "maker_amount",
        "market",
        "matched",
        "number",
        "outcome",
        "owner",
        "post_only",
        "price",
        "reason",
        "side",
        "signature_type",
        "signer",
        "size",
        "spent",
        "status",
        "taker_amount",
        "time_in_force",
        "trades",
        "used",
    )

    def __init__(
        self,
        *,
        id: str,
        number: int,
        owner: str,
        maker: str,
        signer: str,
        market: Market,
        outcome: int,
        side: Side,
        maker_amount: int,
        taker_amount: int,
        price: int,
        size: int,
        time_in_force: TimeInForce,
        post_only: bool,
        expiration: int,
        signature_type: int,
        created_ms: int,
    ) -> None:
        self.id = id
        self.number = number
        self.owner = owner
        self.maker = maker
        self.signer = signer
        self.market = market
        self.outcome = outcome
        self.side = side
        self.maker_amount = maker_amount
        self.taker_amount = taker_amount
        self.price = price
        self.size = size
        self.time_in_force = time_in_force
        self.post_only = post_only
        self.expiration = expiration
        self.signature_type = signature_type
        self.created_ms = created_ms
        self.status = OrderStatus.LIVE
        self.matched = 0
        self.spent = 0
        self.used = 0
        self.reason = ""
        self.trades: tuple[int, ...] = ()

    @property
    def token_id(self) -> str:
        return self.market.token_ids[self.outcome]


class MakerFill:
    """One resting order's part in a trade; its own token, side and limit price. Amounts in millionths.

    `shares` changed hands at the maker's own price; `dollars` is what the maker paid (BUY) or was paid before
    its fee (SELL), as the contract reckons it.
    """

    __slots__ = ("dollars", "fee", "kind", "order", "shares")

    def __init__(self, *, order: Order, kind: Kind, shares: int, dollars: int, fee: int) -> None:
        self.order = order
        self.kind = kind
        self.shares = shares
        self.dollars = dollars
        self.fee = fee


class Trade:
    """A taker met by one or more makers in one transaction.

    `shares` and `dollars` are the taker's: shares got or given, dollars paid (BUY) or received (SELL) before
    the `fee`. `number` is its place in the venue's list; its id and transaction hash follow from it and from
    the venue's seed. `bucket` tells apart the pieces of one large match.
    """

    __slots__ = (
        "attempt",
        "bucket",
        "dollars",
        "fee",
        "fills",
        "matched_ms",
        "number",
        "shares",
        "status",
        "taker",
        "updated_ms",
    )

    def __init__(
        self,
        *,
        number: int,
        taker: Order,
        fills: tuple[MakerFill, ...],
        shares: int,
        dollars: int,
        fee: int,
        matched_ms: int,
        bucket: int = 0,
    ) -> None:
        self.number = number
        self.taker = taker
        self.fills = fills
        self.shares = shares
        self.dollars = dollars
        self.fee = fee
        self.matched_ms = matched_ms
        self.updated_ms = matched_ms
        self.bucket = bucket
        self.status = TradeStatus.MATCHED
        self.attempt = 0


class Refused(Exception):
    """The venue says no, in its own words (VENUE 3.6)."""

    def __init__(self, text: str, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.code = code
