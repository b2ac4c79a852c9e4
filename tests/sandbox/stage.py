"""What the clients' tests trade: markets that differ in their contracts, books, people with money."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from eth_account import Account
from polymarket._internal.wallet import (
    derive_beacon_deposit_wallet_address,
    derive_proxy_wallet_address,
    derive_safe_wallet_address,
)
from polymarket.environments import PRODUCTION

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.model import Market, Protocol
from betteroms.sandbox.world import World

KINDS: Final = ("eoa", "proxy", "safe", "deposit")
COUNTERPARTY: Final = "0x00000000000000000000000000000000c0ffee01"
"""Who rests in the books before anybody comes."""


def hexadecimal(*words: str) -> str:
    """64 digits that follow from the words."""
    return sha256(":".join(("stage", *words)).encode()).hexdigest()


def ctf_market(slug: str, *, neg_risk: bool = False, tick: str = "0.01", fee_rate: str = "0") -> Market:
    """A market of conditional tokens."""
    first, second = (str(int(hexadecimal(slug, outcome), 16)) for outcome in ("yes", "no"))
    return Market(
        condition_id=f"0x{hexadecimal(slug, 'condition')}",
        question_id=f"0x{hexadecimal(slug, 'question')}",
        gamma_id=str(int(hexadecimal(slug, "gamma")[:6], 16)),
        slug=slug,
        question=f"{slug.replace('-', ' ').capitalize()}?",
        token_ids=(first, second),
        outcomes=("Yes", "No"),
        tick=to_micros(tick),
        minimum_size=to_micros("5"),
        fee_rate=to_micros(fee_rate),
        neg_risk=neg_risk,
        group_id=f"0x{hexadecimal(slug, 'group')}" if neg_risk else None,
        event_id=str(int(hexadecimal(slug, "event")[:5], 16)),
        event_slug=f"{slug}-event",
    )


def position_market(slug: str) -> Market:
    """A market of the newer positions: an id is module, condition, eight zero bytes, outcome (VENUE 2.5)."""
    middle = hexadecimal(slug, "position")[:36]
    base = f"01{middle}" + "00" * 8 + hexadecimal(slug, "tail")[:8]
    market = ctf_market(slug)
    market.token_ids = (str(int(base + "00", 16)), str(int(base + "01", 16)))
    market.condition_id = f"0x{base}00"
    market.protocol = Protocol.POSITION
    return market


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A test key and one of its wallets."""

    private_key: str
    signer: str
    wallet: str
    kind: str

    @property
    def signature_type(self) -> int:
        return KINDS.index(self.kind)


def trader(name: str, kind: str) -> Trader:
    """A person by name; the wallet's address is as the unified client derives it."""
    key = f"0x{hexadecimal('key', name)}"
    signer: str = Account.from_key(key).address
    derivation = PRODUCTION._config.wallet_derivation
    wallet = {
        "eoa": lambda: signer,
        "proxy": lambda: derive_proxy_wallet_address(signer, derivation),
        "safe": lambda: derive_safe_wallet_address(signer, derivation),
        "deposit": lambda: derive_beacon_deposit_wallet_address(signer, derivation),
    }[kind]()
    return Trader(private_key=key, signer=signer, wallet=wallet, kind=kind)


PLAIN: Final = ctf_market("will-it-be-plain")
FEES: Final = ctf_market("will-there-be-fees", fee_rate="0.04")
GROUPED: Final = ctf_market("will-it-be-one-of-many", neg_risk=True)
POSITION: Final = position_market("will-it-be-a-position")
MARKETS: Final = (PLAIN, FEES, GROUPED, POSITION)
BOOK: Final[tuple[tuple[Side, str, str], ...]] = (
    (Side.BUY, "0.38", "300"),
    (Side.BUY, "0.40", "200"),
    (Side.SELL, "0.45", "100"),
    (Side.SELL, "0.46", "300"),
)
"""Every market's book of the first outcome; nothing rests between 0.40 and 0.45."""
MANY: Final = to_micros("100000")


def fresh(market: Market) -> Market:
    """The market as it was in the beginning, whatever other venues made of it."""
    from copy import deepcopy

    return deepcopy(market)


def stage(world: World) -> None:
    """Put the markets and their books into a venue, and money into everybody's wallets."""
    now_ms = world.now()
    world.chain.fund(COUNTERPARTY, dollars=MANY)
    for market in map(fresh, MARKETS):
        world.exchange.add_market(market, now_ms)
        world.bank.split(COUNTERPARTY, market.condition_id, market.token_ids, to_micros("5000"))
        for side, price, size in BOOK:
            world.exchange.rest(
                market,
                outcome=0,
                side=side,
                price=to_micros(price),
                size=to_micros(size),
                maker=COUNTERPARTY,
                now_ms=now_ms,
            )


def money(
    trader: Trader, *, dollars: str = "1000", shares: Mapping[str, str] | None = None
) -> dict[str, object]:
    """What `/sandbox/fund` is told, so that somebody may trade."""
    return {
        "wallet": trader.wallet,
        "dollars": dollars,
        "shares": dict(shares or {}),
        "pol": "10",
        "approve": True,
    }
