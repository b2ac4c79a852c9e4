"""The matching engine: books, rules, settlement."""

from betteroms.sandbox.exchange.book import Book
from betteroms.sandbox.exchange.exchange import Exchange, Placement

__all__ = ["Book", "Exchange", "Placement"]
