"""The checks, in their order of precedence: the first refusal wins.

Pure: nothing here counts, remembers or writes. Checks with history (days, markets, events, losses,
drawdown, spread, depth, book age, self-cross) join this sequence at its end, before the cash.
"""

from betteroms.domain.book import Book
from betteroms.domain.ids import AssetKind, asset_kind
from betteroms.domain.intent import Intent
from betteroms.domain.market import MARKETABLE_BUY_MIN, Market
from betteroms.domain.money import LOT, Usdc, dollars_to_text, half_to_text, to_text
from betteroms.domain.order import Denial
from betteroms.domain.risk.exposure import Allowed, Exposure, worst_fee, worst_notional
from betteroms.domain.risk.limits import Limits
from betteroms.domain.rounding import Rules, Shaped
from betteroms.domain.terms import Shares, Side


def admissible(market: Market, book: Book | None) -> Denial | None:
    """What can be said before the order has a price: may this market be traded now?"""
    for outcome in market.outcomes:
        if asset_kind(outcome.token_id) is AssetKind.COMBINATION:
            return Denial(code="COMBINATION_UNSUPPORTED", detail=f"market={market.name}")
    if not market.tradable:
        closed, accepting = str(market.closed).lower(), str(market.accepting_orders).lower()
        return Denial(
            code="MARKET_CLOSED",
            detail=f"market={market.name} closed={closed} acceptingOrders={accepting}",
        )
    if book is None:
        return Denial(code="NO_BOOK", detail=f"market={market.name}")
    if book.crossed:
        assert book.best_bid is not None
        assert book.best_ask is not None
        return Denial(
            code="BOOK_CROSSED", detail=f"bid={to_text(book.best_bid)} ask={to_text(book.best_ask)}"
        )
    if not market.fees.known:
        return Denial(code="FEE_SCHEDULE_UNKNOWN", detail=f"exponent={market.fees.exponent}")
    return None


def judge(
    intent: Intent,
    shaped: Shaped,
    *,
    market: Market,
    book: Book,
    rules: Rules,
    exposure: Exposure,
    limits: Limits,
) -> Allowed | Denial:
    """Allow the order as it would be sent, or refuse it with a stable code and its numbers."""
    notional = worst_notional(shaped)
    refused = _below_minimum(intent, shaped, notional, book, rules) or _guarded(intent, book)
    if refused:
        return refused
    likeness = (
        intent.token_id,
        intent.side,
        shaped.limit_price,
        shaped.amount,
        intent.time_in_force,
        intent.post_only,
        intent.ref,
    )
    twin = exposure.seen.get(likeness)
    if twin is not None:
        return Denial(code="DUPLICATE_INSTRUCTION", detail=f"order={twin}")
    if intent.side is Side.SELL:
        refused = _unsellable(intent, shaped, exposure)
        return refused or Allowed(notional=notional, need=Usdc(0), exempt=True, likeness=likeness)
    need = Usdc(notional + worst_fee(shaped, market, book.best_ask))
    refused = _capped(notional, exposure, limits) or _unaffordable(need, exposure)
    return refused or Allowed(notional=notional, need=need, exempt=False, likeness=likeness)


def _below_minimum(intent: Intent, shaped: Shaped, notional: Usdc, book: Book, rules: Rules) -> Denial | None:
    amount = shaped.amount
    # A market may state a minimum of 0; an order that was rounded down to nothing is none all the same.
    minimum = max(rules.minimum_size, LOT)
    if isinstance(amount, Shares) and amount.size < minimum:
        return Denial(code="BELOW_MINIMUM_SIZE", detail=f"size={to_text(amount.size)} min={to_text(minimum)}")
    if intent.side is Side.SELL or intent.post_only:
        return None
    takes = not intent.time_in_force.rests or (
        book.best_ask is not None and book.best_ask <= shaped.limit_price
    )
    if takes and notional < MARKETABLE_BUY_MIN:
        return Denial(
            code="BELOW_MINIMUM_NOTIONAL",
            detail=f"notional={dollars_to_text(notional)} min={dollars_to_text(MARKETABLE_BUY_MIN)}",
        )
    return None


def _guarded(intent: Intent, book: Book) -> Denial | None:
    guard = intent.price_ceil if intent.side is Side.BUY else intent.price_floor
    if guard is None:
        return None
    doubled = book.mid_doubled
    if doubled is None:
        return Denial(code="MID_UNKNOWN", detail=f"guard={to_text(guard)}")
    mid = half_to_text(doubled)
    if intent.side is Side.BUY and doubled > 2 * guard:
        return Denial(code="PRICE_ABOVE_CEIL", detail=f"mid={mid} ceil={to_text(guard)}")
    if intent.side is Side.SELL and doubled < 2 * guard:
        return Denial(code="PRICE_BELOW_FLOOR", detail=f"mid={mid} floor={to_text(guard)}")
    return None


def _unsellable(intent: Intent, shaped: Shaped, exposure: Exposure) -> Denial | None:
    assert isinstance(shaped.amount, Shares), "a SELL is always in shares"
    sellable = exposure.sellable(intent.token_id)
    if shaped.amount.size > sellable:
        return Denial(
            code="INSUFFICIENT_SHARES",
            detail=f"need={to_text(shaped.amount.size)} shares={to_text(sellable)}",
        )
    return None


def _capped(wanted: Usdc, exposure: Exposure, limits: Limits) -> Denial | None:
    if limits.order_notional_max is not None and wanted > limits.order_notional_max:
        return Denial(
            code="NOTIONAL_EXCEEDS_LIMIT",
            detail=f"notional={dollars_to_text(wanted)} max={dollars_to_text(limits.order_notional_max)}",
        )
    total = exposure.notional + wanted
    if limits.run_notional_max is not None and total > limits.run_notional_max:
        return Denial(
            code="RUN_NOTIONAL_EXCEEDS_LIMIT",
            detail=f"notional={dollars_to_text(wanted)} used={dollars_to_text(exposure.notional)} "
            f"max={dollars_to_text(limits.run_notional_max)}",
        )
    if limits.run_orders_max is not None and exposure.orders >= limits.run_orders_max:
        return Denial(
            code="RUN_ORDERS_EXCEED_LIMIT", detail=f"orders={exposure.orders} max={limits.run_orders_max}"
        )
    return None


def _unaffordable(need: Usdc, exposure: Exposure) -> Denial | None:
    if need > exposure.cash:
        return Denial(
            code="INSUFFICIENT_CASH",
            detail=f"need={dollars_to_text(need)} cash={dollars_to_text(max(exposure.cash, 0))}",
        )
    return None
