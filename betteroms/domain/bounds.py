"""How a resting order might have filled at worst and at best, beside how it did (DECISIONS 4.4).

Never fed back into cash, risk or rules: these are two more answers to the question what paper can know.
"""

from collections.abc import Iterable, Mapping

from betteroms.domain.book import Book
from betteroms.domain.fact import fact
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import Size
from betteroms.domain.order import Order
from betteroms.domain.terms import Side


@fact
class FillBounds:
    """Shares of one order that would be filled by now. `pessimistic <= filled_size <= optimistic`, always.

    `at_once` is what it took before it came to rest, the same in every world. `ahead` is the size displayed
    at the order's own price, on its own side, when it came to rest: in the pessimistic world all of it is
    served first.
    """

    order_id: OrderId
    at_once: Size
    ahead: Size
    pessimistic: Size
    optimistic: Size


def at_rest(order: Order, book: Book) -> FillBounds:
    """The bounds of an order that has just come to rest: what it took at once it took in every world."""
    own_side = book.bids if order.intent.side is Side.BUY else book.asks
    ahead = sum(level.size for level in own_side if level.price == order.limit_price)
    filled = order.filled_size
    return FillBounds(
        order_id=order.order_id, at_once=filled, ahead=Size(ahead), pessimistic=filled, optimistic=filled
    )


def watched(bounds: FillBounds, *, before: Order, after: Order, book: Book | None) -> FillBounds:
    """The bounds after the order met this book; `after` is the order as the base left it.

    Pessimistic: only what is displayed strictly through the limit, less what was ahead. Optimistic: the
    opposite best, or the last trade of a book that changed since the order was placed, at the limit or
    through it fills the order whole. The same depth shown again counts once: the most that was ever shown
    counts.
    """
    pessimistic, optimistic = int(bounds.pessimistic), int(bounds.optimistic)
    if book is not None and before.limit_price is not None and _meets(before, book):
        pessimistic = max(pessimistic, careful(bounds, before, book))
        if hopeful(before, book):
            optimistic = before.filled_size + before.remaining
    return FillBounds(
        order_id=bounds.order_id,
        at_once=bounds.at_once,
        ahead=bounds.ahead,
        pessimistic=Size(max(min(pessimistic, after.filled_size), bounds.pessimistic)),
        optimistic=Size(max(optimistic, after.filled_size)),
    )


def _reached(order: Order, book: Book | None) -> bool:
    """Whether the opposite best or the last trade is at the order's limit or through it."""
    limit = order.limit_price
    if book is None or limit is None:
        return False
    if order.intent.side is Side.BUY:
        return any(price is not None and price <= limit for price in (book.best_ask, book.last_trade))
    return any(price is not None and price >= limit for price in (book.best_bid, book.last_trade))


def careful(bounds: FillBounds, order: Order, book: Book) -> int:
    """Shares of the order that this book alone would have filled by now in the pessimistic world."""
    limit = order.limit_price or 0
    buying = order.intent.side is Side.BUY
    opposite = book.asks if buying else book.bids
    through = 0
    for level in opposite:
        if level.price >= limit if buying else level.price <= limit:
            break  # the best are first
        through += level.size
    return min(bounds.at_once + through - bounds.ahead, order.filled_size + order.remaining)


def hopeful(order: Order, book: Book) -> bool:
    """Whether this book fills the order whole in the optimistic world: by its best, or by a trade since."""
    limit = order.limit_price or 0
    buying = order.intent.side is Side.BUY
    opposite = book.asks if buying else book.bids
    traded = book.last_trade if _changed_since(book, order) else None
    prices = [level.price for level in opposite[:1]] + ([] if traded is None else [traded])
    return any(price <= limit if buying else price >= limit for price in prices)


def _meets(order: Order, book: Book) -> bool:
    """Whether this book says anything of the order: a crossed one does not, nor one from after its expiry."""
    if book.crossed:
        return False
    return order.expires_at is None or book.changed_at_ms < order.expires_at.timestamp() * 1000


def _changed_since(book: Book, order: Order) -> bool:
    return order.placed_at is not None and book.changed_at_ms > order.placed_at.timestamp() * 1000


def watch(
    known: Mapping[OrderId, FillBounds],
    *,
    before: Iterable[Order],
    moved: Mapping[OrderId, Order],
    books: Mapping[TokenId, Book],
) -> list[FillBounds]:
    """The bounds that changed when these resting orders met these books."""
    changed: list[FillBounds] = []
    for order in before:
        bounds, after = known.get(order.order_id), moved.get(order.order_id, order)
        book = books.get(order.intent.token_id)
        # Most orders rest far from the market: for those nothing can have changed, and nothing is computed.
        if bounds is None or (after is order and not _reached(order, book)):
            continue
        now = watched(bounds, before=order, after=after, book=book)
        if now != bounds:
            changed.append(now)
    return changed
