"""What a plan would change: each wish as new, done or refused, and what it does to cash and worst cases."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from betteroms.domain.execution import Execution
from betteroms.domain.fees import fee
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price, Usdc, proceeds, to_text
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.risk import Account
from betteroms.domain.risk.exposure import worst_fee, worst_notional
from betteroms.domain.risk.groups import event_of
from betteroms.domain.risk.history import Stake
from betteroms.domain.risk.stakes import Stakes
from betteroms.domain.rounding import Shaped
from betteroms.domain.terms import Liquidity, Shares, Side
from betteroms.jobs import told
from betteroms.jobs.overview import ROWS_MAX, overview, worth_a_line
from betteroms.jobs.trade import Walked
from betteroms.pipeline import carried_out

T = TypeVar("T")
DEAREST_FEE: Final = Price(MICROS // 2)
"""Where a share is charged the most: above it the fee falls with the price."""


class Action(StrEnum):
    """What becomes of a wish: it would be placed, it was carried out before, or it would be refused."""

    NEW = "new"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One wish's part in the diff.

    `notional` and `fee_max` are dollars in millionths: what a BUY costs at its limit, what a SELL brings at
    its limit, and the most that can be charged; 0 but for what is new.
    """

    action: Action
    order: Order
    market: Market
    executions: Sequence[Execution]
    notional: Usdc = Usdc(0)
    fee_max: Usdc = Usdc(0)

    @property
    def cash(self) -> Usdc:
        """Dollars that its fills bring, fee apart: below zero for a BUY."""
        return Usdc(sum(execution.cash for execution in self.executions))

    @property
    def fee(self) -> Usdc:
        """Dollars that its fills are charged."""
        return Usdc(sum(execution.fee for execution in self.executions))


def changes(walked: Walked) -> list[Change]:
    """What the walk means for each wish, in their order."""
    found = []
    snapshot, world = walked.passage.snapshot, walked.passage.world
    for order in walked.outcome.orders:
        market = world.markets[order.intent.market_id]
        executions = walked.outcome.executions.get(order.order_id, ())
        before = snapshot.known.get(order.order_id)
        if before is not None and carried_out(before):
            found.append(Change(action=Action.DONE, order=order, market=market, executions=executions))
        elif order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
            found.append(Change(action=Action.REFUSED, order=order, market=market, executions=()))
        else:
            book = world.books[order.intent.token_id]
            notional, fee_max = _worst(order, market, book.best_ask)
            found.append(
                Change(
                    action=Action.NEW,
                    order=order,
                    market=market,
                    executions=executions,
                    notional=notional,
                    fee_max=fee_max,
                )
            )
    return found


def _worst(order: Order, market: Market, best_ask: Price | None) -> tuple[Usdc, Usdc]:
    """Dollars at the limit, and the most that can be charged: for a BUY what the account must have."""
    assert order.amount is not None, "an order that is placed has an amount"
    assert order.limit_price is not None, "an order that is placed has a limit"
    shaped = Shaped(amount=order.amount, limit_price=order.limit_price)
    if order.intent.side is Side.BUY:
        return worst_notional(shaped), worst_fee(shaped, market, best_ask)
    assert isinstance(order.amount, Shares), "a SELL is always in shares"
    dearest = max(order.limit_price, DEAREST_FEE)
    liquidity = Liquidity.MAKER if order.intent.post_only else Liquidity.TAKER
    charged = fee(market.fees, price=dearest, size=order.amount.size, liquidity=liquidity)
    return proceeds(order.limit_price, order.amount.size), charged


def diff(found: Sequence[Change]) -> dict[str, Any]:
    """The diff, JSON-ready: counts, sums over what is new, and a row for each wish."""
    counts = {action.value: sum(1 for change in found if change.action is action) for action in Action}
    new = [change for change in found if change.action is Action.NEW]
    bought = [change for change in new if change.order.intent.side is Side.BUY]
    return {
        **counts,
        "expected": {
            "filled": sum(1 for change in new if change.executions),
            "cash": to_text(sum(change.cash for change in new)),
            "fees": to_text(sum(change.fee for change in new)),
        },
        "atMost": {
            "cost": to_text(sum(change.notional for change in bought)),
            "fees": to_text(sum(change.fee_max for change in new)),
        },
        "instructions": [_row(change) for change in found],
    }


def _row(change: Change) -> dict[str, Any]:
    order, intent = change.order, change.order.intent
    row: dict[str, Any] = {
        "line": intent.line,
        "ref": intent.ref,
        "orderId": order.order_id,
        "action": change.action.value,
        "type": intent.order_type.value,
        "timeInForce": intent.time_in_force.value,
        "postOnly": intent.post_only,
    }
    if change.action is Action.REFUSED:
        by = "us" if order.status is OrderStatus.DENIED else "venue"
        return {**row, "by": by, "code": order.code, "reason": order.reason or None}
    filled = {
        "status": order.status.value,
        "code": order.code,
        "filledSize": to_text(order.filled_size),
        "averagePrice": told.average(cash=change.cash, size=order.filled_size),
        "cash": to_text(change.cash),
        "fee": to_text(change.fee),
    }
    if change.action is Action.DONE:
        at = order.placed_at or order.created_at
        return {**row, "runId": order.run_id, "at": told.instant(at), "result": filled}
    return {
        **row,
        "limitPrice": told.maybe_text(order.limit_price),
        **told.amount(order.amount),
        "expiresAt": told.maybe_instant(order.expires_at),
        "expected": filled,
        "atMost": {"cost": _cost(change), "fee": to_text(change.fee_max)},
    }


def _cost(change: Change) -> str | None:
    return to_text(change.notional) if change.order.intent.side is Side.BUY else None


def worst_cases(stakes: Iterable[Stake], found: Sequence[Change]) -> dict[str, Any]:
    """What may be lost at most before and after: of the plan's markets, their events, and the whole account.

    As the caps see it: every new BUY may cost its limit and the highest fee, and brings nothing where its
    token wins; a SELL is not counted on (DECISIONS 3.5).
    """
    start = list(stakes)
    bought = [c for c in found if c.action is Action.NEW and c.order.intent.side is Side.BUY]
    markets = {change.market.market_id: change.market for change in found}
    in_market = _grouped(start, lambda stake: stake.market_id)
    for_market = _grouped(bought, lambda change: change.market.market_id)
    in_event = _grouped(start, _event_of_stake)
    for_event = _grouped(bought, lambda change: _event(change.market))
    return {
        "markets": [
            {
                "marketId": market.name,
                "event": _event(market),
                **_before_after(in_market[name], for_market[name]),
            }
            for name, market in sorted(markets.items(), key=lambda pair: (pair[1].name, pair[0]))
        ],
        "events": [
            {"event": name, **_before_after(in_event[name], for_event[name])}
            for name in sorted({_event(market) for market in markets.values()})
        ],
        "account": _before_after(start, bought),
    }


def _before_after(stakes: Sequence[Stake], bought: Sequence[Change]) -> dict[str, str]:
    return {"before": to_text(_worst_case(stakes, ())), "after": to_text(_worst_case(stakes, bought))}


def _worst_case(stakes: Sequence[Stake], bought: Iterable[Change]) -> int:
    """Each event's worst case by the rules of the caps, and their sum."""
    at_stake = Stakes(stakes)
    for change in bought:
        need = Usdc(change.notional + change.fee_max)
        at_stake.add(change.market, change.order.intent.token_id, notional=change.notional, need=need)
    return sum(at_stake.events.values())


def _grouped(rows: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[name(row)].append(row)
    return found


def _event(market: Market) -> str:
    return event_of(market.market_id, group_id=market.group_id, event_slug=market.event_slug)


def _event_of_stake(stake: Stake) -> str:
    return event_of(stake.market_id, group_id=stake.group_id, event_slug=stake.event_slug)


def cash(before: Account, after: Account) -> dict[str, Any]:
    """The account's dollars before and after; `reserved` is what open orders may still spend."""
    return {"before": _dollars(before), "after": _dollars(after)}


def _dollars(account: Account) -> dict[str, str]:
    return {
        "cash": to_text(account.cash),
        "reserved": to_text(account.reserved_cash),
        "free": to_text(account.cash - account.reserved_cash),
    }


def shown(result: Mapping[str, Any], *, rows_max: int = ROWS_MAX) -> dict[str, Any]:
    """What a person wants to see first of a preview: `overview`, its rows by what becomes of them."""
    rows: dict[str, list[dict[str, Any]]] = {action.value: [] for action in Action}
    for instruction, row in zip(result["instructions"], result["diff"]["instructions"], strict=True):
        rows[row["action"]].append({**instruction, **row})
    new, refused = rows[Action.NEW], rows[Action.REFUSED]
    done = overview({**result, "instructions": rows[Action.DONE]}, rows_max=rows_max)
    return {
        **overview(result, rows_max=rows_max),
        "new": worth_a_line(new, rows_max=rows_max),
        "newHidden": max(len(new) - rows_max, 0),
        "done": done["rows"],
        "doneHidden": done["hidden"],
        "refused": refused[:rows_max],
        "refusedHidden": max(len(refused) - rows_max, 0),
        "worstCases": _worst_rows(result["worstCase"])[:rows_max],
    }


def _worst_rows(worst: Mapping[str, Any]) -> list[dict[str, str]]:
    """Markets, each event behind its own; zeros are left out, and events that repeat their only market."""
    rows = []
    events = {row["event"]: row for row in worst["events"]}
    by_event = _grouped(worst["markets"], lambda row: row["event"])
    for name, markets in sorted(by_event.items(), key=lambda pair: pair[1][0]["marketId"]):
        rows += [{**market, "what": "market", "name": market["marketId"]} for market in markets]
        numbers = [(market["before"], market["after"]) for market in markets]
        if numbers != [(events[name]["before"], events[name]["after"])]:
            rows.append({**events[name], "what": "event", "name": name})
    return [row for row in rows if (row["before"], row["after"]) != ("0", "0")]
