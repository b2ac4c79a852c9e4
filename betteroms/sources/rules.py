"""Exit rules as a source: positions that are to be left become cancels and sells.

Pure: the same state gives the same wishes with the same keys, so that a pass that is repeated or broken off
makes no second order. What a rule set remembers comes back changed, for the ledger to keep.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from betteroms.domain.book import Book
from betteroms.domain.ids import MarketId, TokenId, key, rule_id
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.market import Market
from betteroms.domain.money import LOT, Price, Size, floor_to, to_text
from betteroms.domain.order import ALIVE, Denial, Order, OrderStatus, reserved_shares
from betteroms.domain.position import Position
from betteroms.domain.risk.selfcross import crossed
from betteroms.domain.rounding import Rules
from betteroms.domain.rule import RuleOrigin, RuleSet, Trigger
from betteroms.domain.terms import Mode, OrderType, Shares, Side, TimeInForce
from betteroms.domain.trigger import Sight, asks_for_price, end_of, fired, sight

SOURCE: Final = "rule"
"""What `Intent.source` says of an exit order."""
EXIT_SLIPPAGE_TICKS: Final = 2
"""How far below the best bid an exit may sell: as much as a MARKET SELL of a plan that says nothing."""


@dataclass(slots=True, kw_only=True)
class Verdicts:
    """What the rules ask for, what they remember now, and what a person should know of them."""

    wishes: list[Cancel | Intent] = field(default_factory=list)
    changed: list[RuleSet] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """One token as this pass sees it. `orders` are ours that are alive in its market."""

    now: datetime
    position: Position
    sellable: int
    book: Book | None
    market: Market
    rules: Rules
    orders: Sequence[Order]

    @property
    def minimum(self) -> int:
        return max(self.rules.minimum_size, LOT)


def adopted(orders: Iterable[Order], known: Mapping[TokenId, RuleSet], *, mode: Mode) -> list[RuleSet]:
    """The rule sets that these orders bring into force: the latest with rules wins (DECISIONS 6.2).

    A BUY brings its rules with its first fill. A SELL that states rules brings them once it is placed, for
    what is held: sell at this price, or leave by these rules. Orders of one moment count in the plan's order.
    The new set takes over what was seen of the position, and a cool-down goes on; an exit under way does not.
    """
    latest: dict[TokenId, Order] = {}
    for order in orders:
        if order.mode is mode and _in_force(order):
            token = order.intent.token_id
            if token not in latest or _place(order) > _place(latest[token]):
                latest[token] = order
    return [
        _set_by(order, known.get(token))
        for token, order in sorted(latest.items())
        if token not in known or _place(order) > _standing(known[token])
    ]


def bringing(moved: Iterable[Order], *, before: Iterable[Order]) -> list[Order]:
    """Of orders of earlier runs that moved, those that may bring rules now; `before` is how all stood.

    A BUY does with each fill, a SELL once, when it is placed. One that only ended brings nothing: rules that
    were removed stay so.
    """
    stood = {order.order_id: order for order in before}
    return [
        order
        for order in moved
        if order.intent.exit_rules is not None and _came(order) != _came(stood.get(order.order_id))
    ]


def _came(order: Order | None) -> int | datetime | None:
    """What of an order brings rules: how often it was filled, or when it was placed."""
    if order is None:
        return None
    return order.fills if order.intent.side is Side.BUY else order.placed_at


def _in_force(order: Order) -> bool:
    if order.intent.exit_rules is None:
        return False
    return order.filled_size > 0 if order.intent.side is Side.BUY else order.placed_at is not None


def _place(order: Order) -> tuple[datetime, int, str]:
    line = order.intent.line
    return order.created_at, -1 if line is None else line, order.order_id


def _standing(rules: RuleSet) -> tuple[datetime, int, str]:
    return rules.set_at, -1 if rules.line is None else rules.line, rules.order_id or ""


def _set_by(order: Order, before: RuleSet | None) -> RuleSet:
    intent = order.intent
    assert intent.exit_rules is not None, "only orders with rules bring them"
    return RuleSet(
        # The fills are part of the name: rules that were removed and come back start over under another one.
        rule_id=rule_id(order.mode, intent.token_id, set_by=f"{order.order_id} {order.fills}"),
        mode=order.mode,
        market_id=intent.market_id,
        token_id=intent.token_id,
        outcome=intent.outcome,
        outcome_index=intent.outcome_index,
        rules=intent.exit_rules,
        origin=RuleOrigin.ORDER,
        set_at=order.created_at,
        order_id=order.order_id,
        line=intent.line,
        opened_at=before.opened_at if before else None,
        dust=before.dust if before else False,
        high=before.high if before else None,
        stopped_at=before.stopped_at if before else None,
    )


def evaluate(
    rules: Mapping[TokenId, RuleSet],
    *,
    now: datetime,
    mode: Mode,
    positions: Mapping[TokenId, Position],
    sellable: Mapping[TokenId, Size],
    books: Mapping[TokenId, Book],
    markets: Mapping[MarketId, Market],
    rules_in_force: Mapping[TokenId, Rules | Denial],
    open_orders: Iterable[Order],
) -> Verdicts:
    """What each rule set says of its position.

    `positions` are as the fills of this pass left them, `sellable` the shares that were there when it began
    and still are, whoever reserves them. Books count as displayed: what we took of them before is not
    subtracted, for a rule asks what the market pays, not what we may still have of it. `rules_in_force` are
    the venue's step and minimum for each token. A token whose market is not among `markets` is left alone.
    """
    verdicts = Verdicts()
    alive: dict[MarketId, list[Order]] = {}
    for order in open_orders:
        if order.status in ALIVE:
            alive.setdefault(order.intent.market_id, []).append(order)
    for token, standing in sorted(rules.items()):
        market, position = markets.get(standing.market_id), positions.get(token)
        terms = rules_in_force.get(token)
        if standing.mode is not mode:
            continue
        if position is None or position.size == 0:
            _keep(verdicts, standing, _forgotten(standing, opened_at=None, dust=False))
        elif market is not None and isinstance(terms, Rules):
            view = _View(
                now=now,
                position=position,
                sellable=min(position.size, sellable.get(token, 0)),
                book=books.get(token),
                market=market,
                rules=terms,
                orders=alive.get(standing.market_id, ()),
            )
            _keep(verdicts, standing, _judged(standing, view, verdicts))
        elif market is not None:
            reason = terms or Denial(code="MARKET_RULES_UNKNOWN", detail=f"market={market.name}")
            verdicts.remarks.append(f"{reason} outcome={standing.outcome}")
    return verdicts


def _keep(verdicts: Verdicts, before: RuleSet, after: RuleSet) -> None:
    if after != before:
        verdicts.changed.append(after)


def _forgotten(rules: RuleSet, *, opened_at: datetime | None, dust: bool) -> RuleSet:
    """The rules without what they saw and wanted of a position that is over."""
    return replace(rules, opened_at=opened_at, dust=dust, high=None, trigger=None)


def _judged(standing: RuleSet, view: _View, verdicts: Verdicts) -> RuleSet:
    """The rule set after this pass; its wishes and remarks join the verdicts."""
    rules = _of_this_position(standing, view)
    if rules.dust:
        if not standing.dust:
            detail = f"left={to_text(view.position.size)} minimum={to_text(view.minimum)}"
            _remark(verdicts, "DUST", rules, view, detail)
        return rules
    if not view.market.tradable:
        _remark(verdicts, "MARKET_CLOSED", rules, view)
        return rules
    seen = _seen(view)
    if rules.trigger is None:
        rules = _watched(rules, view, seen, verdicts)
    if rules.trigger is None:
        return rules
    if isinstance(seen, str):
        _remark(verdicts, seen, rules, view, "exit waits")
        return rules
    return _attempted(rules, rules.trigger, view, verdicts)


def _of_this_position(rules: RuleSet, view: _View) -> RuleSet:
    """The rules as they stand for what is held now: what they knew of an earlier position is forgotten."""
    opened_at = view.position.opened_at or view.now
    if floor_to(view.position.size, LOT) < view.minimum:
        return _forgotten(rules, opened_at=opened_at, dust=True)
    # Where the clock was set back, what lies ahead of now was seen of another position than this older one.
    if rules.opened_at is None or opened_at > rules.opened_at or opened_at < rules.opened_at > view.now:
        return _forgotten(rules, opened_at=opened_at, dust=False)
    if rules.dust:
        # The fold knows it as one position, opened long ago: for the rules it began when it could be sold.
        return _forgotten(rules, opened_at=view.now, dust=False)
    return rules


def _seen(view: _View) -> Sight | str:
    """What the bids pay for the position, or the code of why that cannot be said."""
    if view.book is None:
        return "NO_BOOK"
    if view.book.crossed:
        return "BOOK_CROSSED"
    return sight(view.book, view.position.size) or "NO_BID"


def _watched(rules: RuleSet, view: _View, seen: Sight | str, verdicts: Verdicts) -> RuleSet:
    """The rules with the high moved on and, if one of them asks to leave, the trigger latched."""
    opened_at = rules.opened_at
    assert opened_at is not None, "what is held was opened"
    known = None
    if not isinstance(seen, str):
        known = seen
        if rules.rules.trailing_stop_pct is not None:
            rules = replace(rules, high=max(seen.high, rules.high or Price(0)))
        if seen.thin and asks_for_price(rules.rules):
            detail = f"shown={to_text(seen.shown)} size={to_text(seen.size)}"
            _remark(verdicts, "THIN_BIDS", rules, view, detail)
    elif asks_for_price(rules.rules):
        _remark(verdicts, seen, rules, view, "prices cannot be judged")
    if rules.rules.exit_before_close_seconds is not None and end_of(view.market, opened_at) is None:
        _remark(verdicts, "NO_END", rules, view)
    found = fired(
        rules.rules,
        view.position,
        view.market,
        seen=known,
        high=rules.high,
        opened_at=opened_at,
        now=view.now,
    )
    if found is None:
        return rules
    cause, detail = found
    return replace(
        rules,
        trigger=Trigger(cause=cause, at=view.now, detail=detail),
        stopped_at=view.now if cause.stops_a_loss else rules.stopped_at,
    )


def _attempted(rules: RuleSet, trigger: Trigger, view: _View, verdicts: Verdicts) -> RuleSet:
    """Make the next exit order, unless one is under way; what stands in its way is cancelled first."""
    own = [order for order in view.orders if order.intent.token_id == rules.token_id]
    under_way = next((order for order in own if order.intent.source == SOURCE), None)
    if under_way is not None:
        _remark(verdicts, "EXIT_WAITS", rules, view, f"order={under_way.order_id} status={under_way.status}")
        return rules
    in_the_way = {order.order_id: order for order in (*own, *_met_by(rules, view))}
    # What was never sent cannot be cancelled; it is judged again, or refused as stale, by what sends it.
    ending = [order for order in in_the_way.values() if order.status is not OrderStatus.NEW]
    verdicts.wishes.extend(
        Cancel(order_id=order.order_id, reason=f"EXIT_{trigger.cause}") for order in ending
    )
    # A cancel of what is not known to be there may take long: its shares are left for a later attempt.
    stuck = sum(reserved_shares(order) for order in own if order.status is not OrderStatus.OPEN)
    size = floor_to(view.sellable - stuck, LOT)
    if size < view.minimum:
        detail = f"sellable={to_text(max(size, 0))} minimum={to_text(view.minimum)}"
        _remark(verdicts, "EXIT_WAITS", rules, view, detail)
        return rules
    replaced = (
        o.order_id for o in ending if o in own and o.status is OrderStatus.OPEN and reserved_shares(o)
    )
    attempt = rules.attempts + 1
    verdicts.wishes.append(
        Intent(
            key=key(rules.mode.value, SOURCE, rules.rule_id, trigger.cause.value, attempt),
            source=SOURCE,
            plan_id=None,
            line=None,
            ref=None,
            market_id=rules.market_id,
            token_id=rules.token_id,
            outcome=rules.outcome,
            outcome_index=rules.outcome_index,
            side=Side.SELL,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.FAK,
            post_only=False,
            wished_amount=Shares(size=Size(size)),
            wished_price=None,
            slippage_ticks=EXIT_SLIPPAGE_TICKS,
            price_ceil=None,
            price_floor=None,
            lifetime_seconds=None,
            exit_rules=None,
            notes=f"{trigger.cause}: {trigger.detail}",
            replaces=next(replaced, None),
        )
    )
    return replace(rules, attempts=attempt)


def _met_by(rules: RuleSet, view: _View) -> list[Order]:
    """Orders of ours for either outcome that the exit would trade with."""
    best = None if view.book is None else view.book.best_bid
    assert best is not None, "an exit is tried where somebody bids"
    tick = view.rules.tick_size
    worst = max(best - EXIT_SLIPPAGE_TICKS * tick, tick)
    return crossed(
        view.orders,
        market_id=rules.market_id,
        side=Side.SELL,
        outcome_index=rules.outcome_index,
        limit_price=Price(worst),
    )


def _remark(verdicts: Verdicts, code: str, rules: RuleSet, view: _View, detail: str = "") -> None:
    told = f"{code}: market={view.market.name} outcome={rules.outcome} {detail}"
    verdicts.remarks.append(told.rstrip())
