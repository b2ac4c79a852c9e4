"""The venue's order book as a member: posts, cancels and reads by the venue's own client.

Nothing here signs, and a post goes again only after an answer that says that nothing was placed: the order
never reached the book, or we were too fast. What the client cannot read (an order that is `null`) is asked
for by our own HTTP (VENUE 1.1).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from betteroms.adapters.polymarket import verdicts
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.membership import UNAUTHORIZED
from betteroms.domain.errors import CredentialsRefused, VenueUnreachable
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import MICROS, Price, Size, Usdc, cost, proceeds, to_micros
from betteroms.domain.order import ChainState
from betteroms.domain.terms import Liquidity, Side
from betteroms.ports.trading import Answer, Signed, VenueFill, VenueOrder, VenueTerms, Verdict

if TYPE_CHECKING:
    from polymarket import SecureClient, SignedOrder
    from polymarket.models.clob.account import ClobTrade, OpenOrder

ORDERS_PER_SECOND: Final = 40
ORDERS_BURST: Final = 45
CANCELS_PER_SECOND: Final = 80
CANCELS_BURST: Final = 100
"""The venue's limits per signer, Standard tier, less what is late on its way: the venue counts at arrival, so
that two requests which come closer together than they left would find its bucket of 60 (of 120 for cancels)
empty. Source: VENUE 7."""
CANCELS_MAX: Final = CANCELS_BURST
"""So many cancels go in one request: what costs more than the bucket holds is never let through."""
BUSY_TRIES: Final = 3
BUSY_SECONDS: Final = 1.0
BUSY_SECONDS_MAX: Final = 10.0
"""How long to wait after a 429 that does not say, and at most, before the same bytes go again."""
STATES: Final = {"MATCHED_NOT_BROADCASTED": ChainState.MATCHED}
OPEN: Final = frozenset({"LIVE", "DELAYED"})

OrderReader = Callable[[str], Any]
"""Asks for one order by its name: the document as the venue sent it, None for none."""


class Member:
    """Keeps the promises of `ports.trading.Venue`. It owns neither client nor reader.

    Fills of `wallet` are told whichever key placed their orders. `ask_order` reads `/data/order/{name}`
    null-safe: the document, or None.
    """

    def __init__(
        self,
        client: "SecureClient",
        *,
        api_key: str,
        wallet: str,
        ask_order: OrderReader,
        orders: Limiter | None = None,
        cancels: Limiter | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._client = client
        self._api_key = api_key
        self._wallet = wallet.lower()
        self._ask_order = ask_order
        self._orders = orders or Limiter(per_second=ORDERS_PER_SECOND, burst=ORDERS_BURST)
        self._cancels = cancels or Limiter(per_second=CANCELS_PER_SECOND, burst=CANCELS_BURST)
        self._sleep = sleep or time.sleep

    def post(self, orders: Sequence[Signed]) -> Sequence[Answer]:
        """See `ports.trading.Venue.post`."""
        answers = self._posted(orders)
        again = [number for number, answer in enumerate(answers) if answer.code == verdicts.TIMED_OUT]
        if again:  # it says that these bytes never reached the book, and would name them if they had
            second = self._posted([orders[number] for number in again])
            for number, answer in zip(again, second, strict=True):
                answers[number] = answer
        return answers

    def _posted(self, orders: Sequence[Signed]) -> list[Answer]:
        signed = [_wire(order) for order in orders]
        try:
            responses = self._let_through(signed)
        except Exception as fault:
            if not _is_the_clients(fault):
                raise
            return [verdicts.of_fault(fault)] * len(orders)
        if len(responses) != len(orders):
            reason = f"{len(responses)} answers to {len(orders)} orders"
            return [Answer(verdict=Verdict.UNKNOWN, reason=reason)] * len(orders)
        return [verdicts.of_response(response) for response in responses]

    def _let_through(self, signed: Sequence["SignedOrder"]) -> Sequence[Any]:
        """Post, and wait where we are too fast: a 429 says that nothing was placed (VENUE 7)."""
        from polymarket.errors import RateLimitError

        tries = 0
        while True:
            tries += 1
            self._orders.wait(len(signed))
            try:
                if len(signed) == 1:
                    return [self._client.post_order(signed[0])]
                return self._client.post_orders(signed)
            except RateLimitError as busy:
                if tries == BUSY_TRIES:
                    raise
                self._sleep(min(busy.retry_after or BUSY_SECONDS, BUSY_SECONDS_MAX))

    def cancel(self, names: Sequence[str]) -> Mapping[str, str]:
        """See `ports.trading.Venue.cancel`."""
        refused: dict[str, str] = {}
        for start in range(0, len(names), CANCELS_MAX):
            some = list(names[start : start + CANCELS_MAX])
            self._cancels.wait(len(some))
            with faults_named("cancel"):
                answer = self._client.cancel_orders(order_ids=some)
            told = {str(name) for name in answer.canceled}
            refused |= {str(name): str(why) for name, why in answer.not_canceled.items()}
            refused |= {name: "not told" for name in some if name not in told and name not in refused}
        return refused

    def cancel_all(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """See `ports.trading.Venue.cancel_all`."""
        with faults_named("cancel all"):
            answer = self._client.cancel_all()
        refused = {str(name): str(why) for name, why in answer.not_canceled.items()}
        return [str(name) for name in answer.canceled], refused

    def order(self, name: str) -> VenueOrder | None:
        """See `ports.trading.Venue.order`."""
        found = self._ask_order(name)
        if not isinstance(found, Mapping) or not found.get("id"):
            return None
        status = _status(str(found.get("status", "")))
        return VenueOrder(
            external_order_id=str(found["id"]),
            token_id=TokenId(str(found.get("asset_id", ""))),
            open=status in OPEN,
            status=status,
            matched=Size(to_micros(str(found.get("size_matched") or "0"))),
            created_at=None,
        )

    def open_orders(self) -> Sequence[VenueOrder]:
        """See `ports.trading.Venue.open_orders`."""
        with faults_named("open orders"):
            return [self._order(found) for found in self._client.list_open_orders().iter_items()]

    def _order(self, found: "OpenOrder") -> VenueOrder:
        status = _status(found.status)
        return VenueOrder(
            external_order_id=found.id,
            token_id=TokenId(str(found.asset_id)),
            open=status in OPEN,
            status=status,
            matched=Size(_micros(found.size_matched)),
            created_at=found.created_at.astimezone(UTC),
            terms=VenueTerms(
                market_id=MarketId(str(found.condition_id).lower()),
                side=Side(found.side),
                price=Price(_micros(found.price)),
                size=Size(_micros(found.original_size)),
                expires_at=None if found.expires_at is None else found.expires_at.astimezone(UTC),
            ),
            ours=found.owner == self._api_key,
        )

    def fills(self, *, since: datetime) -> Sequence[VenueFill]:
        """See `ports.trading.Venue.fills`."""
        after = str(int(since.timestamp()))
        with faults_named("trades"):
            trades = list(self._client.list_account_trades(after=after).iter_items())
        found = [fill for trade in trades for fill in self._fills_of(trade)]
        return sorted(found, key=lambda fill: (fill.matched_at, fill.fill_id, fill.external_order_id))

    def _fills_of(self, trade: "ClobTrade") -> Iterator[VenueFill]:
        """Our parts in a trade, each as its own order sees it (DECISIONS 7.7)."""
        state = STATES.get(trade.status) or ChainState(trade.status)
        told: dict[str, Any] = {
            "market_id": MarketId(str(trade.condition_id).lower()),
            "state": state,
            "matched_at": trade.matched_at.astimezone(UTC),
            "transaction_hash": str(trade.transaction_hash) if trade.transaction_hash else None,
        }
        if trade.trader_side == "TAKER":
            yield from self._taken(trade, told)
        for maker in trade.maker_orders:
            ours = maker.owner == self._api_key
            if ours or str(maker.maker_address).lower() == self._wallet:
                side, price, size = Side(maker.side), _micros(maker.price), _micros(maker.matched_amount)
                yield VenueFill(
                    fill_id=trade.id,
                    external_order_id=maker.order_id,
                    token_id=TokenId(str(maker.asset_id)),
                    side=side,
                    price=Price(price),
                    size=Size(size),
                    dollars=_resting_dollars(side, price, size),
                    liquidity=Liquidity.MAKER,
                    ours=ours,
                    **told,
                )

    def _taken(self, trade: "ClobTrade", told: Mapping[str, Any]) -> Iterator[VenueFill]:
        """The taker's part, one fill for each maker it met: their sizes add up to the trade's.

        Dollars and fees are rounded for each of these alone, as the venue does.
        """
        side = Side(trade.side)
        resting = Side.SELL if side is Side.BUY else Side.BUY
        met: list[tuple[str, int, int]] = []
        for maker in trade.maker_orders:
            own = str(maker.asset_id) == str(trade.asset_id)
            price = _micros(maker.price) if own else MICROS - _micros(maker.price)
            met.append((maker.order_id, price, _micros(maker.matched_amount)))
        told_apart = len({name for name, _, _ in met}) == len(met)
        if not told_apart or sum(size for _, _, size in met) != _micros(trade.size):
            met = [("", _micros(trade.price), _micros(trade.size))]
        for name, price, size in met:
            fill_id = trade.id if len(met) == 1 else f"{trade.id}@{name}"
            yield VenueFill(
                fill_id=fill_id,
                external_order_id=trade.taker_order_id,
                token_id=TokenId(str(trade.asset_id)),
                side=side,
                price=Price(price),
                size=Size(size),
                dollars=_resting_dollars(resting, price, size),
                liquidity=Liquidity.TAKER,
                ours=trade.owner == self._api_key,
                **told,
            )


def _resting_dollars(side: Side, price: int, size: int) -> Usdc:
    """What a resting order pays or gets for so many shares, fee apart.

    A BUY gives dollars and gets the shares that these come to, rounded down: of all dollars that come to just
    so many shares there is one whole millionth, price times size rounded up. A SELL gives shares and gets
    dollars, rounded down. Source: venue/matches_on_chain.json.
    """
    return cost(Price(price), Size(size)) if side is Side.BUY else proceeds(Price(price), Size(size))


def _wire(order: Signed) -> "SignedOrder":
    """The stored bytes as the client takes them: what it sends follows from these values alone."""
    from polymarket import SignedOrder

    body = json.loads(order.body.reveal())
    words = body["order"]
    return SignedOrder(
        builder=words["builder"],
        expiration=int(words["expiration"]),
        maker=words["maker"],
        maker_amount=int(words["makerAmount"]),
        metadata=words["metadata"],
        order_type=body["orderType"],
        salt=words["salt"],
        side=words["side"],
        signature=words["signature"],
        signature_type=words["signatureType"],
        signer=words["signer"],
        taker_amount=int(words["takerAmount"]),
        timestamp=int(words["timestamp"]),
        token_id=words["tokenId"],
        post_only=body["postOnly"],
    )


def _status(told: str) -> str:
    """The venue's word without its prefix. Source: VENUE 3.5."""
    return told.upper().removeprefix("ORDER_STATUS_")


def _micros(value: Decimal) -> int:
    return to_micros(value)


def _is_the_clients(fault: Exception) -> bool:
    from polymarket.errors import PolymarketError

    return isinstance(fault, PolymarketError)


@contextmanager
def faults_named(what: str) -> Iterator[None]:
    """Name the faults of a read or a cancel as ours; the client's own words are kept."""
    try:
        yield
    except Exception as fault:
        if not _is_the_clients(fault):
            raise
        refused = CredentialsRefused if getattr(fault, "status", None) == UNAUTHORIZED else VenueUnreachable
        raise refused(f"{what}: {fault}") from fault
