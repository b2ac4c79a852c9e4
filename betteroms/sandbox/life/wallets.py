"""The wallets of the counterparties: named, paid once, and never a source of money again."""

from typing import Final

from betteroms.sandbox.model import Market
from betteroms.sandbox.seeding.resting import approve_trading
from betteroms.sandbox.world import World

ENDOWMENT: Final = 1_000_000_000_000
"""What a counterparty has to begin with: a million dollars."""


def wallet(world: World, name: str) -> str:
    """The address of a counterparty; its key is nobody's."""
    return "0x" + world.name("life", name)[:20].hex()


def endow(world: World, name: str) -> None:
    """Give a counterparty its money and let it trade. To be done once for each name."""
    address = wallet(world, name)
    world.bank.move({(address, None): ENDOWMENT})
    approve_trading(world.bank, address)


def have_shares(world: World, owner: str, market: Market, outcome: int, shares: int) -> None:
    """Split dollars until the wallet can sell so many shares of the outcome.

    Leaves it with fewer where its free dollars do not suffice: the venue will say so.
    """
    lacking = shares - world.exchange.available(owner, market.token_ids[outcome])
    if 0 < lacking <= world.exchange.available(owner, None):
        world.bank.split(owner, market.condition_id, market.token_ids, lacking)


def merge_spare(world: World, owner: str, market: Market) -> None:
    """Turn full sets that no order needs back into dollars."""
    spare = min(world.exchange.available(owner, token) for token in market.token_ids)
    if spare > 0:
        world.bank.merge(owner, market.condition_id, market.token_ids, spare)
