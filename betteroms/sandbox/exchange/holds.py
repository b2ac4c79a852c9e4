"""What wallets have promised: to their open orders, and to matches that are not mined yet."""

from collections import defaultdict

from betteroms.domain.terms import Side
from betteroms.sandbox import addresses
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.model import Market, Order, Protocol, Refused, Trade

Key = tuple[str, str | None]


def exchange_of(market: Market) -> str:
    """The contract that settles the market's trades. Source: VENUE 2.1."""
    if market.protocol is Protocol.POSITION:
        return addresses.EXCHANGE_V3
    return addresses.NEG_RISK_EXCHANGE if market.neg_risk else addresses.EXCHANGE


def shares_contract(market: Market) -> str:
    """The contract that keeps the market's shares."""
    if market.protocol is Protocol.POSITION:
        return addresses.POSITION_MANAGER
    return addresses.CONDITIONAL_TOKENS


def given(order: Order) -> Key:
    """What the order gives: its wallet's dollars, or shares."""
    return (order.maker, None if order.side is Side.BUY else order.token_id)


class Holds:
    """Sums by (wallet, token or None for pUSD): `open` for orders, `unsettled` for trades not mined."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.open: dict[Key, int] = defaultdict(int)
        self.unsettled: dict[Key, int] = defaultdict(int)

    def available(self, wallet: str, token_id: str | None) -> int:
        key = (wallet, token_id)
        return self.bank.balance(wallet, token_id) - self.open.get(key, 0) - self.unsettled.get(key, 0)

    def hold(self, key: Key, amount: int) -> None:
        _change(self.open, key, amount)

    def release(self, key: Key, amount: int) -> None:
        _change(self.open, key, -amount)

    def owe(self, trade: Trade) -> None:
        """The trade is matched: what its parties will give is spoken for."""
        for key, amount in outgoing(trade).items():
            _change(self.unsettled, key, amount)

    def settled(self, trade: Trade) -> None:
        for key, amount in outgoing(trade).items():
            _change(self.unsettled, key, -amount)

    def check(self, order: Order, *, fees: int) -> None:
        """That the wallet can give what the order asks for, and lets the exchange take it.

        Raises:
            Refused: it cannot. Source: VENUE 3.6.
        """
        wallet, token_id = given(order)
        wanted = order.maker_amount + (fees if token_id is None else 0)
        available = max(self.available(wallet, token_id), 0)
        if wanted > available:
            raise Refused(
                "not enough balance / allowance: the balance is not enough -> "
                f"balance: {available}, order amount: {wanted}"
            )

    def check_allowed(self, order: Order, *, fees: int) -> None:
        """That the exchange's contract may take it.

        Raises:
            Refused: it may not.
        """
        wanted = order.maker_amount + (fees if order.side is Side.BUY else 0)
        allowed = allowance(self.bank, order)
        if allowed < wanted:
            raise Refused(
                "not enough balance / allowance: the allowance is not enough -> "
                f"spender: {exchange_of(order.market)}, allowance: {allowed}, order amount: {wanted}"
            )


def allowance(bank: Bank, order: Order) -> int:
    """How much the market's exchange may take of what the order gives; shares are all or nothing."""
    spender = exchange_of(order.market)
    if order.side is Side.BUY:
        return bank.allowance(order.maker, spender)
    allowed = bank.is_operator(order.maker, shares_contract(order.market), spender)
    return bank.balance(order.maker, order.token_id) if allowed else 0


def outgoing(trade: Trade) -> dict[Key, int]:
    """What each party gives in a trade, fees of BUYs included (a SELL's fee is kept from what it gets)."""
    amounts: dict[Key, int] = defaultdict(int)
    taker = trade.taker
    amounts[given(taker)] += trade.dollars + trade.fee if taker.side is Side.BUY else trade.shares
    for fill in trade.fills:
        maker = fill.order
        amounts[given(maker)] += fill.dollars + fill.fee if maker.side is Side.BUY else fill.shares
    return amounts


def _change(sums: dict[Key, int], key: Key, amount: int) -> None:
    """Sums of nothing are not kept: a wallet that is done costs no memory."""
    total = sums[key] + amount
    if total:
        sums[key] = total
    else:
        del sums[key]
