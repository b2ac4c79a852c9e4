"""Every order and trade, found by id, by API key and by wallet without a search."""

from collections import defaultdict

from betteroms.sandbox.model import Order, Trade


class Registry:
    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.trades: list[Trade] = []
        self.count = 0
        self._by_owner: dict[str, list[Order]] = defaultdict(list)
        self._by_maker: dict[str, list[Order]] = defaultdict(list)
        self._open_by_owner: dict[str, dict[int, Order]] = defaultdict(dict)
        self._open_by_maker: dict[str, dict[int, Order]] = defaultdict(dict)
        self._trades_by_owner: dict[str, list[Trade]] = defaultdict(list)
        self._trades_by_wallet: dict[str, list[Trade]] = defaultdict(list)

    def add(self, order: Order) -> None:
        self.orders[order.id] = order
        self._by_owner[order.owner].append(order)
        self._by_maker[order.maker].append(order)

    def opened(self, order: Order) -> None:
        self._open_by_owner[order.owner][order.number] = order
        self._open_by_maker[order.maker][order.number] = order

    def closed(self, order: Order) -> None:
        """It is open no more. Indexes that are empty are given up."""
        for index, key in ((self._open_by_owner, order.owner), (self._open_by_maker, order.maker)):
            orders = index.get(key)
            if orders is not None and orders.pop(order.number, None) is not None and not orders:
                del index[key]

    def traded(self, trade: Trade) -> None:
        self.trades.append(trade)
        orders = [trade.taker, *(fill.order for fill in trade.fills)]
        for owner in {order.owner for order in orders}:
            self._trades_by_owner[owner].append(trade)
        for wallet in {order.maker for order in orders}:
            self._trades_by_wallet[wallet].append(trade)

    def open_orders(self, owner: str | None, maker: str | None) -> list[Order]:
        """Oldest first. With neither: all."""
        if owner is not None:
            found = self._open_by_owner.get(owner, {}).values()
            return sorted(
                (order for order in found if maker is None or order.maker == maker), key=lambda o: o.number
            )
        if maker is not None:
            return sorted(self._open_by_maker.get(maker, {}).values(), key=lambda o: o.number)
        every = (order for orders in self._open_by_maker.values() for order in orders.values())
        return sorted(every, key=lambda o: o.number)

    def orders_of(self, owner: str | None, maker: str | None) -> list[Order]:
        """Alive and dead, oldest first."""
        if owner is not None:
            return [o for o in self._by_owner.get(owner, []) if maker is None or o.maker == maker]
        return list(self._by_maker.get(maker, [])) if maker is not None else list(self.orders.values())

    def trades_of(self, owner: str | None, maker: str | None) -> list[Trade]:
        """Trades in which an order of that API key or wallet had a part, oldest first."""
        if owner is not None:
            return list(self._trades_by_owner.get(owner, []))
        return list(self._trades_by_wallet.get(maker, [])) if maker is not None else list(self.trades)
