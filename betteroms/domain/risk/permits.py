"""What the venue lets our wallet do now, which no book tells: asked for where orders leave the process."""

from collections.abc import Mapping
from dataclasses import dataclass

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Size, Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """What may be spent, sold and opened as the venue sees it; the ledger's own sums hold besides.

    `cash` is the wallet's dollars. `contracts` names by market the contract that settles its orders,
    `allowances` by contract how many dollars it may take; what is absent may take none. `shares` are the
    wallet's by token, for those that were asked for, and `sellable` are the tokens that their contract may
    take. `closed_only` says that nothing may be opened.
    """

    cash: Usdc
    contracts: Mapping[MarketId, str]
    allowances: Mapping[str, Usdc]
    shares: Mapping[TokenId, Size]
    sellable: frozenset[TokenId]
    closed_only: bool = False
