"""What a pass of maintenance came to, as JSON: it follows from the books and the state alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from betteroms.domain.ids import TokenId
from betteroms.domain.money import to_text
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import RuleSet
from betteroms.jobs import summary, told
from betteroms.jobs.passage import Passage
from betteroms.pipeline import Outcome
from betteroms.sources.rules import Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Everything one pass saw and did."""

    passage: Passage
    entries: Sequence[LedgerEntry]
    verdicts: Verdicts
    outcome: Outcome
    after: Mapping[TokenId, Position]
    values: Mapping[TokenId, int]
    portfolio: PortfolioSnapshot
    trip: RiskState | None
    remarks: Sequence[str]


def result(done: Pass, *, status: str) -> dict[str, Any]:
    """The pass for `runs.summary_json`; nothing in it depends on the wall clock."""
    run, world, outcome = done.passage.run, done.passage.world, done.outcome
    names = {market.market_id: market.name for market in world.markets.values()}
    return {
        "kind": run.kind,
        "mode": run.mode.value,
        "status": status,
        "settlements": [_settlement(entry, names) for entry in done.entries],
        "settled": [
            {
                **summary.settled(order, outcome.settled_executions.get(order.order_id, ())),
                "marketId": names.get(order.intent.market_id, order.intent.market_id),
            }
            for order in outcome.settled
        ],
        "instructions": [
            {
                **summary.instruction(order, outcome.executions.get(order.order_id, ()), world.books, ()),
                "marketId": names.get(order.intent.market_id, order.intent.market_id),
            }
            for order in outcome.orders
        ],
        "waiting": [intent.key for intent in outcome.waiting],
        "rules": [_rules(rules, names) for rules in done.verdicts.changed],
        "totals": {
            **summary.totals(outcome, world.books),
            **_moved(done),
            "settlements": len(done.entries),
        },
        "refused": summary.refused(outcome.orders),
        "portfolio": portfolio(done.portfolio),
        "tripped": None if done.trip is None else done.trip.detail,
        "books": summary.books(world.books),
        "warnings": list(done.remarks),
    }


def _moved(done: Pass) -> dict[str, int]:
    """What became of orders that were resting."""
    settled, executions = done.outcome.settled, done.outcome.settled_executions
    return {
        "restingFilled": sum(order.order_id in executions for order in settled),
        "ended": sum(order.status.value in ("CANCELED", "EXPIRED") for order in settled),
        "stillResting": len(done.passage.pipeline.open_orders),
    }


def _settlement(entry: LedgerEntry, names: Mapping[Any, str]) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "marketId": names.get(entry.market_id, entry.market_id),
        "tokenId": entry.token_id,
        "size": to_text(entry.paid_for),
        "payout": to_text(entry.payout or 0),
        "cash": to_text(entry.cash),
    }


def _rules(rules: RuleSet, names: Mapping[Any, str]) -> dict[str, Any]:
    trigger = rules.trigger
    return {
        "ruleId": rules.rule_id,
        "marketId": names.get(rules.market_id, rules.market_id),
        "outcome": rules.outcome,
        "tokenId": rules.token_id,
        "cause": None if trigger is None else trigger.cause.value,
        "detail": None if trigger is None else trigger.detail,
        "attempts": rules.attempts,
        "high": told.maybe_text(rules.high),
    }


def portfolio(taken: PortfolioSnapshot) -> dict[str, Any]:
    """A snapshot of the account, amounts as text."""
    return {
        "hour": told.instant(taken.hour),
        "takenAt": told.instant(taken.taken_at),
        "positions": taken.positions,
        "costBasis": to_text(taken.cost_basis),
        "marketValue": to_text(taken.market_value),
        "realised": to_text(taken.realised),
        "unrealised": to_text(taken.unrealised),
        "fees": to_text(taken.fees),
        "cash": to_text(taken.cash),
        "deposited": to_text(taken.deposited),
        "netLiquidation": to_text(taken.net_liquidation),
        "pessimistic": to_text(taken.pessimistic),
        "optimistic": to_text(taken.optimistic),
    }
