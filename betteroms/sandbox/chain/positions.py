"""Full sets of shares made, undone and paid out, by the contracts that the venue's clients call for it.

Conditional tokens go through one of two adapters (by neg-risk), positions through the router.

Source: VENUE 8.
"""

from betteroms.sandbox.activity import ActivityKind
from betteroms.sandbox.addresses import (
    COLLATERAL_ADAPTER,
    NEG_RISK_COLLATERAL_ADAPTER,
    PUSD,
    ROUTER,
)
from betteroms.sandbox.bank import Bank, Insufficient
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.chain.frames import Conversion, Frame, Method
from betteroms.sandbox.chain.tokens import ZERO_ADDRESS, Dollars, Shares
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import MICROS, Market, Protocol

_NOT_RESOLVED = "result for condition not received yet"
_NOT_PREPARED = "condition not prepared yet"


class Positions:
    def __init__(
        self, bank: Bank, exchange: Exchange, *, dollars: Dollars, conditional: Shares, positions: Shares
    ) -> None:
        self._bank = bank
        self._exchange = exchange
        self._dollars = dollars
        self._conditional = conditional
        self._positions = positions

    def methods(self) -> dict[str, dict[str, Method]]:
        """By contract."""
        return {
            COLLATERAL_ADAPTER: self._adapter_methods(COLLATERAL_ADAPTER, neg_risk=False),
            NEG_RISK_COLLATERAL_ADAPTER: self._adapter_methods(NEG_RISK_COLLATERAL_ADAPTER, neg_risk=True),
            ROUTER: {
                "split(bytes31,uint256)": lambda frame, condition, amount: self._split(
                    frame, self._position_market(condition), ROUTER, amount
                ),
                "merge(bytes31,uint256)": lambda frame, condition, amount: self._merge(
                    frame, self._position_market(condition), ROUTER, amount
                ),
                "redeem(bytes31,uint256,uint256)": self._redeem_position,
            },
        }

    def _adapter_methods(self, adapter: str, *, neg_risk: bool) -> dict[str, Method]:
        # The adapters look at the condition and the amount alone; the other arguments are for the looks
        # of the conditional tokens' own interface.
        return {
            "splitPosition(address,bytes32,bytes32,uint256[],uint256)": (
                lambda frame, _collateral, _parent, condition, _partition, amount: self._split(
                    frame, self._conditional_market(condition, neg_risk=neg_risk), adapter, amount
                )
            ),
            "mergePositions(address,bytes32,bytes32,uint256[],uint256)": (
                lambda frame, _collateral, _parent, condition, _partition, amount: self._merge(
                    frame, self._conditional_market(condition, neg_risk=neg_risk), adapter, amount
                )
            ),
            "redeemPositions(address,bytes32,bytes32,uint256[])": (
                lambda frame, _collateral, _parent, condition, _sets: self._redeem_all(
                    frame, self._conditional_market(condition, neg_risk=neg_risk), adapter
                )
            ),
        }

    def _conditional_market(self, condition: bytes, *, neg_risk: bool) -> Market:
        market = self._exchange.markets.get("0x" + condition.hex())
        if market is None or market.protocol is not Protocol.CTF or market.neg_risk is not neg_risk:
            raise Revert(_NOT_PREPARED)
        return market

    def _position_market(self, condition: bytes) -> Market:
        """Its condition id has 31 bytes; the venue's answers may fill it up with a zero (VENUE 2.5)."""
        text = "0x" + condition.hex()
        market = self._exchange.markets.get(text) or self._exchange.markets.get(text + "00")
        if market is None or market.protocol is not Protocol.POSITION:
            raise Revert(_NOT_PREPARED)
        return market

    def _split(self, frame: Frame, market: Market, contract: str, amount: int) -> bytes:
        owner, shares = frame.sender, self._shares_of(market)
        self._dollars.use_allowance(frame, owner, contract, amount)
        self._note(frame, market)
        try:
            self._bank.split(owner, market.condition_id, market.token_ids, amount)
        except Insufficient:
            raise Revert("ERC20: transfer amount exceeds balance") from None
        frame.log_transfer(PUSD, owner, ZERO_ADDRESS, amount)
        for token_id in market.token_ids:
            shares.log_move(frame, contract, ZERO_ADDRESS, owner, int(token_id), amount)
        _remember(frame, ActivityKind.SPLIT, market, shares=(amount, amount), dollars=amount)
        return b""

    def _merge(self, frame: Frame, market: Market, contract: str, amount: int) -> bytes:
        owner, shares = frame.sender, self._shares_of(market)
        shares.require_operator(owner, contract)
        self._note(frame, market)
        try:
            self._bank.merge(owner, market.condition_id, market.token_ids, amount)
        except Insufficient:
            raise Revert("SafeMath: subtraction overflow") from None
        for token_id in market.token_ids:
            shares.log_move(frame, contract, owner, ZERO_ADDRESS, int(token_id), amount)
        frame.log_transfer(PUSD, ZERO_ADDRESS, owner, amount)
        _remember(frame, ActivityKind.MERGE, market, shares=(amount, amount), dollars=amount)
        return b""

    def _redeem_all(self, frame: Frame, market: Market, adapter: str) -> bytes:
        """The caller's whole balance of both outcomes."""
        first, second = (self._bank.balance(frame.sender, token_id) for token_id in market.token_ids)
        return self._redeem(frame, market, adapter, (first, second))

    def _redeem_position(self, frame: Frame, condition: bytes, outcome: int, amount: int) -> bytes:
        market = self._position_market(condition)
        if outcome > 1:
            raise Revert("invalid outcome index")
        return self._redeem(frame, market, ROUTER, (0, amount) if outcome else (amount, 0))

    def _redeem(self, frame: Frame, market: Market, contract: str, burned: tuple[int, int]) -> bytes:
        owner, shares = frame.sender, self._shares_of(market)
        if market.payouts is None:
            raise Revert(_NOT_RESOLVED)
        shares.require_operator(owner, contract)
        paid = sum(amount * payout // MICROS for amount, payout in zip(burned, market.payouts, strict=True))
        self._note(frame, market)
        try:
            self._bank.redeem(
                owner, market.condition_id, dict(zip(market.token_ids, burned, strict=True)), paid
            )
        except Insufficient:
            raise Revert("SafeMath: subtraction overflow") from None
        for token_id, amount in zip(market.token_ids, burned, strict=True):
            if amount:
                shares.log_move(frame, contract, owner, ZERO_ADDRESS, int(token_id), amount)
        frame.log_transfer(PUSD, ZERO_ADDRESS, owner, paid)
        _remember(frame, ActivityKind.REDEEM, market, shares=burned, dollars=paid)
        return b""

    def _shares_of(self, market: Market) -> Shares:
        return self._conditional if market.protocol is Protocol.CTF else self._positions

    def _note(self, frame: Frame, market: Market) -> None:
        owner = frame.sender
        frame.journal.note(self._bank.dollars, owner)
        frame.journal.note(self._bank.shares, *((owner, token_id) for token_id in market.token_ids))
        frame.journal.note(self._bank.locked, market.condition_id)


def conditional(exchange: Exchange, token_id: str) -> bool:
    """Whether a token lives on the conditional tokens contract."""
    market = exchange.by_token.get(token_id)
    return market is not None and market.protocol is Protocol.CTF


def positional(exchange: Exchange, token_id: str) -> bool:
    """Whether a token lives on the position manager."""
    market = exchange.by_token.get(token_id)
    return market is not None and market.protocol is Protocol.POSITION


def _remember(
    frame: Frame, kind: ActivityKind, market: Market, *, shares: tuple[int, int], dollars: int
) -> None:
    frame.conversions.append(
        Conversion(kind=kind, owner=frame.sender, market=market, shares=shares, dollars=dollars)
    )
