"""Who hears what on the user channel: connections by API key, and the events that concern each."""

from collections.abc import Mapping
from typing import Any

from betteroms.sandbox.events import Event, OrderCanceled, OrderMatched, OrderPlaced, TradeMoved
from betteroms.sandbox.streams.frames import Unauthorized, WrongFrame, names
from betteroms.sandbox.streams.outbox import Outbox
from betteroms.sandbox.streams.user_messages import OrderEvent, order_event, trade_event
from betteroms.sandbox.world import World


class UserSubscriber:
    """One connection. `owner` is the API key it has shown, "" before; no `markets` means all of them."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.owner = ""
        self.markets: set[str] = set()

    def wants(self, condition_id: str) -> bool:
        return not self.markets or condition_id.lower() in self.markets


class UserChannel:
    def __init__(self, world: World) -> None:
        self._exchange = world.exchange
        self._members = world.members
        self._subscribers: list[UserSubscriber] = []

    @property
    def listeners(self) -> int:
        return len(self._subscribers)

    def join(self, outbox: Outbox) -> UserSubscriber:
        subscriber = UserSubscriber(outbox)
        self._subscribers.append(subscriber)
        return subscriber

    def leave(self, subscriber: UserSubscriber) -> None:
        self._subscribers.remove(subscriber)

    def cut_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.outbox.close()

    def receive(self, subscriber: UserSubscriber, frame: Mapping[str, Any]) -> None:
        """Carry out what a client sent: its credentials, or an operation on its markets.

        Raises:
            WrongFrame: the frame asks for nothing the channel knows.
            Unauthorized: wrong credentials, or none before the first operation.
        """
        markets = {name.lower() for name in names(frame, "markets")}
        if str(frame.get("type", "")).lower() == "user":
            subscriber.owner = self._owner(frame.get("auth"))
            subscriber.markets = markets
        elif frame.get("operation") not in ("subscribe", "unsubscribe"):
            raise WrongFrame
        elif not subscriber.owner:
            raise Unauthorized
        elif frame["operation"] == "subscribe":
            subscriber.markets |= markets
        else:
            subscriber.markets -= markets

    def _owner(self, auth: Any) -> str:
        if not isinstance(auth, dict):
            raise Unauthorized
        key = self._members.keys.get(str(auth.get("apiKey", "")))
        if key is None or (key.secret, key.passphrase) != (auth.get("secret"), auth.get("passphrase")):
            raise Unauthorized
        return key.key

    def hear(self, event: Event) -> None:
        match event:
            case OrderPlaced() | OrderMatched() | OrderCanceled():
                self._order_changed(event)
            case TradeMoved():
                self._trade_moved(event)
            case _:
                pass

    def _of(self, owner: str, condition_id: str) -> list[UserSubscriber]:
        if not owner:
            return []
        return [one for one in self._subscribers if one.owner == owner and one.wants(condition_id)]

    def _order_changed(self, event: OrderEvent) -> None:
        listening = self._of(event.order.owner, event.order.market.condition_id)
        if not listening:
            return
        told = order_event(event, self._exchange)
        for subscriber in listening:
            subscriber.outbox.put(told)

    def _trade_moved(self, event: TradeMoved) -> None:
        """Once to each API key that has an order in it, however many."""
        trade = event.trade
        for owner in dict.fromkeys((trade.taker.owner, *(fill.order.owner for fill in trade.fills))):
            listening = self._of(owner, trade.taker.market.condition_id)
            if not listening:
                continue
            told = trade_event(trade, self._exchange, owner=owner, at_ms=event.at_ms)
            for subscriber in listening:
                subscriber.outbox.put(told)
