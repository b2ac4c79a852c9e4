"""Who hears what on the market channel: subscriptions by token, and the events turned into their messages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from betteroms.sandbox.books import best, book_document
from betteroms.sandbox.events import (
    BookChanged,
    Event,
    MarketAdded,
    MarketResolved,
    TickChanged,
    TradeMoved,
)
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import Market, Trade, TradeStatus
from betteroms.sandbox.prices import trade_price
from betteroms.sandbox.streams import market_messages as messages
from betteroms.sandbox.streams.frames import WrongFrame, names
from betteroms.sandbox.streams.outbox import Outbox

DUMPED_TOKENS_MAX: Final = 500
"""Tokens of one connection that begin with a snapshot; the books of those beyond are missing (VENUE 6)."""
TOKENS_MAX: Final = 10_000
"""Tokens of one connection; a frame that asks for more is wrong."""

Tops = tuple[int | None, int | None]


class MarketSubscriber:
    """One connection: its tokens in the order they were asked for, and the top of each it last heard of.

    `custom` adds best_bid_ask, new_market and market_resolved.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.custom = False
        self.tops: dict[str, Tops] = {}


class MarketChannel:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._subscribers: list[MarketSubscriber] = []
        self._traded: set[str] = set()

    @property
    def listeners(self) -> int:
        return len(self._subscribers)

    def join(self, outbox: Outbox) -> MarketSubscriber:
        subscriber = MarketSubscriber(outbox)
        self._subscribers.append(subscriber)
        return subscriber

    def leave(self, subscriber: MarketSubscriber) -> None:
        self._subscribers.remove(subscriber)

    def cut_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.outbox.close()

    def receive(self, subscriber: MarketSubscriber, frame: Mapping[str, Any]) -> None:
        """Carry out what a client sent: its first subscription, or an operation on it.

        Raises:
            WrongFrame: the frame asks for nothing the channel knows.
        """
        tokens = names(frame, "assets_ids")
        operation = "subscribe" if str(frame.get("type", "")).lower() == "market" else frame.get("operation")
        if operation == "subscribe":
            subscriber.custom = bool(frame.get("custom_feature_enabled", subscriber.custom))
            self._add(subscriber, tokens, dump=frame.get("initial_dump") is not False)
        elif operation == "unsubscribe":
            for token in tokens:
                subscriber.tops.pop(token, None)
        else:
            raise WrongFrame

    def _add(self, subscriber: MarketSubscriber, tokens: Sequence[str], *, dump: bool) -> None:
        """Tokens that are not known are kept: their market may come yet."""
        if len(subscriber.tops) + len(tokens) > TOKENS_MAX:
            raise WrongFrame
        dumped = []
        for token in tokens:
            if token in subscriber.tops:
                continue
            market = self._exchange.by_token.get(token)
            subscriber.tops[token] = (None, None)
            if market is None:
                continue
            outcome = market.outcome_index(token)
            sides = self._exchange.book(market)
            subscriber.tops[token] = best(sides, outcome)
            if len(subscriber.tops) <= DUMPED_TOKENS_MAX:
                dumped.append(messages.book(book_document(market, sides, outcome)))
        if dump and dumped:
            subscriber.outbox.put(dumped)

    def hear(self, event: Event) -> None:
        match event:
            case BookChanged():
                self._book_changed(event)
            case TradeMoved(trade=trade) if trade.status is TradeStatus.MATCHED and trade.attempt == 0:
                self._tell_trade(trade)
            case TickChanged():
                self._tick_changed(event)
            case MarketAdded():
                for subscriber in self._subscribers:
                    if subscriber.custom:
                        subscriber.outbox.put(messages.new_market(event))
            case MarketResolved():
                self._resolved(event)
            case _:
                pass

    def _listening(self, market: Market) -> list[MarketSubscriber]:
        """Those who asked for either outcome, oldest connection first."""
        first, second = market.token_ids
        return [one for one in self._subscribers if first in one.tops or second in one.tops]

    def _book_changed(self, event: BookChanged) -> None:
        """To those who asked for one outcome, the other's entries are told too. After a trade the book as a
        whole is told besides."""
        listening = self._listening(event.market)
        traded = event.market.condition_id in self._traded
        self._traded.discard(event.market.condition_id)
        if not listening:
            return
        sides = self._exchange.book(event.market)
        documents = [book_document(event.market, sides, outcome) for outcome in (0, 1)]
        told = messages.price_changes(event, sides, [document["hash"] for document in documents])
        tops = [best(sides, outcome) for outcome in (0, 1)]
        for subscriber in listening:
            for message in told:
                subscriber.outbox.put(message)
            for outcome, token in enumerate(event.market.token_ids):
                if token not in subscriber.tops or subscriber.tops[token] == tops[outcome]:
                    continue
                subscriber.tops[token] = tops[outcome]
                if subscriber.custom:
                    subscriber.outbox.put(messages.best_bid_ask(event.market, sides, outcome, event.at_ms))
        if traded:
            self._send_books(event.market, documents, listening)

    def _tell_trade(self, trade: Trade) -> None:
        """To those who asked for the taker's token. The book follows when its changes have been told."""
        market = trade.taker.market
        listening = self._listening(market)
        if not listening:
            return
        told = messages.last_trade_price(
            trade, price=trade_price(trade), transaction_hash=self._exchange.transaction_hash(trade)
        )
        for subscriber in listening:
            if trade.taker.token_id in subscriber.tops:
                subscriber.outbox.put(told)
        self._traded.add(market.condition_id)

    def _tick_changed(self, event: TickChanged) -> None:
        """The change, then the book anew: readers drop theirs."""
        listening = self._listening(event.market)
        for subscriber in listening:
            for outcome, token in enumerate(event.market.token_ids):
                if token in subscriber.tops:
                    subscriber.outbox.put(messages.tick_size_change(event, outcome))
        if listening:
            sides = self._exchange.book(event.market)
            documents = [book_document(event.market, sides, outcome) for outcome in (0, 1)]
            self._send_books(event.market, documents, listening)

    def _send_books(
        self, market: Market, documents: list[dict[str, Any]], listening: list[MarketSubscriber]
    ) -> None:
        books = [messages.book(document) for document in documents]
        for subscriber in listening:
            for outcome, token in enumerate(market.token_ids):
                if token in subscriber.tops:
                    subscriber.outbox.put(books[outcome])

    def _resolved(self, event: MarketResolved) -> None:
        """To whoever asked for one of its tokens, or for no token in particular."""
        for subscriber in self._subscribers:
            concerned = not subscriber.tops or any(
                token in subscriber.tops for token in event.market.token_ids
            )
            if subscriber.custom and concerned:
                subscriber.outbox.put(messages.market_resolved(event))
