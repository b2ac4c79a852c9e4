"""Orders in the venue's words, signed by us: amounts from whole numbers, the hash that names them, the bytes.

The same stored order gives the same bytes for ever: salt and timestamp follow from its id and its time, and
the signature is deterministic. Source: VENUE 2.1-2.3 for the struct and the body, 3.1 for amounts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from betteroms.adapters.polymarket.contracts import CTF_EXCHANGE, EXCHANGE_V3, NEG_RISK_EXCHANGE
from betteroms.adapters.polymarket.typed_data import (
    CHAIN_ID,
    ZERO,
    address_word,
    digest,
    domain_separator,
    keccak,
    number_word,
    text_word,
)
from betteroms.domain.ids import AssetKind, asset_kind
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price, floor_to
from betteroms.domain.order import Order
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Dollars, Side, TimeInForce
from betteroms.domain.wallet import SignatureType as SignatureType
from betteroms.ports.trading import Signed

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

EXPIRY_LEAD: Final = timedelta(seconds=60)
"""The venue ends a GTD a minute before its stated time. Source: VENUE 3.2."""
SALT_BITS: Final = 53
"""A salt is a JSON number, which must survive a reader that keeps numbers as doubles. Source: VENUE 2.3."""
AMOUNT_STEPS: Final = {
    100_000: 1_000,
    10_000: 100,
    5_000: 10,
    2_500: 1,
    1_000: 10,
    100: 1,
}
"""By tick the step of an amount that is neither a price nor a size, all in millionths. Source: VENUE 3.1."""
ORDER_TYPE: Final = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,"
    "uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
SESSION_KEY_MARK: Final = bytes.fromhex("6492" * 16)
WRAPPED_TYPE: Final = (
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,"
    f"bytes32 salt){ORDER_TYPE}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A contract that settles orders, and the version of the words it is signed in."""

    address: str
    version: str


CTF: Final = Exchange(address=CTF_EXCHANGE, version="2")
NEG_RISK: Final = Exchange(address=NEG_RISK_EXCHANGE, version="2")
POSITIONS: Final = Exchange(address=EXCHANGE_V3, version="3")


def exchange_of(market: Market) -> Exchange:
    """The contract that orders of this market are signed for. Source: VENUE 2.1."""
    if asset_kind(market.outcomes[0].token_id) is not AssetKind.CTF:
        return POSITIONS
    return NEG_RISK if market.neg_risk else CTF


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What the maker gives and takes, in millionths: dollars and shares of a BUY, the reverse of a SELL."""

    maker: int
    taker: int


def amounts(order: Order, *, tick: Price) -> Amounts:
    """The two amounts that are signed.

    On the grid of ticks and lots a product is exact; the shares of a dollar BUY are floored to what the venue
    reads, which makes its price no lower than the limit.
    """
    assert order.amount is not None
    assert order.limit_price is not None
    if isinstance(order.amount, Dollars):
        shares = floor_to(order.amount.usdc * MICROS // order.limit_price, AMOUNT_STEPS[tick])
        return Amounts(maker=order.amount.usdc, taker=shares)
    size = order.amount.size
    dollars, rest = divmod(order.limit_price * size, MICROS)
    assert rest == 0, "a price on the tick times a size on the lot has six decimals at most"
    if order.intent.side is Side.BUY:
        return Amounts(maker=dollars, taker=size)
    return Amounts(maker=size, taker=dollars)


class OrderSigner:
    """Keeps the promises of `ports.trading.Signer` with a private key.

    `wallet` is the address that holds the money: the key's own for EOA, else the contract's. `session_key`
    says that the key is a further one of a deposit wallet.
    """

    def __init__(
        self, key: Secret, *, wallet: str, signature_type: SignatureType, session_key: bool = False
    ) -> None:
        from eth_account import Account

        self._account: LocalAccount = Account.from_key(key.reveal())
        self._wallet = wallet
        self._type = signature_type
        assert not session_key or signature_type is SignatureType.DEPOSIT, "no other wallet knows such keys"
        self._session_key = session_key
        self._separators: dict[Exchange, bytes] = {}

    def __repr__(self) -> str:
        return f"OrderSigner({self._wallet}, {self._type.name})"

    @property
    def address(self) -> str:
        """The key's own address."""
        return str(self._account.address)

    def domain(self, market: Market) -> str:
        """See `ports.trading.Signer.domain`."""
        return exchange_of(market).address

    def sign(self, order: Order, market: Market, *, tick: Price) -> Signed:
        """See `ports.trading.Signer.sign`."""
        intent, sent = order.intent, amounts(order, tick=tick)
        words: dict[str, object] = {
            "salt": _salt(order),
            "maker": self._wallet,
            "signer": self._wallet if self._type is SignatureType.DEPOSIT else self.address,
            "tokenId": intent.token_id,
            "makerAmount": str(sent.maker),
            "takerAmount": str(sent.taker),
            "side": intent.side.value,
            "expiration": str(_expiration(order)),
            "signatureType": int(self._type),
            "timestamp": str(_milliseconds(order.created_at)),
            "metadata": f"0x{ZERO.hex()}",
            "builder": f"0x{ZERO.hex()}",
        }
        name, signature = self.signature(words, exchange_of(market))
        body = {
            "order": {**words, "signature": f"0x{signature.hex()}"},
            "orderType": intent.time_in_force.value,
            "postOnly": intent.post_only,
        }
        return Signed(
            external_order_id=f"0x{name.hex()}", body=Secret(json.dumps(body, separators=(",", ":")))
        )

    def signature(self, words: Mapping[str, object], exchange: Exchange) -> tuple[bytes, bytes]:
        """The hash that names an order, given as the wire spells it, and the signature that goes with it."""
        separator, contents = self._separator(exchange), struct_hash(words)
        name = digest(separator, contents)
        if self._type is SignatureType.DEPOSIT:
            return name, self._wrapped(separator, contents)
        return name, self._signature(name)

    def _separator(self, exchange: Exchange) -> bytes:
        found = self._separators.get(exchange)
        if found is None:
            found = self._separators[exchange] = domain_separator(
                "Polymarket CTF Exchange", exchange.version, exchange.address
            )
        return found

    def _signature(self, hashed: bytes) -> bytes:
        from eth_typing import Hash32

        return bytes(self._account.unsafe_sign_hash(Hash32(hashed)).signature)

    def _wrapped(self, separator: bytes, contents: bytes) -> bytes:
        """The signature of a deposit wallet: over the order inside the wallet's own words (ERC-7739)."""
        wrapped = keccak(
            text_word(WRAPPED_TYPE)
            + contents
            + text_word("DepositWallet")
            + text_word("1")
            + number_word(CHAIN_ID)
            + address_word(self._wallet)
            + ZERO
        )
        inner = self._signature(digest(separator, wrapped))
        trailer = ORDER_TYPE.encode()
        whole = inner + separator + contents + trailer + len(trailer).to_bytes(2, "big")
        return _by_session_key(self.address, whole) if self._session_key else whole


def _by_session_key(address: str, signature: bytes) -> bytes:
    """A further key's signature, with its name: the words of (bytes32, bytes32, bytes), and a mark.

    Source: VENUE 2.2; `orders_on_chain.json`.
    """
    filled = signature + bytes(-len(signature) % 32)
    head = address_word(address) + ZERO + number_word(3 * 32) + number_word(len(signature))
    return head + filled + SESSION_KEY_MARK


def struct_hash(words: Mapping[str, object]) -> bytes:
    """The hash of the eleven signed fields, given as the wire spells them."""
    return keccak(
        text_word(ORDER_TYPE)
        + number_word(int(str(words["salt"])))
        + address_word(str(words["maker"]))
        + address_word(str(words["signer"]))
        + number_word(int(str(words["tokenId"])))
        + number_word(int(str(words["makerAmount"])))
        + number_word(int(str(words["takerAmount"])))
        + number_word(0 if words["side"] == "BUY" else 1)
        + number_word(int(str(words["signatureType"])))
        + number_word(int(str(words["timestamp"])))
        + bytes.fromhex(str(words["metadata"])[2:])
        + bytes.fromhex(str(words["builder"])[2:])
    )


def _salt(order: Order) -> int:
    seed = f"{order.order_id} {_milliseconds(order.created_at)}"
    return int.from_bytes(sha256(seed.encode()).digest()[:8], "big") >> (64 - SALT_BITS)


def _expiration(order: Order) -> int:
    """Seconds since 1970 for a GTD, else 0: what rests otherwise ends when we cancel it."""
    if order.intent.time_in_force is not TimeInForce.GTD or order.expires_at is None:
        return 0
    return -(-_milliseconds(order.expires_at + EXPIRY_LEAD) // 1000)


def _milliseconds(at: datetime) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=at.tzinfo)
    return (at - epoch) // timedelta(milliseconds=1)
