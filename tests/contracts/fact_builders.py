"""Makers of what ledgers are told besides orders and their events: payouts, exit rules, bounds, snapshots."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.external import ExternalFill
from betteroms.domain.ids import OrderId, RunId, key, order_id
from betteroms.domain.intent import ExitRules
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Usdc
from betteroms.domain.order import ChainState, Order, OrderStatus
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.rule import RuleOrigin, RuleSet
from betteroms.domain.terms import Liquidity, Mode, Shares, Side
from betteroms.ports import Fact, OrderBounds, Run
from tests.contracts.builders import (
    NOON,
    RAIN,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    order_of,
    token,
)
from tests.contracts.ledgers import Installation
from tests.domain.examples import an_intent, an_order, price, shares, size, usdc

LATER = timedelta(hours=1)


def settlement(
    shares: str,
    payout: str = "1",
    *,
    on: Market = RAIN,
    outcome_index: int = 0,
    mode: Mode = Mode.PAPER,
    at: datetime = NOON,
    key: str = "1",
    **changed: Any,
) -> LedgerEntry:
    """What a resolved market pays for so many shares of an outcome: they leave, and the dollars come."""
    name = token(on, outcome_index)
    fields: dict[str, Any] = {
        "key": f"{mode}/settlement/{name}/{key}",
        "mode": mode,
        "kind": EntryKind.SETTLEMENT,
        "cash": Usdc(size(shares) * price(payout) // MICROS),
        "at": at,
        "market_id": on.market_id,
        "token_id": name,
        "size": -size(shares),
        "payout": price(payout),
        "paid_for": size(shares),
    }
    return LedgerEntry(**fields | changed)


def taken_back(paid: LedgerEntry) -> LedgerEntry:
    """The entry that takes a payout back; the shares do not return."""
    kind, cash = EntryKind.REVERSAL, Usdc(-paid.cash)
    return replace(paid, key=f"{paid.key}/back", kind=kind, cash=cash, size=size("0"))


def rule_set(
    *, on: Market = RAIN, outcome_index: int = 0, mode: Mode = Mode.PAPER, name: str = "rules", **changed: Any
) -> RuleSet:
    """A stop-loss at ten percent that the operator set, not looked at yet."""
    fields: dict[str, Any] = {
        "rule_id": order_id(name),
        "mode": mode,
        "market_id": on.market_id,
        "token_id": token(on, outcome_index),
        "outcome": on.outcomes[outcome_index].label,
        "outcome_index": outcome_index,
        "rules": ExitRules(stop_loss_pct=10 * MICROS),
        "origin": RuleOrigin.OPERATOR,
        "set_at": NOON,
    }
    return RuleSet(**fields | changed)


def order_bounds(
    order: Order,
    *,
    pessimistic: str = "0",
    optimistic: str = "0",
    at_once: str = "0",
    ahead: str = "0",
) -> OrderBounds:
    """How an order might have filled."""
    bounds = FillBounds(
        order_id=order.order_id,
        at_once=size(at_once),
        ahead=size(ahead),
        pessimistic=size(pessimistic),
        optimistic=size(optimistic),
    )
    return OrderBounds(mode=order.mode, bounds=bounds)


def portfolio(run: Run, *, gain: str = "0", at: datetime | None = None, **changed: Any) -> PortfolioSnapshot:
    """An account without positions that was opened with 1000 and gained so much."""
    taken_at = at or run.now
    worth = Usdc(usdc("1000") + usdc(gain))
    fields: dict[str, Any] = {
        "mode": run.mode,
        "hour": taken_at.replace(minute=0, second=0, microsecond=0),
        "taken_at": taken_at,
        "run_id": run.run_id,
        "positions": 0,
        "cost_basis": usdc("0"),
        "market_value": usdc("0"),
        "realised": usdc(gain),
        "unrealised": usdc("0"),
        "fees": usdc("0"),
        "cash": worth,
        "deposited": usdc("1000"),
        "net_liquidation": worth,
        "pessimistic": usdc("0"),
        "optimistic": usdc("0"),
    }
    return PortfolioSnapshot(**fields | changed)


def by_token(*rules: Fact) -> list[Fact]:
    """Rules as readers order them."""
    return sorted(rules, key=lambda found: getattr(found, "token_id", ""))


def held(at: Installation, bought: str = "100", *, plan: str = "june", mode: Mode = Mode.PAPER) -> Order:
    """A completed run that bought so many shares of RAIN at 0.40, all of its order."""
    run = begin(at.ledger, a_run(plan, mode=mode))
    order = order_of(run, amount=shares(bought), at="0.40")
    bought_all = filled(order, fill(order, bought, "0.40", fee="0.5"), taken=f"0.4x{bought}", complete=True)
    at.ledger.record([order], [], sends_out=False)
    at.ledger.apply([accepted(order), bought_all])
    finish(at.ledger, run)
    return order


def told(at: Installation, *facts: Fact, plan: str | None = None, hours: int = 1) -> Run:
    """A run that only takes these facts in, and is closed."""
    run = begin(at.ledger, a_run(plan, at=NOON + hours * LATER))
    at.ledger.note(facts)
    finish(at.ledger, run)
    return run


def external_fill(
    shares: str,
    at: str = "0.40",
    *,
    on: Market = RAIN,
    outcome_index: int = 0,
    side: Side = Side.BUY,
    order: str = "0xe1",
    fill: str = "trade-1",
    state: ChainState = ChainState.MATCHED,
    **changed: Any,
) -> ExternalFill:
    """A fill of the wallet whose order nobody here placed."""
    dollars = size(shares) * price(at) // MICROS
    fields: dict[str, Any] = {
        "mode": Mode.LIVE,
        "external_order_id": order,
        "external_execution_id": fill,
        "market_id": on.market_id,
        "token_id": token(on, outcome_index),
        "outcome": on.outcomes[outcome_index].label,
        "outcome_index": outcome_index,
        "side": side,
        "price": price(at),
        "size": size(shares),
        "cash": Usdc(-dollars if side is Side.BUY else dollars),
        "fee": usdc("0.01"),
        "liquidity": Liquidity.TAKER,
        "executed_at": NOON - LATER,
        "state": state,
    }
    return ExternalFill(**fields | changed)


def execution_of(found: ExternalFill, name: OrderId, *, number: int) -> Execution:
    """The fill as it is booked."""
    shared = {field.name for field in fields(Execution)} - {"order_id", "number"}
    return Execution(order_id=name, number=number, **{name: getattr(found, name) for name in shared})


def synthetic(found: ExternalFill, run: RunId) -> Order:
    """The row that an order has of which only one fill is known, before that is booked."""
    amount = Shares(size=found.size)
    intent = an_intent(
        key=key("live", "external", found.external_order_id),
        source="external",
        plan_id=None,
        market_id=found.market_id,
        token_id=found.token_id,
        outcome=found.outcome,
        outcome_index=found.outcome_index,
        side=found.side,
        wished_amount=amount,
        wished_price=found.price,
        slippage_ticks=0,
    )
    return an_order(
        replace(intent, line=None),
        order_id=order_id(intent.key),
        mode=found.mode,
        run_id=run,
        created_at=found.executed_at,
        amount=amount,
        limit_price=found.price,
        status=OrderStatus.NEW,
        code="EXTERNAL",
        reason="the venue told of its fills; it was not placed from here",
        external_order_id=found.external_order_id,
    )
