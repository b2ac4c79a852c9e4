"""The checks, in their order of precedence: the first refusal wins.

Pure: nothing here counts, remembers or writes. First whether the book can be believed and the order is one
that the venue would take; then, for a SELL, the shares; for a BUY the caps; then whether it would meet an
order of our own; the cash last. A SELL of what is held and free only reduces risk, so no cap is asked of it.
"""

from datetime import datetime, timedelta

from betteroms.domain.book import Book
from betteroms.domain.ids import AssetKind, asset_kind
from betteroms.domain.intent import Intent
from betteroms.domain.market import MARKETABLE_BUY_MIN, Market
from betteroms.domain.money import LOT, Usdc, dollars_to_text, half_to_text, to_text
from betteroms.domain.order import Denial
from betteroms.domain.risk.caps import capped
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
    now: datetime,
) -> Allowed | Denial:
    """Allow the order as it would be sent, or refuse it with a stable code and its numbers."""
    notional = worst_notional(shaped)
    refused = (
        _stale(book, limits, now)
        or _below_minimum(intent, shaped, notional, book, rules)
        or _guarded(intent, book)
    )
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
        refused = (
            _unsellable(intent, shaped, exposure)
            or _self_crossing(intent, shaped, exposure)
            or _not_to_be_taken(intent, exposure)
        )
        return refused or Allowed(
            notional=notional, need=Usdc(0), exempt=True, likeness=likeness, market=market
        )
    need = Usdc(notional + worst_fee(shaped, market, book.best_ask))
    refused = (
        _closed_only(exposure)
        or capped(
            intent,
            shaped,
            notional=notional,
            need=need,
            market=market,
            book=book,
            exposure=exposure,
            limits=limits,
            now=now,
        )
        or _self_crossing(intent, shaped, exposure)
        or _unaffordable(need, exposure)
        or _not_allowed(intent, need, exposure)
    )
    return refused or Allowed(notional=notional, need=need, exempt=False, likeness=likeness, market=market)


def _stale(book: Book, limits: Limits, now: datetime) -> Denial | None:
    most = limits.book_age_max
    if most is None or book.recorded:
        return None
    age = now - book.received_at
    if age <= most:
        return None
    second = timedelta(seconds=1)
    return Denial(code="BOOK_STALE", detail=f"age={-(-age // second)} max={most // second}")


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
        waiting = exposure.in_flight(intent.token_id)
        settling = f" inFlight={to_text(waiting)}" if waiting else ""
        return Denial(
            code="INSUFFICIENT_SHARES",
            detail=f"need={to_text(shaped.amount.size)} shares={to_text(sellable)}{settling}",
        )
    return None


def _self_crossing(intent: Intent, shaped: Shaped, exposure: Exposure) -> Denial | None:
    met = exposure.resting.met_by(intent, shaped.limit_price)
    if met is None:
        return None
    return Denial(code="SELF_CROSS", detail=f"order={met.order_id} price={to_text(met.price)}")


def _unaffordable(need: Usdc, exposure: Exposure) -> Denial | None:
    if need > exposure.cash:
        return Denial(
            code="INSUFFICIENT_CASH",
            detail=f"need={dollars_to_text(need)} cash={dollars_to_text(max(exposure.cash, 0))}",
        )
    return None


def _closed_only(exposure: Exposure) -> Denial | None:
    if exposure.permits is None or not exposure.permits.closed_only:
        return None
    return Denial(code="CLOSED_ONLY", detail="the venue lets this account close positions only")


def _not_allowed(intent: Intent, need: Usdc, exposure: Exposure) -> Denial | None:
    allowed = exposure.allowed(intent.market_id)
    if allowed is None or need <= allowed:
        return None
    detail = f"need={dollars_to_text(need)} allowed={dollars_to_text(max(allowed, 0))}"
    return Denial(code="ALLOWANCE_SHORT", detail=detail)


def _not_to_be_taken(intent: Intent, exposure: Exposure) -> Denial | None:
    permits = exposure.permits
    if permits is None or intent.token_id in permits.sellable:
        return None
    contract = permits.contracts.get(intent.market_id, "none")
    return Denial(code="ALLOWANCE_SHORT", detail=f"shares of this market are not approved for {contract}")
