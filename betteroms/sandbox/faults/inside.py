"""Where faults reach into the venue: orders that land later, look-ups that forget, balances that lag."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.faults import subject
from betteroms.sandbox.faults.answers import Answer, Scope, answer
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.faults.past import Past
from betteroms.sandbox.faults.script import TRADE, Rule
from betteroms.sandbox.http import payloads
from betteroms.sandbox.http.clob_orders import place
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.http.refusals import NO_ORDER
from betteroms.sandbox.model import Market, Order, Refused, TradeStatus
from betteroms.sandbox.signing import Malformed, order_hash
from betteroms.sandbox.streams.faults import AS_IT_IS, Fate, Message
from betteroms.sandbox.streams.hub import Streams
from betteroms.sandbox.world import World

LANDING: Final = "late_landing"


class Inside:
    """One venue's inside, and the faults that strike there: of its streams and of its settlement."""

    def __init__(self, world: World, desk: Desk, streams: Streams, faults: Faults) -> None:
        self._world = world
        self._desk = desk
        self._streams = streams
        self._faults = faults
        self._past = Past(world.bank, world.clock)
        world.schedule.handle(LANDING, self._land)
        world.listen(self._hear)
        streams.choose = self._choose
        faults.changed = self._rules_changed
        self._rules_changed()

    def _rules_changed(self) -> None:
        self._past.watch(self._faults.on_reads)

    def _choose(self, channel: str, message: Message) -> Fate:
        if not self._faults.on_streams:
            return AS_IT_IS
        struck = self._faults.struck("WS", channel, subject.message(message))
        return _fate(struck[0]) if struck else AS_IT_IS

    def _hear(self, event: Event) -> None:
        """Each new trade is shown to the rules once; one that strikes decides how it settles."""
        if not self._faults.on_trades or not isinstance(event, TradeMoved):
            return
        if event.trade.status is not TradeStatus.MATCHED:
            return
        for rule in self._faults.struck(TRADE, "", subject.trade(event.trade)):
            last = TradeStatus.FAILED if rule.fault == "failed" else TradeStatus.MINED
            steps = [TradeStatus.RETRYING] * rule.parameters["attempts"] + [last]
            self._world.exchange.settling.script_trade(event.trade.number, steps)

    def hash_of(self, leg: Mapping[str, Any]) -> str | None:
        """The id of an order as it was posted; None where it has none."""
        try:
            signed = payloads.posted(leg).signed
            market = self._world.exchange.by_token[signed.token_id] if signed is not None else None
        except (Refused, KeyError):
            return None
        if signed is None or market is None:
            return None
        try:
            return order_hash(signed, neg_risk=market.neg_risk, protocol=market.protocol)
        except Malformed:
            return None

    def accepted(self, legs: Sequence[Mapping[str, Any]], *, batch: bool) -> Answer:
        """What the venue would say of orders that it took, without taking them."""
        rows = [
            {
                "success": True,
                "errorMsg": "",
                "orderID": self.hash_of(leg) or "",
                "status": "live",
                "makingAmount": "",
                "takingAmount": "",
            }
            for leg in legs
        ]
        return answer(200, rows if batch else (rows or [{}])[0])

    @contextmanager
    def delaying(self, legs: Sequence[Mapping[str, Any]], delay_s: int) -> Iterator[None]:
        """Let the markets of these orders wait before they match, as those of games do."""
        found = (self._world.exchange.by_token.get(str(leg["order"].get("tokenId"))) for leg in legs)
        markets: dict[str, Market] = {market.condition_id: market for market in found if market is not None}
        usual = {name: market.seconds_delay for name, market in markets.items()}
        for market in markets.values():
            market.seconds_delay = delay_s
        try:
            yield
        finally:
            for name, market in markets.items():
                market.seconds_delay = usual[name]

    def postpone(self, scope: Scope, body: bytes, legs: Sequence[Mapping[str, Any]], after_ms: int) -> bool:
        """Let the orders of a post arrive later. False if it is nobody's, or no order: nothing will come."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        now_ms = self._world.now()
        try:
            key = self._world.members.check_l2(
                headers, scope["method"], scope["path"], body, now_ms, trading=True
            )
            for leg in legs:
                payloads.posted(leg)
        except Refused:
            return False
        self._world.schedule.at(
            now_ms + after_ms,
            LANDING,
            key=key.key,
            orders=[self.hash_of(leg) for leg in legs],
            body=json.dumps(legs),
        )
        return bool(legs)

    def _land(self, values: Mapping[str, Any], _: int) -> None:
        """The posts arrive. Nobody hears what the venue says of them; the tally keeps it."""
        key = self._world.members.keys.get(values["key"])
        if key is None:
            return  # deleted meanwhile
        for leg in json.loads(values["body"]):
            try:
                place(self._world, self._desk, key, payloads.posted(leg))
            except Refused:
                continue

    def forgotten(self, path: str, told: Answer, rule: Rule) -> Answer:
        """The answer of a look-up without the orders that the venue forgot, and without their trades."""
        if rule.one_order:
            order = self._world.exchange.orders.get(path.rpartition("/")[2].lower())
            if order is None or not self._is_forgotten(order, rule):
                return told
            match rule.parameters["says"]:
                case "null":
                    return told.with_body(b"null")
                case "empty":
                    return told.with_body(b"{}")
                case _:
                    return answer(404, {"error": NO_ORDER})
        page = told.document
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            return told
        kept = [row for row in page["data"] if not self._is_forgotten_row(row, rule)]
        return told.with_document({**page, "data": kept, "count": len(kept)})

    def _is_forgotten(self, order: Order, rule: Rule) -> bool:
        """Members' orders only: nobody looks up the counterparties'."""
        age_ms = self._world.now() - order.created_ms
        if not order.owner or (rule.parameters["for_ms"] and age_ms >= rule.parameters["for_ms"]):
            return False
        about = subject.order(order)
        meant = all(value in about.values(name) for name, value in rule.match.items())
        return meant and (rule.parameters["of"] == "all" or not order.status.alive)

    def _is_forgotten_row(self, row: Mapping[str, Any], rule: Rule) -> bool:
        """A row of the orders, or of the trades: of those, one in which any order is forgotten."""
        makers = (maker["order_id"] for maker in row.get("maker_orders", ()))
        orders = self._world.exchange.orders
        found = (orders.get(order_id) for order_id in (row.get("taker_order_id", row["id"]), *makers))
        return any(order is not None and self._is_forgotten(order, rule) for order in found)

    @contextmanager
    def as_it_was(self, lag_ms: int) -> Iterator[None]:
        """Let balances be what they were a while ago, for whoever asks, while the block lasts."""
        with (
            self._world.held() as now_ms,
            self._past.before(now_ms - lag_ms),
            self._desk.balances.unremembered(),
        ):
            yield

    def restart(self, *, down_ms: int, post_only_ms: int) -> None:
        """Go down: subscribers are cut off, orders refused (425), and then all but post-only ones (503)."""
        up_ms = self._world.now() + down_ms
        self._desk.modes.set(Mode.RESTARTING, until_ms=up_ms, post_only_ms=post_only_ms)
        self._streams.cut_all()


def _fate(rule: Rule) -> Fate:
    match rule.fault:
        case "duplicate":
            return Fate(copies=rule.parameters["copies"])
        case "reorder":
            return Fate(held=True)
        case "drop":
            return Fate(copies=0)
        case "stall":
            return Fate(stalls=True)
        case _:
            return Fate(cuts=True)
