"""Which contracts a wallet lets move its dollars and shares, as the Data API tells it. Source: VENUE 2.6."""

from typing import Any, Final

from betteroms.sandbox.addresses import (
    AUTO_REDEEMER,
    BINARY_MODULE,
    CHAIN_ID,
    COLLATERAL_ADAPTER,
    CONDITIONAL_TOKENS,
    EXCHANGE,
    EXCHANGE_V3,
    NEG_RISK_COLLATERAL_ADAPTER,
    NEG_RISK_EXCHANGE,
    NEG_RISK_MODULE,
    PERPS_DEPOSIT,
    POSITION_MANAGER,
    PUSD,
    ROUTER,
)
from betteroms.sandbox.bank import UNLIMITED, Bank
from betteroms.sandbox.hashing import checksum

SPENDERS: Final = (
    EXCHANGE,
    NEG_RISK_EXCHANGE,
    EXCHANGE_V3,
    ROUTER,
    COLLATERAL_ADAPTER,
    NEG_RISK_COLLATERAL_ADAPTER,
    PERPS_DEPOSIT,
)
OPERATORS: Final = {
    CONDITIONAL_TOKENS: (
        EXCHANGE,
        NEG_RISK_EXCHANGE,
        COLLATERAL_ADAPTER,
        NEG_RISK_COLLATERAL_ADAPTER,
        AUTO_REDEEMER,
        BINARY_MODULE,
        NEG_RISK_MODULE,
    ),
    POSITION_MANAGER: (ROUTER, EXCHANGE_V3, AUTO_REDEEMER),
}


def approvals_of(bank: Bank, owner: str) -> dict[str, Any]:
    """The whole catalogue, approved or not; an allowance without end is "max"."""
    contracts: list[dict[str, Any]] = []
    for spender in SPENDERS:
        amount = bank.allowance(owner, spender)
        told = "max" if amount == UNLIMITED else str(amount)
        contracts.append(_row(PUSD, spender, "ERC20", amount > 0) | {"amount": told})
    for contract, operators in OPERATORS.items():
        for operator in operators:
            allowed = bank.is_operator(owner, contract, operator)
            contracts.append(_row(contract, operator, "ERC1155", allowed) | {"amount": None})
    return {"address": checksum(owner), "chain_id": CHAIN_ID, "contracts": contracts}


def _row(token: str, spender: str, standard: str, approved: bool) -> dict[str, Any]:
    return {
        "token": checksum(token),
        "spender": checksum(spender),
        "standard": standard,
        "approved": approved,
    }
