"""Read what a run needs of the venue: markets first, then the books that its wishes and orders touch."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from betteroms.domain.book import Book
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.order import Order
from betteroms.ports import MarketData


def by_id(markets: Iterable[Market]) -> dict[MarketId, Market]:
    """The markets by condition id, once each, in the order of that id."""
    found = {market.market_id: market for market in markets}
    return dict(sorted(found.items()))


def tokens_touched(intents: Iterable[Intent], resting: Iterable[Order]) -> list[TokenId]:
    """The outcome tokens that new wishes or resting orders need a book of, sorted."""
    wanted = {intent.token_id for intent in intents}
    wanted.update(order.intent.token_id for order in resting)
    return sorted(wanted)


def books_of(
    market_data: MarketData, tokens: Collection[TokenId], markets: Mapping[MarketId, Market]
) -> dict[TokenId, Book]:
    """The tokens' books, each under the condition id that the catalog knows its market by."""
    named = {outcome.token_id: market.market_id for market in markets.values() for outcome in market.outcomes}
    books = market_data.books(tokens) if tokens else {}
    return {
        token: book if book.market_id == named[token] else replace(book, market_id=named[token])
        for token, book in sorted(books.items())
    }
