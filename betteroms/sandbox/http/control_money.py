"""Money made and unmade for rehearsals, and approvals given without a transaction.

Shares are never made from nothing: full sets are bought for them, and the venue's treasury keeps what of a
set was not asked for.
"""

from typing import Any

from betteroms.domain.money import to_text
from betteroms.sandbox.addresses import CONDITIONAL_TOKENS, POSITION_MANAGER
from betteroms.sandbox.bank import Insufficient
from betteroms.sandbox.http.balances import SPENDERS
from betteroms.sandbox.http.control_fields import Complaints, Fields
from betteroms.sandbox.model import Market
from betteroms.sandbox.seeding.resting import approve_trading
from betteroms.sandbox.venue import Venue
from betteroms.sandbox.world import World

POL: int = 10**12
"""Of POL's wei to a millionth."""


def treasury(world: World) -> str:
    """The venue's own wallet."""
    return "0x" + world.name("treasury")[:20].hex()


def fund(venue: Venue, fields: Fields) -> Any:
    """{"wallet", "dollars": "1000", "shares": {token: "500"}, "usdc_e": "5", "pol": "1", "approve": true}

    The CLOB sees it at once; with "seen": false not before the member asks for an update.
    """
    world = venue.world
    address = fields.address("wallet")
    dollars, bridged, native = (fields.amount(name) for name in ("dollars", "usdc_e", "pol"))
    shares = _shares(world, fields)
    approved, seen = fields.flag("approve", False), fields.flag("seen", True)
    fields.done()
    world.chain.fund(address, dollars=dollars, bridged=bridged, pol=native * POL)
    for market, amounts in shares:
        _give_shares(world, address, market, amounts)
    if approved:
        approve_trading(world.bank, address)
    if seen:
        venue.desk.balances.forget(address)
    return _holdings(world, address)


def withdraw(venue: Venue, fields: Fields) -> Any:
    """{"wallet", "dollars": "10", "shares": {token: "5"}}: behind the owner's and the CLOB's back.

    "seen": true lets the CLOB look again at once.
    """
    world = venue.world
    address = fields.address("wallet")
    dollars = fields.amount("dollars")
    shares = _shares(world, fields)
    seen = fields.flag("seen", False)
    fields.done()
    taken: dict[tuple[str, str | None], int] = {}
    for market, amounts in shares:
        for token_id, amount in zip(market.token_ids, amounts, strict=True):
            taken[address, token_id] = -amount
            taken[treasury(world), token_id] = amount
    try:
        if world.bank.balance(address) < dollars:
            raise Insufficient(f"{address} has {world.bank.balance(address)} of pUSD")
        world.bank.move(taken)
    except Insufficient as error:
        raise Complaints([str(error)]) from None
    world.bank.move({(address, None): -dollars})
    if seen:
        venue.desk.balances.forget(address)
    return _holdings(world, address)


def approve(venue: Venue, fields: Fields) -> Any:
    """{"wallet", "allowed": true, "dollars": "100"}: for all exchanges; of dollars any amount.

    With "allowed": false no exchange may move anything any more. "seen" as for funding.
    """
    world = venue.world
    address = fields.address("wallet")
    allowed, limited = fields.flag("allowed", True), fields.has("dollars")
    dollars = fields.amount("dollars")
    seen = fields.flag("seen", True)
    fields.done()
    if allowed:
        approve_trading(world.bank, address)
    for spender in SPENDERS:
        if limited or not allowed:
            world.bank.approve(address, spender, dollars if allowed else 0)
        for contract in (CONDITIONAL_TOKENS, POSITION_MANAGER):
            if not allowed:
                world.bank.set_operator(address, contract, spender, allowed=False)
    if seen:
        venue.desk.balances.forget(address)
    return {}


def _shares(world: World, fields: Fields) -> list[tuple[Market, tuple[int, int]]]:
    """By market, of either outcome."""
    found: dict[str, list[int]] = {}
    for token_id, amount in fields.amounts("shares").items():
        market = world.exchange.by_token.get(token_id)
        if market is None:
            fields.complain(f"shares.{token_id}", "no such token here")
        else:
            found.setdefault(market.condition_id, [0, 0])[market.outcome_index(token_id)] += amount
    markets = world.exchange.markets
    return [(markets[condition_id], (first, second)) for condition_id, (first, second) in found.items()]


def _give_shares(world: World, address: str, market: Market, amounts: tuple[int, int]) -> None:
    keeper = treasury(world)
    lacking = [
        amount - world.bank.balance(keeper, token_id)
        for token_id, amount in zip(market.token_ids, amounts, strict=True)
    ]
    sets = max(0, *lacking)
    world.bank.move({(keeper, None): sets})
    world.bank.split(keeper, market.condition_id, market.token_ids, sets)
    moves: dict[tuple[str, str | None], int] = {}
    for token_id, amount in zip(market.token_ids, amounts, strict=True):
        moves[keeper, token_id] = -amount
        moves[address, token_id] = amount
    world.bank.move(moves)


def _holdings(world: World, address: str) -> Any:
    shares = {
        token_id: to_text(amount)
        for (owner, token_id), amount in world.bank.shares.items()
        if owner == address and amount
    }
    return {"wallet": address, "dollars": to_text(world.bank.balance(address)), "shares": shares}
