"""Fill books with orders of the venue's own counterparties, who have what it takes to honour them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import (
    CONDITIONAL_TOKENS,
    EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_EXCHANGE,
    POSITION_MANAGER,
)
from betteroms.sandbox.bank import UNLIMITED, Bank
from betteroms.sandbox.model import MICROS, Market, Refused

if TYPE_CHECKING:
    from betteroms.sandbox.world import World

COUNTERPARTIES: Final = 8

Level = tuple[int, int]
"""Price and size, in millionths, of the first outcome."""


def counterparty(world: "World", number: int) -> str:
    """The address of one of the venue's own wallets; its key is nobody's."""
    return "0x" + world.name("counterparty", number)[:20].hex()


def approve_trading(bank: Bank, owner: str) -> None:
    """What a wallet needs to trade on all three exchanges. Source: VENUE 2.6."""
    for exchange in (EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3):
        bank.approve(owner, exchange, UNLIMITED)
    for exchange in (EXCHANGE, NEG_RISK_EXCHANGE):
        bank.set_operator(owner, CONDITIONAL_TOKENS, exchange, allowed=True)
    bank.set_operator(owner, POSITION_MANAGER, EXCHANGE_V3, allowed=True)


def rest_levels(
    world: "World", market: Market, *, bids: Sequence[Level], asks: Sequence[Level], now_ms: int
) -> list[str]:
    """One resting order for each level; says which the venue would not take.

    Each is backed in full before: dollars for a bid, and for an offer shares split from dollars.
    """
    refused: list[str] = []
    orders: list[tuple[str, Side, Level]] = [
        (counterparty(world, number % COUNTERPARTIES), side, level)
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks))
        for number, level in enumerate(levels)
    ]
    _back(world.bank, market, orders)
    for maker, side, (price, size) in orders:
        try:
            world.exchange.rest(
                market, outcome=0, side=side, price=price, size=size, maker=maker, now_ms=now_ms
            )
        except Refused as no:
            refused.append(f"market {market.slug}: {side} {size} at {price} (millionths): {no.text}")
    return refused


def _back(bank: Bank, market: Market, orders: Sequence[tuple[str, Side, Level]]) -> None:
    dollars: dict[str, int] = defaultdict(int)
    shares: dict[str, int] = defaultdict(int)
    for maker, side, (price, size) in orders:
        if side is Side.BUY:
            dollars[maker] += -(-price * size // MICROS)
        else:
            shares[maker] += size
    for maker in dict.fromkeys([*dollars, *shares]):
        bank.move({(maker, None): dollars[maker] + shares[maker]})
        if shares[maker]:
            bank.split(maker, market.condition_id, market.token_ids, shares[maker])
        approve_trading(bank, maker)
