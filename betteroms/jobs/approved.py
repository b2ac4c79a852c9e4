"""Carry out a saved preview: exactly the orders that were approved, or none at all."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from betteroms.domain.book import Book
from betteroms.domain.errors import ApprovalMismatch
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import Price, to_micros, to_text
from betteroms.domain.order import Order
from betteroms.domain.terms import OrderType, Side
from betteroms.jobs import gather, told
from betteroms.jobs.approval import Approval, ApprovedOrder, OpenOrder, SeenAccount, SeenBook, account
from betteroms.jobs.desk import Desk
from betteroms.jobs.diff import Action, Change
from betteroms.jobs.live.pretrade import permitted, sold
from betteroms.jobs.preview import Look, look
from betteroms.jobs.trade import APPROVED, carry_out, opening, refuse_if_repeated, wished
from betteroms.ports import Archive, MarketData, Payload

SHORT: Final = "INSUFFICIENT_CASH"


def apply(desk: Desk, approval: Approval, name: str, *, age_max: timedelta) -> dict[str, Any]:
    """Compute again what the plan would do; where that is what was approved, do it. The kept summary.

    Nothing in the file but the worst prices of MARKET orders decides what an order asks for. The comparison
    and the run see the very same books. `name` is what complaints call the file.

    Raises:
        PlanAlreadyRun, PlanChanged: see `domain.run`.
        ApprovalMismatch: something is not as it was; every difference is named, and nothing is written.
        NotFound, VenueUnreachable: as for a preview; nothing is written.
    """
    source = approval.source()
    run = opening(desk, source, at=approval.scheduled_at)
    refuse_if_repeated(desk, source, run)
    _refuse(name, _outdated(approval, now=run.now, engine_version=desk.engine_version, age_max=age_max))
    once = _Once(market_data=desk.market_data, archive=desk.archive)
    desk = replace(desk, market_data=once, archive=once)
    kept = {"savedAt": told.instant(approval.saved_at), "worstPrices": _worst_prices(approval)}
    run = replace(run, settings={**run.settings, APPROVED: kept})
    markets, intents = wished(desk, source.plan, run)
    run = permitted(desk, run, gather.by_id(markets), sold(intents))
    _refuse(name, differences(approval, look(desk.rehearsing(), source, run, markets, intents)))
    return carry_out(desk, source, run, markets, intents)


class _Once:
    """The venue, asked once: whoever asks again gets the same books, and the same payloads to keep."""

    def __init__(self, *, market_data: MarketData, archive: Archive) -> None:
        self._market_data = market_data
        self._archive = archive
        self._asked: frozenset[TokenId] = frozenset()
        self._books: dict[TokenId, Book] = {}
        self._payloads: list[Payload] = []

    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """See `ports.MarketData.books`."""
        new = frozenset(token_ids) - self._asked
        if new:
            self._books |= self._market_data.books(sorted(new))
            self._asked |= new
        return {token: self._books[token] for token in token_ids if token in self._books}

    def payloads(self) -> Iterable[Payload]:
        """Everything read so far, each time."""
        self._payloads.extend(self._archive.payloads())
        return list(self._payloads)


def _refuse(name: str, problems: list[str]) -> None:
    if problems:
        raise ApprovalMismatch(f"{name} is not what would happen now", problems)


def _worst_prices(approval: Approval) -> dict[str, str]:
    return {
        order.order_id: order.limit_price
        for order in approval.orders
        if order.type == OrderType.MARKET and order.action is Action.NEW and order.limit_price is not None
    }


def _outdated(approval: Approval, *, now: datetime, engine_version: str, age_max: timedelta) -> list[str]:
    """What can be said before anything is read: its age, and who saved it."""
    found = []
    age, second = now - approval.saved_at, timedelta(seconds=1)
    saved = f"saved at {told.instant(approval.saved_at)}"
    if age < timedelta(0):
        found.append(f"{saved}, and it is only {told.instant(now)} now")
    elif age > age_max:
        found.append(f"{saved}, {-(-age // second)} s ago; --max-age is {age_max // second} s")
    if _series(approval.engine_version) != _series(engine_version):
        found.append(
            f"engine version was {approval.engine_version}, is {engine_version}: "
            "only its last number may differ"
        )
    return found


def _series(version: str) -> tuple[str, ...]:
    """Versions that differ in their last number alone compute alike."""
    return tuple(version.split(".")[:2])


def differences(approval: Approval, seen: Look) -> list[str]:
    """Everything that keeps the approval from being carried out, in words."""
    world = seen.walked.passage.world
    names = {
        outcome.token_id: f"{market.name} {outcome.label}"
        for market in world.markets.values()
        for outcome in market.outcomes
    }
    found = list(_account_differences(approval.account, account(seen), names))
    free = account(seen).free
    if free != approval.account.free and any(c.order.code == SHORT for c in seen.changes):
        found.append(f"free cash: was {approval.account.free}, is {free}")
    approved = {OrderId(order.order_id): order for order in approval.orders}
    seen_then = {book.token_id: book for book in approval.books}
    for change in seen.changes:
        before = approved.pop(change.order.order_id, None)
        place = _place(change.order.intent.line)
        if before is None:
            found.append(f"{place}: was not there")
        else:
            token = change.order.intent.token_id
            which = (seen_then.get(token), world.books.get(token))
            found += [f"{place}: {what}" for what in _order_differences(before, change, *which)]
    found += [f"{_place(order.line)}: is not there any more" for order in approved.values()]
    return found


def _place(line: int | None) -> str:
    return f"tradeInstructions[{line}]"


def _account_differences(
    before: SeenAccount, now: SeenAccount, names: Mapping[TokenId, str]
) -> Iterator[str]:
    for token in sorted(before.held.keys() | now.held.keys()):
        was, is_now = before.held.get(token, "0"), now.held.get(token, "0")
        if was != is_now:
            yield f"shares held of {names.get(TokenId(token), token)}: was {was}, is {is_now}"
    were = {order.order_id: order for order in before.open_orders}
    are = {order.order_id: order for order in now.open_orders}
    for name in [*were, *(name for name in are if name not in were)]:
        was_open, is_open = _open(were.get(name)), _open(are.get(name))
        if was_open != is_open:
            yield f"order {name}: was {was_open}, is {is_open}"


def _open(order: OpenOrder | None) -> str:
    if order is None:
        return "not open"
    return f"open ({order.side} {order.remaining} at {order.limit_price})"


def _order_differences(
    before: ApprovedOrder, change: Change, then: SeenBook | None, book: Book | None
) -> Iterator[str]:
    order = change.order
    if before.action is not change.action:
        yield f"was {_fate(before)}, is {_fate_now(change)}"
        return
    if change.action is not Action.NEW:
        return
    for what, was, is_now in _terms(before, order):
        if was != is_now:
            yield f"{what} was {was}, is {is_now}"
    moved = _moved(before, order, then, book)
    if moved is not None:
        yield moved


def _fate(before: ApprovedOrder) -> str:
    match before.action:
        case Action.NEW:
            return "to be placed"
        case Action.DONE:
            return "carried out already"
        case Action.REFUSED:
            return f"refused ({_because(before.code, before.reason)})"


def _fate_now(change: Change) -> str:
    match change.action:
        case Action.NEW:
            return "to be placed"
        case Action.DONE:
            return "carried out already"
        case Action.REFUSED:
            return f"refused ({_because(change.order.code, change.order.reason)})"


def _because(code: str | None, reason: str | None) -> str:
    return f"{code}: {reason}" if reason else f"{code}"


def _terms(before: ApprovedOrder, order: Order) -> Iterator[tuple[str, object, object]]:
    intent, now = order.intent, told.amount(order.amount)
    yield "token", before.token_id, intent.token_id
    yield "side", before.side, intent.side.value
    yield "type", before.type, intent.order_type.value
    yield "timeInForce", before.time_in_force, intent.time_in_force.value
    yield "postOnly", before.post_only, intent.post_only
    yield ("size", _amount(before.size, before.dollars), _amount(now["size"], now["dollars"]))
    yield "limit", before.limit_price, told.maybe_text(order.limit_price)


def _amount(size: str | None, dollars: str | None) -> str:
    return f"${dollars}" if dollars is not None else f"{size} shares"


def _moved(before: ApprovedOrder, order: Order, then: SeenBook | None, book: Book | None) -> str | None:
    """Where the price went, if that is past the limit; or nothing is left of what would have been filled."""
    buying, limit = order.intent.side is Side.BUY, order.limit_price
    best: Price | None = None
    if book is not None:
        best = book.best_ask if buying else book.best_bid
    past = best is None or limit is None or (best > limit if buying else best < limit)
    was_filled = to_micros(before.filled_size) > 0
    if past and (was_filled or order.intent.order_type is OrderType.MARKET):
        side, was = ("ask", then and then.best_ask) if buying else ("bid", then and then.best_bid)
        where = "none" if best is None else to_text(best)
        return f"best {side} was {was or 'none'}, is {where}: past the limit {before.limit_price}"
    if was_filled and not order.filled_size:
        return f"{before.filled_size} shares would have been filled at once, none are now"
    return None
