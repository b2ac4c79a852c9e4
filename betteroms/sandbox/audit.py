"""What really happened at the venue, told to auditors: not part of the protocol, and free of secrets.

Amounts are whole millionths, times milliseconds. Lists are given in pages, in the order things came to be.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from betteroms.sandbox.invariants import checked
from betteroms.sandbox.model import Order, OrderStatus, Trade
from betteroms.sandbox.world import World

ROWS_MAX: Final = 10_000
"""Of one list in one answer; `after` leads to the next."""
ENDPOINTS_MAX: Final = 2_000
REFUSALS_MAX: Final = 100_000
_OTHERS: Final = "(others)"
_NAMED: Final = re.compile(r"/(?:0x[0-9a-fA-F]*|[^/]*\d[^/]{3,}|\d+)(?=/|$)")
"""A segment of a path that names one thing of many."""


class Tally:
    """How often each endpoint was asked, and which orders were posted and refused, by their hash."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.refusals: dict[str, Counter[str]] = {}

    def asked(self, method: str, path: str) -> None:
        """A request has come."""
        endpoint = f"{method} {path}"
        if endpoint not in self.requests:
            endpoint = f"{method} {_NAMED.sub('/*', path)}"
            if endpoint not in self.requests and len(self.requests) >= ENDPOINTS_MAX:
                endpoint = _OTHERS
        self.requests[endpoint] += 1

    def refused(self, order_id: str, text: str) -> None:
        """An order was posted and refused."""
        if order_id in self.refusals or len(self.refusals) < REFUSALS_MAX:
            self.refusals.setdefault(order_id, Counter())[text] += 1

    def state(self) -> dict[str, Any]:
        refusals = {order_id: dict(texts) for order_id, texts in self.refusals.items()}
        return {"requests": dict(self.requests), "refusals": refusals}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.requests = Counter(state["requests"])
        self.refusals = {order_id: Counter(texts) for order_id, texts in state["refusals"].items()}


def order_row(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "owner": order.owner,
        "maker": order.maker,
        "signer": order.signer,
        "market": order.market.condition_id,
        "token_id": order.token_id,
        "side": order.side.value,
        "time_in_force": order.time_in_force.value,
        "post_only": order.post_only,
        "maker_amount": order.maker_amount,
        "taker_amount": order.taker_amount,
        "price": order.price,
        "size": order.size,
        "matched": order.matched,
        "spent": order.spent,
        "status": order.status.value,
        "reason": order.reason,
        "expiration": order.expiration,
        "created_ms": order.created_ms,
        "trades": list(order.trades),
    }


def fill_rows(trade: Trade) -> Iterable[dict[str, Any]]:
    """The trade as each order in it has it, the taker first. `dollars` are without the fee."""
    common = {"trade": trade.number, "status": trade.status.value}
    yield {
        **common,
        "order": trade.taker.id,
        "role": "TAKER",
        "maker": trade.taker.maker,
        "token_id": trade.taker.token_id,
        "side": trade.taker.side.value,
        "shares": trade.shares,
        "dollars": trade.dollars,
        "fee": trade.fee,
    }
    for fill in trade.fills:
        yield {
            **common,
            "order": fill.order.id,
            "role": "MAKER",
            "maker": fill.order.maker,
            "token_id": fill.order.token_id,
            "side": fill.order.side.value,
            "shares": fill.shares,
            "dollars": fill.dollars,
            "fee": fill.fee,
        }


class Auditor:
    """Reads a world. `tally` is what its doors have counted."""

    def __init__(self, world: World, tally: Tally) -> None:
        self._world = world
        self._tally = tally
        self._sections: dict[str, Callable[[int], Iterable[dict[str, Any]]]] = {
            "orders": self._orders,
            "trades": self._trades,
            "fills": self._fills,
            "open_orders": self._open_orders,
            "posts": self._posts,
            "late": self._late,
            "balances": self._balances,
            "allowances": self._allowances,
            "operators": self._operators,
        }

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(self._sections)

    def section(self, name: str, *, after: int = 0, limit: int = ROWS_MAX) -> dict[str, Any]:
        """Rows of one list, without the first `after`; `next` is where to go on, None at the end."""
        rows = list(islice(self._sections[name](after), min(limit, ROWS_MAX) + 1))
        more = len(rows) > min(limit, ROWS_MAX)
        rows = rows[: min(limit, ROWS_MAX)]
        return {"rows": rows, "next": after + len(rows) if more else None}

    def document(self) -> dict[str, Any]:
        """All of it; of each list the first page, and in `more` where the rest begins."""
        exchange = self._world.exchange
        pages = {name: self.section(name) for name in self._sections}
        statuses = Counter(order.status.value for order in exchange.orders.values())
        return {
            "now_ms": self._world.now(),
            "seed": self._world.options.seed,
            "counts": {
                "markets": len(exchange.markets),
                "orders": len(exchange.orders),
                "orders_by_status": {status.value: statuses[status.value] for status in OrderStatus},
                "trades": len(exchange.trades),
                "keys": len(self._world.members.keys),
                "requests": self._tally.requests.total(),
            },
            "requests": dict(sorted(self._tally.requests.items())),
            **{name: page["rows"] for name, page in pages.items()},
            "locked": {name: amount for name, amount in self._world.bank.locked.items() if amount},
            "more": {name: page["next"] for name, page in pages.items() if page["next"] is not None},
            "invariants": [
                {"name": name, "holds": not complaints, "complaints": complaints}
                for name, complaints in checked(self._world).items()
            ],
        }

    def _orders(self, after: int) -> Iterable[dict[str, Any]]:
        return map(order_row, islice(self._world.exchange.orders.values(), after, None))

    def _open_orders(self, after: int) -> Iterable[dict[str, Any]]:
        return ({"id": order.id} for order in islice(self._world.exchange.open_orders(), after, None))

    def _trades(self, after: int) -> Iterable[dict[str, Any]]:
        exchange = self._world.exchange
        for trade in islice(exchange.trades, after, None):
            yield {
                "number": trade.number,
                "id": exchange.trade_id(trade),
                "transaction_hash": exchange.transaction_hash(trade),
                "market": trade.taker.market.condition_id,
                "taker_order": trade.taker.id,
                "maker_orders": [fill.order.id for fill in trade.fills],
                "kinds": [fill.kind.value for fill in trade.fills],
                "shares": trade.shares,
                "dollars": trade.dollars,
                "fee": trade.fee,
                "status": trade.status.value,
                "attempt": trade.attempt,
                "bucket": trade.bucket,
                "matched_ms": trade.matched_ms,
                "updated_ms": trade.updated_ms,
            }

    def _fills(self, after: int) -> Iterable[dict[str, Any]]:
        every = (row for trade in self._world.exchange.trades for row in fill_rows(trade))
        return islice(every, after, None)

    def _posts(self, after: int) -> Iterable[dict[str, Any]]:
        """Each hash that a member posted: how often, and what became of it each time."""
        orders, refusals = self._world.exchange.orders, self._tally.refusals
        own = [order.id for order in orders.values() if order.owner]
        hashes = [*own, *(order_id for order_id in refusals if order_id not in orders)]
        for order_id in islice(hashes, after, None):
            refused = refusals.get(order_id, Counter())
            accepted = int(order_id in orders)
            yield {
                "id": order_id,
                "seen": accepted + refused.total(),
                "accepted": accepted,
                "duplicates": sum(count for text, count in refused.items() if "duplicated" in text.lower()),
                "refusals": dict(refused),
            }

    def _late(self, after: int) -> Iterable[dict[str, Any]]:
        """What the venue will still do that it was told to do before."""
        for due_ms, _, name, values in islice(self._world.schedule.tasks(), after, None):
            yield {"due_ms": due_ms, "task": name, "values": _without_secrets(values)}

    def _balances(self, after: int) -> Iterable[dict[str, Any]]:
        bank = self._world.bank
        dollars = ((owner, None, amount) for owner, amount in sorted(bank.dollars.items()) if amount)
        shares = ((owner, token, amount) for (owner, token), amount in sorted(bank.shares.items()) if amount)
        every = ({"owner": o, "token_id": t, "amount": a} for rows in (dollars, shares) for o, t, a in rows)
        return islice(every, after, None)

    def _allowances(self, after: int) -> Iterable[dict[str, Any]]:
        rows = sorted(self._world.bank.allowances.items())
        every = ({"owner": o, "spender": s, "amount": a} for (o, s), a in rows if a)
        return islice(every, after, None)

    def _operators(self, after: int) -> Iterable[dict[str, Any]]:
        rows = sorted(self._world.bank.operators)
        return islice(({"owner": o, "contract": c, "operator": p} for o, c, p in rows), after, None)


def _without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a task holds; a signature is none, a body is not shown."""
    return {name: value for name, value in values.items() if name != "body"}
