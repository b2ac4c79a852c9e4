"""How trades come to the chain: mined, confirmed, tried again or given up, each at its time.

Steps are tasks of the venue's schedule. A script may say how a trade goes: RETRYING any number of times (a
new transaction each), then MINED or FAILED. Without one it is mined and confirmed, unless a party has not
what it promised: then it fails and moves nothing. The orders keep what was matched (VENUE 10.3).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from betteroms.domain.terms import Side
from betteroms.sandbox.bank import UNLIMITED, Bank, Insufficient
from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.exchange.holds import Holds, exchange_of, shares_contract
from betteroms.sandbox.exchange.matching import UNSIGNED
from betteroms.sandbox.exchange.registry import Registry
from betteroms.sandbox.exchange.settlement import Leg, Settlement, settle
from betteroms.sandbox.model import Order, Trade, TradeStatus
from betteroms.sandbox.schedule import Schedule

_ENDS = (TradeStatus.MINED, TradeStatus.CONFIRMED, TradeStatus.FAILED)


def leg_of(order: Order, *, fee: int) -> Leg:
    return Leg(order.id, order.maker, order.token_id, order.side, order.maker_amount, order.taker_amount, fee)


def settlement_of(trade: Trade) -> Settlement:
    """What the trade does on the chain when it is mined."""
    makers = [
        (leg_of(fill.order, fee=fill.fee), fill.dollars if fill.order.side is Side.BUY else fill.shares)
        for fill in trade.fills
    ]
    return settle(leg_of(trade.taker, fee=trade.fee), makers)


class Settling:
    def __init__(
        self,
        *,
        bank: Bank,
        holds: Holds,
        schedule: Schedule,
        registry: Registry,
        emit: Callable[[Event], None],
        mined_after_ms: int,
        confirmed_after_ms: int,
    ) -> None:
        """`confirmed_after_ms` counts from the match, like `mined_after_ms`."""
        self._bank = bank
        self._holds = holds
        self._schedule = schedule
        self._registry = registry
        self._emit = emit
        self._mined_after_ms = mined_after_ms
        self._confirmed_after_ms = max(confirmed_after_ms, mined_after_ms)
        self._fail_next = 0
        self._scripts: dict[int, list[TradeStatus]] = {}
        self._order_scripts: dict[str, list[TradeStatus]] = {}
        schedule.handle("mined", self._mine)
        schedule.handle("confirmed", self._confirm)

    def fail_next(self, count: int) -> None:
        """Let the next trades fail."""
        self._fail_next += count

    def script_trade(self, number: int, steps: Sequence[TradeStatus]) -> None:
        self._scripts[number] = _checked(steps)

    def script_order(self, order_id: str, steps: Sequence[TradeStatus]) -> None:
        """For every trade of the order that has not been mined yet, made or still to come."""
        self._order_scripts[order_id] = _checked(steps)
        order = self._registry.orders.get(order_id)
        for number in order.trades if order is not None else ():
            if self._registry.trades[number].status in (TradeStatus.MATCHED, TradeStatus.RETRYING):
                self._scripts[number] = _checked(steps)

    def dump(self) -> dict[str, Any]:
        """What is scripted for trades to come, in plain JSON values."""
        return {
            "fail_next": self._fail_next,
            "trades": [[number, list(steps)] for number, steps in self._scripts.items()],
            "orders": [[order_id, list(steps)] for order_id, steps in self._order_scripts.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._fail_next = state["fail_next"]
        self._scripts = {number: [TradeStatus(step) for step in steps] for number, steps in state["trades"]}
        self._order_scripts = {
            order_id: [TradeStatus(step) for step in steps] for order_id, steps in state["orders"]
        }

    def start(self, trade: Trade, now_ms: int) -> None:
        self._holds.owe(trade)
        if self._fail_next:
            self._fail_next -= 1
            self._scripts[trade.number] = [TradeStatus.FAILED]
        elif self._order_scripts:
            for order in (trade.taker, *(fill.order for fill in trade.fills)):
                if order.id in self._order_scripts:
                    self._scripts[trade.number] = list(self._order_scripts[order.id])
        self._emit(TradeMoved(trade=trade, at_ms=now_ms))
        self._schedule.at(now_ms + self._mined_after_ms, "mined", trade=trade.number)

    def _mine(self, values: Mapping[str, Any], now_ms: int) -> None:
        trade = self._registry.trades[values["trade"]]
        steps = self._scripts.get(trade.number)
        step = steps.pop(0) if steps else TradeStatus.MINED
        if step is TradeStatus.RETRYING:
            trade.attempt += 1
            self._move(trade, TradeStatus.RETRYING, now_ms)
            self._schedule.at(now_ms + self._mined_after_ms, "mined", trade=trade.number)
            return
        self._scripts.pop(trade.number, None)
        self._holds.settled(trade)
        if step is TradeStatus.FAILED or not self._pay(trade):
            self._move(trade, TradeStatus.FAILED, now_ms)
            return
        self._move(trade, TradeStatus.MINED, now_ms)
        later_ms = self._confirmed_after_ms - self._mined_after_ms
        self._schedule.at(now_ms + later_ms, "confirmed", trade=trade.number)

    def _confirm(self, values: Mapping[str, Any], now_ms: int) -> None:
        self._move(self._registry.trades[values["trade"]], TradeStatus.CONFIRMED, now_ms)

    def _move(self, trade: Trade, status: TradeStatus, now_ms: int) -> None:
        trade.status = status
        trade.updated_ms = now_ms
        self._emit(TradeMoved(trade=trade, at_ms=now_ms))

    def _pay(self, trade: Trade) -> bool:
        """One transaction: all of it, or none of it and False."""
        settlement = settlement_of(trade)
        try:
            spent = _allowed(self._bank, trade)
            self._bank.move(settlement.deltas)
        except Insufficient:
            return False
        self._bank.locked[trade.taker.market.condition_id] += settlement.minted
        for (wallet, spender), dollars in spent.items():
            left = self._bank.allowance(wallet, spender) - dollars
            self._bank.approve(wallet, spender, left)
        return True


def _allowed(bank: Bank, trade: Trade) -> dict[tuple[str, str], int]:
    """The allowances the trade uses up, by (wallet, spender); unlimited ones stay as they are.

    Raises:
        Insufficient: somebody does not let the exchange take what it has to.
    """
    market = trade.taker.market
    spender, contract = exchange_of(market), shares_contract(market)
    spent: dict[tuple[str, str], int] = defaultdict(int)
    taker = [(trade.taker, trade.dollars + trade.fee)]
    for order, dollars in taker + [(fill.order, fill.dollars + fill.fee) for fill in trade.fills]:
        if order.signature_type == UNSIGNED:
            continue
        if order.side is Side.SELL:
            if not bank.is_operator(order.maker, contract, spender):
                raise Insufficient(f"{spender} is no operator of {order.maker}")
        elif bank.allowance(order.maker, spender) != UNLIMITED:
            spent[order.maker, spender] += dollars
            if spent[order.maker, spender] > bank.allowance(order.maker, spender):
                raise Insufficient(f"{order.maker} allows {spender} less than {dollars}")
    return spent


def _checked(steps: Sequence[TradeStatus]) -> list[TradeStatus]:
    """A script: RETRYING any number of times, then nothing, MINED, MINED and CONFIRMED, or FAILED.

    Raises:
        ValueError: the steps are in no such order.
    """
    script = [TradeStatus(step) for step in steps]
    tries = 0
    while tries < len(script) and script[tries] is TradeStatus.RETRYING:
        tries += 1
    rest = script[tries:]
    if rest not in ([], *([end] for end in _ENDS), [TradeStatus.MINED, TradeStatus.CONFIRMED]):
        raise ValueError(f"no way for a trade to go: {' '.join(script)}")
    end = TradeStatus.FAILED if TradeStatus.FAILED in rest else TradeStatus.MINED
    return [*script[:tries], end]
