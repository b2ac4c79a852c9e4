"""Makers of what ledgers are told besides orders and their events: payouts, exit rules, bounds, snapshots."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain.bounds import FillBounds
from betteroms.domain.ids import order_id
from betteroms.domain.intent import ExitRules
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Usdc
from betteroms.domain.order import Order
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.rule import RuleOrigin, RuleSet
from betteroms.domain.terms import Mode
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
from tests.domain.examples import price, shares, size, usdc

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
