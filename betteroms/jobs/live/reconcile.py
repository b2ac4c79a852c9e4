"""Our books beside the venue's: told and kept, never "fixed" (DECISIONS 7, ports.trading.Standing)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.execution import Execution
from betteroms.domain.ids import TokenId
from betteroms.domain.money import to_text
from betteroms.domain.order import ChainState
from betteroms.domain.terms import Side
from betteroms.jobs import told
from betteroms.jobs.desk import Member
from betteroms.ports import Snapshot
from betteroms.ports.trading import Holding

SIZE_TOLERANCE: Final = 10_000
"""A hundredth of a share: the venue's list of positions is rounded (VENUE 5.3)."""
CASH_TOLERANCE: Final = 10_000
"""A cent: fees and costs of fills are reckoned here, and may differ by a millionth or two each."""
ARRIVED: Final = frozenset({ChainState.MINED, ChainState.CONFIRMED, ChainState.FAILED})


def reconciled(member: Member, snapshot: Snapshot, *, at: datetime) -> dict[str, Any]:
    """What the ledger and the venue say of positions and cash, and where they differ; JSON-ready.

    `snapshot` covers every market in which anything is held. A venue that does not answer leaves it undone.
    """
    try:
        holdings = member.standing.holdings()
        balance = member.standing.dollars().balance
    except VenueUnreachable as fault:
        failed = {"status": "failed", "reason": str(fault), "wallet": member.wallet, "differences": []}
        return {"at": told.instant(at), **failed}
    flying = _flying(snapshot)
    positions = _positions(snapshot, holdings, flying)
    cash = _cash(snapshot, holdings, flying, balance)
    return {
        "at": told.instant(at),
        "status": "done",
        "wallet": member.wallet,
        "cash": cash,
        "positions": positions,
        "differences": [
            *(["CASH_DIFFERS"] if cash["differs"] else []),
            *(f"POSITION_DIFFERS: {row['tokenId']}" for row in positions if row["differs"]),
        ],
    }


def _flying(snapshot: Snapshot) -> list[Execution]:
    """Fills that are booked, and whose settlement the chain has not seen yet."""
    return [
        execution
        for fills in snapshot.settling.booked.values()
        for execution, state in fills.values()
        if state not in ARRIVED
    ]


def _positions(
    snapshot: Snapshot, holdings: Sequence[Holding], flying: Sequence[Execution]
) -> list[dict[str, Any]]:
    """Every token that either side holds; what is on its way may be counted there or not."""
    theirs = {holding.token_id: holding for holding in holdings}
    ours = {token: position for token, position in snapshot.positions.items() if position.size > 0}
    rows = []
    for token in sorted(theirs.keys() | ours.keys()):
        held = ours[token].size if token in ours else 0
        holding = theirs.get(token)
        seen = 0 if holding is None else holding.size
        coming = sum(fill.size for fill in flying if fill.token_id == token and fill.side is Side.BUY)
        going = sum(fill.size for fill in flying if fill.token_id == token and fill.side is Side.SELL)
        paid = holding is not None and holding.redeemable and token in snapshot.settlements
        agrees = held - coming - SIZE_TOLERANCE <= seen <= held + going + SIZE_TOLERANCE
        rows.append(
            {
                "tokenId": token,
                "marketId": holding.market_id if holding is not None else ours[token].market_id,
                "ledger": to_text(held),
                "venue": to_text(seen),
                "inFlight": to_text(coming - going),
                "redeemable": holding is not None and holding.redeemable,
                "differs": not agrees and not (paid and held == 0),
            }
        )
    return rows


def _cash(
    snapshot: Snapshot, holdings: Sequence[Holding], flying: Sequence[Execution], balance: int
) -> dict[str, Any]:
    """The ledger's cash and the wallet's: what was won and not redeemed yet is cash to us alone."""
    moved = sum(fill.cash - fill.fee for fill in flying)
    waiting = sum(_paid(snapshot, holding.token_id) for holding in holdings if holding.redeemable)
    cash = snapshot.account.cash
    least, most = sorted((cash - waiting, cash - waiting - moved))
    return {
        "ledger": to_text(cash),
        "venue": to_text(balance),
        "inFlight": to_text(moved),
        "unredeemed": to_text(waiting),
        "differs": not least - CASH_TOLERANCE <= balance <= most + CASH_TOLERANCE,
    }


def _paid(snapshot: Snapshot, token: TokenId) -> int:
    entries: Mapping[TokenId, Any] = snapshot.settlements
    return sum(entry.cash for entry in entries.get(token, ()))
