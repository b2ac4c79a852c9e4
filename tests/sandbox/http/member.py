"""Somebody who trades at the venue by hand: keys, signed orders, signed requests, all as bytes.

The clients that others wrote are tried elsewhere; here every field can be chosen. Signatures are made with
coincurve over the venue's own hash, which the published vectors vouch for.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any, Final

from coincurve import PrivateKey

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.addresses import CONDITIONAL_TOKENS, EXCHANGES, POSITION_MANAGER
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.model import MICROS, Market, SignedOrder
from betteroms.sandbox.signing import order_hash
from betteroms.sandbox.signing.recovery import address_of
from betteroms.sandbox.world import World

NOTHING: Final = "0x" + "00" * 32
Body = dict[str, Any]


@dataclass(slots=True)
class Member:
    """An account that trades for itself (type 0). `seconds` is the time its requests are stamped with."""

    world: World
    name: str = "somebody"
    key: ApiKey = field(init=False)
    address: str = field(init=False)
    _private: PrivateKey = field(init=False)
    _salts: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._private = PrivateKey(sha256(self.name.encode()).digest())
        self.address = address_of(self._private.public_key)
        self.key = self.world.members.create_key(self.address, 0)

    def fund(
        self, dollars: str, shares: Mapping[str, str] | None = None, *, approve: bool = True
    ) -> "Member":
        """Put money and shares (by token id) on the chain, and let the exchanges take them."""
        bank = self.world.bank
        bank.move({(self.address, None): to_micros(dollars)})
        for token_id, size in (shares or {}).items():
            market = self.world.exchange.by_token[token_id]
            bank.move({(self.address, None): to_micros(size)})
            bank.split(self.address, market.condition_id, market.token_ids, to_micros(size))
        for exchange in EXCHANGES if approve else ():
            bank.approve(self.address, exchange, UNLIMITED)
            for contract in (CONDITIONAL_TOKENS, POSITION_MANAGER):
                bank.set_operator(self.address, contract, exchange, True)
        return self

    def order(
        self,
        market: Market,
        side: Side,
        price: str,
        size: str,
        *,
        outcome: int = 0,
        kind: str = "GTC",
        signed: Mapping[str, Any] | None = None,
        **outer: Any,
    ) -> Body:
        """The body of POST /order. `signed` replaces fields before signing, `outer` others."""
        shares = to_micros(size)
        dollars = to_micros(price) * shares // MICROS
        buys = side is Side.BUY
        fields = {
            "salt": next(self._salts),
            "maker": self.address,
            "signer": self.address,
            "tokenId": market.token_ids[outcome],
            "makerAmount": str(dollars if buys else shares),
            "takerAmount": str(shares if buys else dollars),
            "side": side.value,
            "signatureType": 0,
            "timestamp": str(self.world.clock.now_ms()),
            "metadata": NOTHING,
            "builder": NOTHING,
            "expiration": "0",
            **(signed or {}),
        }
        fields["signature"] = self._signature(fields, market)
        return {"deferExec": False, "order": fields, "orderType": kind, "owner": self.key.key, **outer}

    def id_of(self, body: Body, market: Market) -> str:
        return order_hash(_struct(body["order"]), neg_risk=market.neg_risk, protocol=market.protocol)

    def headers(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """L2: the request signed with the API key's secret."""
        stamp = str(self.world.clock.now_ms() // 1000)
        secret = base64.urlsafe_b64decode(self.key.secret)
        message = f"{stamp}{method}{path}".encode() + body
        return {
            "POLY_ADDRESS": self.address,
            "POLY_API_KEY": self.key.key,
            "POLY_PASSPHRASE": self.key.passphrase,
            "POLY_TIMESTAMP": stamp,
            "POLY_SIGNATURE": base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256")).decode(),
        }

    def _signature(self, fields: Body, market: Market) -> str:
        digest = bytes.fromhex(
            order_hash(_struct(fields), neg_risk=market.neg_risk, protocol=market.protocol)[2:]
        )
        made = self._private.sign_recoverable(digest, hasher=None)
        return "0x" + (made[:64] + bytes([made[64] + 27])).hex()


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _struct(fields: Body) -> SignedOrder:
    return SignedOrder(
        salt=fields["salt"],
        maker=fields["maker"],
        signer=fields["signer"],
        token_id=fields["tokenId"],
        maker_amount=int(fields["makerAmount"]),
        taker_amount=int(fields["takerAmount"]),
        side=Side(fields["side"]),
        signature_type=fields["signatureType"],
        timestamp=int(fields["timestamp"]),
        metadata=fields["metadata"],
        builder=fields["builder"],
        signature="",
        expiration=int(fields["expiration"]),
    )
