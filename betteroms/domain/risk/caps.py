"""The caps, in their order: each is asked of an opening order only, and costs nothing where it is not set."""

from datetime import datetime, timedelta

from betteroms.domain.book import Book
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Usdc, dollars_to_text, to_text
from betteroms.domain.order import Denial
from betteroms.domain.risk.exposure import Exposure
from betteroms.domain.risk.history import drawdown_detail, moment
from betteroms.domain.risk.limits import Limits
from betteroms.domain.rounding import Shaped


def capped(
    intent: Intent,
    shaped: Shaped,
    *,
    notional: Usdc,
    need: Usdc,
    market: Market,
    book: Book,
    exposure: Exposure,
    limits: Limits,
    now: datetime,
) -> Denial | None:
    """Refuse an opening order that overshoots a cap; `need` is its notional and its worst fee."""
    return (
        _run_capped(notional, exposure, limits)
        or _stakes_capped(intent, notional, need, market, exposure, limits)
        or _paused(intent, exposure, now)
        or _losing(exposure, limits)
        or _book_unfit(intent, shaped, book, limits)
    )


def _run_capped(wanted: Usdc, exposure: Exposure, limits: Limits) -> Denial | None:
    if limits.order_notional_max is not None and wanted > limits.order_notional_max:
        return _over("NOTIONAL_EXCEEDS_LIMIT", wanted, None, limits.order_notional_max)
    used = exposure.earlier_notional + exposure.notional
    if limits.run_notional_max is not None and used + wanted > limits.run_notional_max:
        return _over("RUN_NOTIONAL_EXCEEDS_LIMIT", wanted, used, limits.run_notional_max)
    if limits.run_orders_max is not None and exposure.orders >= limits.run_orders_max:
        return Denial(
            code="RUN_ORDERS_EXCEED_LIMIT", detail=f"orders={exposure.orders} max={limits.run_orders_max}"
        )
    used = exposure.history.day_notional + exposure.notional
    if limits.day_notional_max is not None and used + wanted > limits.day_notional_max:
        return _over("DAY_NOTIONAL_EXCEEDS_LIMIT", wanted, used, limits.day_notional_max)
    return None


def _over(code: str, wanted: int, used: int | None, most: int) -> Denial:
    before = "" if used is None else f"used={dollars_to_text(used)} "
    return Denial(code=code, detail=f"notional={dollars_to_text(wanted)} {before}max={dollars_to_text(most)}")


def _stakes_capped(
    intent: Intent, wanted: Usdc, need: Usdc, market: Market, exposure: Exposure, limits: Limits
) -> Denial | None:
    stakes = exposure.stakes
    if limits.market_notional_max is not None:
        used = stakes.market(intent.market_id)
        if used + wanted > limits.market_notional_max:
            return _over("MARKET_NOTIONAL_EXCEEDS_LIMIT", wanted, used, limits.market_notional_max)
    if limits.event_loss_max is not None:
        before, after = stakes.worst_cases(market, intent.token_id, need)
        # What an order does not make worse it may do, even where the cap was lowered below what there is.
        if after > limits.event_loss_max and after > before:
            return Denial(
                code="EVENT_LOSS_EXCEEDS_LIMIT",
                detail=f"loss={dollars_to_text(after)} before={dollars_to_text(before)} "
                f"max={dollars_to_text(limits.event_loss_max)}",
            )
    most = limits.open_positions_max
    if most is not None and stakes.positions >= most and not stakes.counted(intent.token_id):
        return Denial(code="OPEN_POSITIONS_EXCEED_LIMIT", detail=f"positions={stakes.positions} max={most}")
    return None


def _paused(intent: Intent, exposure: Exposure, now: datetime) -> Denial | None:
    history = exposure.history
    stop = history.stops.get(intent.token_id)
    if stop is not None:
        until = stop.at + timedelta(minutes=stop.cool_down_minutes)
        if now < until:
            return Denial(code="COOL_DOWN", detail=f"until={moment(until)}")
    own = None if intent.exit_rules is None else intent.exit_rules.daily_trades_max
    most = history.daily_trades_max.get(intent.token_id) if own is None else own
    if most is not None:
        orders = exposure.day_orders(intent.market_id)
        if orders >= most:
            return Denial(code="DAILY_TRADES_EXCEEDED", detail=f"orders={orders} max={most}")
    return None


def _losing(exposure: Exposure, limits: Limits) -> Denial | None:
    history = exposure.history
    most = limits.daily_loss_max
    if most is not None and history.day_loss >= most:
        return Denial(
            code="DAILY_LOSS_EXCEEDED",
            detail=f"loss={dollars_to_text(history.day_loss)} max={dollars_to_text(most)}",
        )
    state = history.state
    if state.tripped_at is not None:
        since = f"since={moment(state.tripped_at)}"
        return Denial(code="DRAWDOWN_TRIPPED", detail=" ".join(filter(None, (since, state.detail))))
    most = limits.drawdown_max
    if most is not None and history.drawdown >= most:
        return Denial(code="DRAWDOWN_TRIPPED", detail=drawdown_detail(history, most))
    return None


def _book_unfit(intent: Intent, shaped: Shaped, book: Book, limits: Limits) -> Denial | None:
    bid, ask, most = book.best_bid, book.best_ask, limits.spread_max
    if most is not None and bid is not None and ask is not None and ask - bid > most:
        return Denial(code="SPREAD_TOO_WIDE", detail=f"spread={to_text(ask - bid)} max={to_text(most)}")
    limit = shaped.limit_price
    if limits.depth_min is None or intent.post_only or ask is None or ask > limit:
        return None
    depth = sum(level.price * level.size for level in book.asks if level.price <= limit) // MICROS
    if depth < limits.depth_min:
        return Denial(
            code="DEPTH_TOO_THIN",
            detail=f"depth={dollars_to_text(depth)} min={dollars_to_text(limits.depth_min)}",
        )
    return None
