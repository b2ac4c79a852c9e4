"""The venue's exchange: takes orders on, matches them, and knows what became of every one."""

from collections.abc import Callable, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

from betteroms.domain.money import to_text
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.events import Event, MarketAdded, OrderCanceled, OrderPlaced
from betteroms.sandbox.exchange import dumped, rules
from betteroms.sandbox.exchange.book import Book
from betteroms.sandbox.exchange.floor import Floor
from betteroms.sandbox.exchange.holds import Holds
from betteroms.sandbox.exchange.matching import UNSIGNED, Plan, crosses, killed_words, plan
from betteroms.sandbox.exchange.names import Names
from betteroms.sandbox.exchange.phases import Phases
from betteroms.sandbox.exchange.registry import Registry
from betteroms.sandbox.exchange.settlement import Settlement
from betteroms.sandbox.exchange.settling import Settling, settlement_of
from betteroms.sandbox.model import (
    MICROS,
    Market,
    Order,
    OrderStatus,
    Refused,
    SignedOrder,
    Trade,
    TradeStatus,
)
from betteroms.sandbox.schedule import Schedule


class Placement(NamedTuple):
    """What the venue answers: `making` and `taking` as the order's maker sees them, fee apart."""

    order: Order
    status: str
    making: int
    taking: int
    trades: tuple[Trade, ...]


class Exchange:
    """`orders` has every order that was taken on, by id, alive or dead; `trades` every trade by number."""

    def __init__(
        self,
        bank: Bank,
        schedule: Schedule,
        seed: int,
        emit: Callable[[Event], None],
        mined_after_ms: int,
        confirmed_after_ms: int,
    ) -> None:
        self.markets: dict[str, Market] = {}
        self.by_token: dict[str, Market] = {}
        self.holds = Holds(bank)
        self.registry = Registry()
        self.orders = self.registry.orders
        self.trades = self.registry.trades
        self.names = Names(seed)
        self.settling = Settling(
            bank=bank,
            holds=self.holds,
            schedule=schedule,
            registry=self.registry,
            emit=emit,
            mined_after_ms=mined_after_ms,
            confirmed_after_ms=confirmed_after_ms,
        )
        self._emit = emit
        self._schedule = schedule
        self._floor = Floor(self.holds, self.registry, self.settling, schedule, emit)
        self._phases = Phases(self._floor, schedule, emit)

    def add_market(self, market: Market, now_ms: int) -> None:
        self.markets[market.condition_id] = market
        for token_id in market.token_ids:
            self.by_token[token_id] = market
        self._floor.open(market)
        self._phases.begin(market, now_ms)
        self._emit(MarketAdded(market=market, at_ms=now_ms))

    def dump(self) -> dict[str, Any]:
        """Everything but the bank and the schedule, in plain JSON values; `restore` takes it back."""
        return {
            "markets": dumped.markets_dumped(self.markets),
            "registry": dumped.registry_dumped(self.registry),
            "floor": dumped.floor_dumped(self._floor),
            "holds": dumped.holds_dumped(self.holds),
            "settling": self.settling.dump(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what was dumped. Only for a new exchange; nobody is told of anything."""
        for market in dumped.markets_restored(state["markets"]):
            self.markets[market.condition_id] = market
            for token_id in market.token_ids:
                self.by_token[token_id] = market
            self._floor.open(market)
            self._phases.know(market)
        dumped.restore_registry(self.registry, state["registry"], self.markets)
        dumped.restore_floor(self._floor, state["floor"], self.orders)
        dumped.restore_holds(self.holds, state["holds"])
        self.settling.restore(state["settling"])

    def place(
        self,
        signed: SignedOrder,
        *,
        order_id: str,
        owner: str,
        time_in_force: TimeInForce,
        post_only: bool,
        now_ms: int,
        defer: bool = False,
    ) -> Placement:
        """Take an order on whose form and signature are good. `defer`: match it after the answer.

        Raises:
            Refused: a rule of the market or of the account is against it, or it is killed. Only a killed
                order leaves a trace: its id is used up.
        """
        market = self.by_token.get(signed.token_id)
        if market is None:
            raise Refused("No orderbook exists for the requested token id", status=404)
        if order_id in self.orders:
            raise Refused(f"order {order_id} is invalid. Duplicated.")
        rules.check_open(market)
        rules.check_life(signed, time_in_force, post_only=post_only, now_ms=now_ms)
        terms = rules.terms(signed, market, time_in_force, order_id=order_id)
        order = Order(
            id=order_id,
            number=self.registry.count,
            owner=intern(owner),
            maker=intern(signed.maker.lower()),
            signer=intern(signed.signer.lower()),
            market=market,
            outcome=market.outcome_index(signed.token_id),
            side=signed.side,
            maker_amount=signed.maker_amount,
            taker_amount=signed.taker_amount,
            price=terms.price,
            size=terms.size,
            time_in_force=time_in_force,
            post_only=post_only,
            expiration=signed.expiration,
            signature_type=signed.signature_type,
            created_ms=now_ms,
        )
        ladder = self._floor.books[market.condition_id].against(order.side, order.outcome)
        marketable = crosses(order, ladder.best())
        if post_only and marketable:
            raise Refused("invalid post-only order: order crosses book")
        if order.side is Side.BUY and (marketable or not time_in_force.rests):
            rules.check_marketable_buy(order.maker_amount)
        planned = plan(order, ladder) if marketable else Plan()
        self.holds.check(order, fees=sum(planned.fees))
        self.holds.check_allowed(order, fees=sum(planned.fees))
        delay_ms = market.seconds_delay * 1_000
        if marketable and (delay_ms or defer):
            self._floor.delay(order, now_ms=now_ms, until_ms=now_ms + delay_ms)
            return Placement(order, "delayed", 0, 0, ())
        return self._carry_out(order, planned, now_ms)

    def rest(
        self,
        market: Market,
        *,
        outcome: int,
        side: Side,
        price: int,
        size: int,
        maker: str,
        now_ms: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> Placement:
        """An order of the venue's own counterparties: unsigned, with an id of the venue's making.

        It needs the money or the shares, a price on the tick and whole lots, but no allowance, no least
        size and no delay; a BUY is for shares whatever its kind.

        Raises:
            Refused: it cannot be.
        """
        rules.check_open(market)
        number = self.registry.count
        order_id = self.names.order(number)
        if price % market.tick or not 0 < price < MICROS or size % rules.LOT or size <= 0:
            raise Refused(f"order {order_id} is invalid. {to_text(size)} shares at {to_text(price)}")
        dollars = price * size // MICROS
        buys = side is Side.BUY
        order = Order(
            id=order_id,
            number=number,
            owner="",
            maker=intern(maker.lower()),
            signer=intern(maker.lower()),
            market=market,
            outcome=outcome,
            side=side,
            maker_amount=dollars if buys else size,
            taker_amount=size if buys else dollars,
            price=price,
            size=size,
            time_in_force=time_in_force,
            post_only=False,
            expiration=0,
            signature_type=UNSIGNED,
            created_ms=now_ms,
        )
        planned = plan(order, self._floor.books[market.condition_id].against(side, outcome))
        self.holds.check(order, fees=sum(planned.fees))
        return self._carry_out(order, planned, now_ms)

    def _carry_out(self, order: Order, planned: Plan, now_ms: int) -> Placement:
        self.registry.count += 1
        self.registry.add(order)
        if self._floor.kills(order, planned):
            order.status = OrderStatus.CANCELED
            order.reason = killed_words(order.time_in_force)
            self._emit(OrderCanceled(order=order, at_ms=now_ms))
            raise Refused(order.reason)
        self._emit(OrderPlaced(order=order, at_ms=now_ms))
        trades = self._floor.trade(order, planned, now_ms)
        if not trades:
            return Placement(order, "live", 0, 0, ())
        making, taking = order.spent, order.matched
        if order.side is Side.SELL:
            taking = sum(trade.dollars for trade in trades)
        return Placement(order, "matched", making, taking, trades)

    def cancel(
        self,
        order: Order,
        now_ms: int,
        reason: str = "",
        status: OrderStatus = OrderStatus.CANCELED,
    ) -> str | None:
        """None when it is done, else why not (VENUE 3.4)."""
        if not order.status.alive:
            return "already canceled or matched"
        self._floor.cancel([order], now_ms, reason=reason, status=status)
        return None

    def open_orders(self, owner: str | None = None, maker: str | None = None) -> list[Order]:
        """By API key or by wallet or both, oldest first; with neither all of them."""
        return self.registry.open_orders(owner, maker)

    def orders_of(self, owner: str | None = None, maker: str | None = None) -> list[Order]:
        """Alive and dead, oldest first."""
        return self.registry.orders_of(owner, maker)

    def trades_of(self, owner: str | None = None, maker: str | None = None) -> list[Trade]:
        """Trades that an order of that API key or wallet had a part in, oldest first."""
        return self.registry.trades_of(owner, maker)

    def book(self, market: Market) -> Book:
        """Seen from the first outcome; the second's is its mirror."""
        return self._floor.books[market.condition_id]

    def available(self, wallet: str, token_id: str | None) -> int:
        """What a new order may use: on the chain, and neither owed to a match nor in an open order."""
        return self.holds.available(wallet, token_id)

    def set_tick(self, market: Market, tick: int, now_ms: int) -> None:
        """Orders whose price is no multiple of the new tick are canceled: the book could not show them."""
        self._phases.set_tick(market, tick, now_ms)

    def close(self, market: Market, now_ms: int) -> None:
        """No new orders from now on; those in the book stay until the market is resolved."""
        self._phases.close(market, now_ms)

    def resolve(self, market: Market, payouts: tuple[int, int], now_ms: int) -> None:
        """The outcome is known: `payouts` in millionths of a dollar per share. Open orders are canceled."""
        self._phases.resolve(market, payouts, now_ms)

    def start_game(self, market: Market, now_ms: int) -> None:
        """Resting orders are canceled at the start of a game (VENUE 3.2)."""
        self._phases.start_game(market, now_ms)

    def fail_next(self, n: int = 1) -> None:
        """Let the settlement of the next trades fail."""
        self.settling.fail_next(n)

    def script_settlement(self, target: str, steps: Sequence[str]) -> None:
        """How a trade, or every trade of an order, shall go: RETRYING ..., then MINED or FAILED.

        Raises:
            ValueError: the steps are in no order a trade can go.
        """
        script = [TradeStatus(step) for step in steps]
        trade = self.trade_of(target)
        if trade is None:
            self.settling.script_order(target, script)
        else:
            self.settling.script_trade(trade.number, script)

    def trade_id(self, trade: Trade) -> str:
        return self.names.trade(trade.number)

    def trade_of(self, trade_id: str) -> Trade | None:
        number = self.names.number_of_trade(trade_id)
        return self.trades[number] if number is not None and number < len(self.trades) else None

    def transaction_hash(self, trade: Trade) -> str:
        """Another one for each attempt."""
        return self.names.transaction(trade.number, trade.attempt)

    def trade_mined_in(self, transaction_hash: str) -> Trade | None:
        """The trade whose latest transaction has that hash."""
        found = self.names.number_of_transaction(transaction_hash)
        if found is None or found[0] >= len(self.trades):
            return None
        trade = self.trades[found[0]]
        return trade if trade.attempt == found[1] else None

    def settlement(self, trade: Trade) -> Settlement:
        """The trade's balance changes and events on the chain."""
        return settlement_of(trade)
