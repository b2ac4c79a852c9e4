"""What is left to spend, to sell and to cap: the account as it moves with each order taken on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from betteroms.domain.fact import fact
from betteroms.domain.fees import fee, worst_fee_of_dollars
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Price, Size, Usdc, cost
from betteroms.domain.order import Order
from betteroms.domain.risk.history import NOTHING, History
from betteroms.domain.risk.past import REFUSED, opening_notional
from betteroms.domain.risk.permits import Permits
from betteroms.domain.risk.selfcross import Resting
from betteroms.domain.risk.stakes import Stakes
from betteroms.domain.rounding import Shaped
from betteroms.domain.terms import Dollars, Liquidity, Shares, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Cash and shares at the run's start, and what open orders reserve of them.

    What the run itself buys or sells is not spendable in it (DECISIONS 3.1). `in_flight` are shares among
    those held whose settlement has not come far enough for them to be sold.
    """

    cash: Usdc = Usdc(0)
    reserved_cash: Usdc = Usdc(0)
    held: Mapping[TokenId, Size]
    reserved_shares: Mapping[TokenId, Size]
    in_flight: Mapping[TokenId, Size] = field(default_factory=dict)


@fact
class Allowed:
    """The order may go. `notional` is its worst cost, fee apart; `need` the cash it draws, worst fee
    included, 0 for a SELL.

    `exempt` says that it only reduces risk, so that the caps were not asked. `likeness` is what makes
    another order of the run the same. `market` is where it trades.
    """

    notional: Usdc
    need: Usdc
    exempt: bool
    likeness: tuple[object, ...]
    market: Market


def worst_notional(shaped: Shaped) -> Usdc:
    """Dollars at the worst price, fee apart, rounded up."""
    if isinstance(shaped.amount, Dollars):
        return shaped.amount.usdc
    return cost(shaped.limit_price, shaped.amount.size)


def worst_fee(shaped: Shaped, market: Market, best_ask: Price | None) -> Usdc:
    """The most a BUY can be charged on top of its notional (DECISIONS 3.2)."""
    if isinstance(shaped.amount, Dollars):
        best = shaped.limit_price if best_ask is None else best_ask
        return worst_fee_of_dollars(market.fees, usdc=shaped.amount.usdc, best=best, limit=shaped.limit_price)
    return fee(market.fees, price=shaped.limit_price, size=shaped.amount.size, liquidity=Liquidity.TAKER)


class Exposure:
    """The account as the run's orders draw on it, one after the other.

    `history` is the account's past, `resting` are the orders of ours that are on the books of the run's
    markets once everything that was to be cancelled is gone. `permits` are the venue's bounds, None where
    nothing leaves the process. Checks read it; only `accept` moves it.
    """

    __slots__ = (
        "_allowed",
        "_day_orders",
        "_in_flight",
        "_sellable",
        "cash",
        "earlier_notional",
        "history",
        "notional",
        "orders",
        "permits",
        "resting",
        "seen",
        "stakes",
    )

    def __init__(
        self,
        account: Account,
        *,
        history: History = NOTHING,
        resting: Iterable[Order] = (),
        permits: Permits | None = None,
    ) -> None:
        self.permits = permits
        cash = account.cash if permits is None else min(account.cash, permits.cash)
        self.cash: int = cash - account.reserved_cash
        # Open orders draw on allowances, too; which of them on which, nobody tells of all markets.
        self._allowed: dict[str, int] = {
            contract: most - account.reserved_cash
            for contract, most in ({} if permits is None else permits.allowances).items()
        }
        self._in_flight = account.in_flight
        self._sellable: dict[TokenId, int] = {
            token: self._there(token, size) - account.reserved_shares.get(token, 0)
            for token, size in account.held.items()
        }
        for token, size in account.in_flight.items():
            self._sellable[token] = self._sellable.get(token, 0) - size
        self.notional: int = 0
        self.earlier_notional: int = 0
        self.orders: int = 0
        self.seen: dict[tuple[object, ...], OrderId] = {}
        self.history = history
        self.resting = Resting(resting)
        self.stakes = Stakes(history.stakes)
        self._day_orders: dict[MarketId, int] = dict(history.day_orders)

    def _there(self, token: TokenId, held: Size) -> int:
        """Of the shares held, those that the venue has seen arrive, or that are on their way."""
        seen = None if self.permits is None else self.permits.shares.get(token)
        return held if seen is None else min(held, seen + self._in_flight.get(token, 0))

    def allowed(self, market_id: MarketId) -> int | None:
        """Dollars that the market's contract may still take; None where nobody asked."""
        if self.permits is None:
            return None
        return self._allowed.get(self.permits.contracts.get(market_id, ""), 0)

    def resume(self, order: Order) -> None:
        """Count what an earlier attempt of the run took on towards the run's own caps; the rest knows it."""
        if order.status in REFUSED:
            return
        self.orders += 1
        self.earlier_notional += opening_notional(order)

    def sellable(self, token_id: TokenId) -> int:
        """Shares held and neither in flight, nor reserved by open orders, nor promised in this run."""
        return self._sellable.get(token_id, 0)

    def in_flight(self, token_id: TokenId) -> int:
        """Shares held whose settlement has not come far enough for them to be sold."""
        return self._in_flight.get(token_id, 0)

    def day_orders(self, market_id: MarketId) -> int:
        """Today's orders in the market, those of this run too."""
        return self._day_orders.get(market_id, 0)

    def accept(self, order_id: OrderId, intent: Intent, shaped: Shaped, allowed: Allowed) -> None:
        """Draw on the account for an order that was allowed."""
        self.orders += 1
        self.seen.setdefault(allowed.likeness, order_id)
        self._day_orders[intent.market_id] = self._day_orders.get(intent.market_id, 0) + 1
        if intent.time_in_force.rests:
            self.resting.add(order_id, intent, shaped.limit_price)
        if intent.side is Side.BUY:
            self.cash -= allowed.need
            if self.permits is not None:
                contract = self.permits.contracts.get(intent.market_id, "")
                self._allowed[contract] = self._allowed.get(contract, 0) - allowed.need
            self.notional += allowed.notional
            self.stakes.add(allowed.market, intent.token_id, notional=allowed.notional, need=allowed.need)
            return
        assert isinstance(shaped.amount, Shares), "a SELL is always in shares"
        self._sellable[intent.token_id] = self.sellable(intent.token_id) - shaped.amount.size
