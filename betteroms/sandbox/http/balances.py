"""What the CLOB believes that wallets hold: it looks at the chain when told to, and when a trade settles.

So money that came in by a deposit, and an approval, are not seen until the member asks for an update.
Source: VENUE 2.6 ("else the CLOB keeps a cached 0").
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import CONDITIONAL_TOKENS, EXCHANGE, EXCHANGE_V3, NEG_RISK_EXCHANGE
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.exchange.holds import exchange_of, shares_contract
from betteroms.sandbox.model import Market, Refused, SignedOrder, TradeStatus
from betteroms.sandbox.world import World

SPENDERS: Final = (EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3)
_MOVING: Final = (TradeStatus.MINED, TradeStatus.CONFIRMED, TradeStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A balance in base units, and how much of it each exchange may take."""

    balance: int
    allowances: Mapping[str, int]


class Balances:
    """Wallets' holdings as last looked at, by wallet (lower case) and token (None for pUSD).

    What was never looked at is looked at when it is first asked for.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[tuple[str, str | None], Holding] = {}
        world.listen(self._hear)

    def of(self, wallet: str, token_id: str | None) -> Holding:
        key = (wallet, token_id)
        holding = self._seen.get(key)
        if holding is None:
            holding = self._seen[key] = self.on_chain(wallet, token_id)
        return holding

    def update(self, wallet: str, token_id: str | None) -> None:
        """Look at the chain again."""
        self._seen[wallet, token_id] = self.on_chain(wallet, token_id)

    def forget(self, wallet: str) -> None:
        """Look again at everything of a wallet the next time it is asked for."""
        for key in [key for key in self._seen if key[0] == wallet]:
            del self._seen[key]

    @contextmanager
    def unremembered(self) -> Iterator[None]:
        """Look at the chain for everything while the block lasts; know afterwards what was known before."""
        seen, self._seen = self._seen, {}
        try:
            yield
        finally:
            self._seen = seen

    def on_chain(self, wallet: str, token_id: str | None) -> Holding:
        bank = self._world.bank
        if token_id is None:
            allowances = {spender: bank.allowance(wallet, spender) for spender in SPENDERS}
        else:
            market = self._world.exchange.by_token.get(token_id)
            contract = CONDITIONAL_TOKENS if market is None else shares_contract(market)
            allowances = {
                spender: UNLIMITED if bank.is_operator(wallet, contract, spender) else 0
                for spender in SPENDERS
            }
        return Holding(balance=bank.balance(wallet, token_id), allowances=allowances)

    def check(self, signed: SignedOrder, market: Market) -> None:
        """Whether the CLOB knows of what pays for the order, if it is there at all.

        What is not on the chain either is the exchange's to refuse, and open orders are.

        Raises:
            Refused: there is enough, but the CLOB was not told to look.
        """
        wallet, amount, spender = signed.maker.lower(), signed.maker_amount, exchange_of(market)
        token_id = None if signed.side is Side.BUY else signed.token_id
        seen = self.of(wallet, token_id)
        allowed = seen.allowances[spender]
        if seen.balance >= amount and allowed >= amount:
            return
        there = self.on_chain(wallet, token_id)
        if seen.balance < amount <= there.balance:
            raise Refused(
                "not enough balance / allowance: the balance is not enough -> "
                f"balance: {seen.balance}, order amount: {amount}"
            )
        if allowed < amount <= there.allowances[spender]:
            raise Refused(
                "not enough balance / allowance: the allowance is not enough -> "
                f"spender: {spender}, allowance: {allowed}, order amount: {amount}"
            )

    def state(self) -> list[list[Any]]:
        return [
            [wallet, token_id, holding.balance, dict(holding.allowances)]
            for (wallet, token_id), holding in self._seen.items()
        ]

    def restore(self, state: list[list[Any]]) -> None:
        self._seen = {
            (wallet, token_id): Holding(balance=balance, allowances=allowances)
            for wallet, token_id, balance, allowances in state
        }

    def _hear(self, event: Event) -> None:
        if not isinstance(event, TradeMoved) or event.trade.status not in _MOVING:
            return
        for order in (event.trade.taker, *(fill.order for fill in event.trade.fills)):
            for token_id in (None, *order.market.token_ids):
                self._seen.pop((order.maker, token_id), None)
