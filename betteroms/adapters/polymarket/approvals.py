"""Which contracts may move which tokens: what trading needs, what else the venue's pages use, and the calls.

Source: VENUE 2.6, `allowances.json`.
"""

from typing import Final

from betteroms.adapters.polymarket.contracts import (
    AUTO_REDEEMER,
    BINARY_MODULE,
    COLLATERAL_ADAPTER,
    CONDITIONAL_TOKENS,
    CTF_EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_COLLATERAL_ADAPTER,
    NEG_RISK_EXCHANGE,
    NEG_RISK_MODULE,
    PERPS_DEPOSIT,
    POSITION_MANAGER,
    PUSD,
    ROUTER,
)
from betteroms.adapters.polymarket.node import Node, NodeRefused
from betteroms.adapters.polymarket.typed_data import address_word, number_word, selector
from betteroms.domain.approval import Approval, Holds, Standing
from betteroms.domain.errors import VenueUnreachable


def _dollars(spender: str, reason: str, *, trading: bool = False) -> Approval:
    return Approval(
        holds=Holds.DOLLARS, token=PUSD, spender=spender, reason=f"dollars: {reason}", trading=trading
    )


def _shares(token: str, spender: str, reason: str, *, trading: bool = False) -> Approval:
    return Approval(
        holds=Holds.SHARES, token=token, spender=spender, reason=f"shares: {reason}", trading=trading
    )


EVERY: Final = (
    _dollars(CTF_EXCHANGE, "buy in markets of two outcomes", trading=True),
    _dollars(NEG_RISK_EXCHANGE, "buy in markets of an event with many", trading=True),
    _dollars(EXCHANGE_V3, "buy newer positions", trading=True),
    _shares(CONDITIONAL_TOKENS, CTF_EXCHANGE, "sell in markets of two outcomes", trading=True),
    _shares(CONDITIONAL_TOKENS, NEG_RISK_EXCHANGE, "sell in markets of an event with many", trading=True),
    _shares(POSITION_MANAGER, EXCHANGE_V3, "sell newer positions", trading=True),
    _dollars(COLLATERAL_ADAPTER, "split"),
    _dollars(NEG_RISK_COLLATERAL_ADAPTER, "split in an event with many"),
    _dollars(ROUTER, "split into newer positions"),
    _dollars(PERPS_DEPOSIT, "deposit for perpetuals"),
    _shares(CONDITIONAL_TOKENS, COLLATERAL_ADAPTER, "merge and redeem"),
    _shares(CONDITIONAL_TOKENS, NEG_RISK_COLLATERAL_ADAPTER, "merge and redeem in an event with many"),
    _shares(CONDITIONAL_TOKENS, AUTO_REDEEMER, "have what was won redeemed"),
    _shares(CONDITIONAL_TOKENS, BINARY_MODULE, "move into newer positions"),
    _shares(CONDITIONAL_TOKENS, NEG_RISK_MODULE, "move into newer positions of an event with many"),
    _shares(POSITION_MANAGER, ROUTER, "merge and redeem newer positions"),
    _shares(POSITION_MANAGER, AUTO_REDEEMER, "have newer positions redeemed"),
)
TRADING: Final = tuple(approval for approval in EVERY if approval.trading)
"""What orders need, and nothing else: a BUY the exchange's allowance, a SELL its right to the shares."""


def call_of(change: Standing) -> bytes:
    """The call of the token's contract that brings an approval to what is wanted."""
    name = "approve(address,uint256)"
    if change.approval.holds is Holds.SHARES:
        name = "setApprovalForAll(address,bool)"
    return selector(name) + address_word(change.approval.spender) + number_word(change.wanted)


class WalletChain:
    """Keeps the promises of `ports.wallet.Chain` for one wallet, by asking a node."""

    def __init__(self, node: Node, wallet: str) -> None:
        self._node = node
        self._wallet = wallet

    def granted(self, approval: Approval) -> int:
        """See `ports.wallet.Chain.granted`."""
        name = "allowance(address,address)"
        if approval.holds is Holds.SHARES:
            name = "isApprovedForAll(address,address)"
        data = selector(name) + address_word(self._wallet) + address_word(approval.spender)
        return self._read(approval.token, data)

    def dollars(self) -> int:
        """See `ports.wallet.Chain.dollars`."""
        return self._read(PUSD, selector("balanceOf(address)") + address_word(self._wallet))

    def _read(self, contract: str, data: bytes) -> int:
        try:
            return self._node.read(contract, data)
        except NodeRefused as refused:
            raise VenueUnreachable(f"the chain's node refused a question: {refused}") from None
