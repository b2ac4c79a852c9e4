"""Let the venue's contracts move a wallet's tokens, or no longer: what is missing, and only that."""

from collections.abc import Callable, Sequence
from typing import Final

from betteroms.domain.approval import UNLIMITED, Approval, Standing, wanted
from betteroms.domain.errors import TransactionFailed
from betteroms.ports.wallet import Chain, Sender

EXACT: Final = "exact"
NO_LIMIT: Final = "unlimited"


def survey(chain: Chain, approvals: Sequence[Approval], *, dollars: int | None) -> list[Standing]:
    """How each approval stands, beside what is wanted; `dollars` in base units, None to take all back.

    Raises:
        VenueUnreachable: no usable answer.
    """
    return [
        Standing(approval=each, granted=chain.granted(each), wanted=wanted(each, dollars))
        for each in approvals
    ]


def amount_meant(chain: Chain, amount: str | int | None) -> int | None:
    """Base units of dollars: no limit, what the wallet holds now, or that many; None stays so.

    Raises:
        VenueUnreachable: no usable answer.
    """
    if amount is None or isinstance(amount, int):
        return amount
    return UNLIMITED if amount == NO_LIMIT else chain.dollars()


def unmet(standings: Sequence[Standing]) -> list[Standing]:
    """Those for which something has to be sent."""
    return [each for each in standings if not each.is_met]


def carry_out(
    chain: Chain, sender: Sender, standings: Sequence[Standing], *, said: Callable[[str], None]
) -> list[Standing]:
    """Send what is missing, wait for it, and look again: how everything stands afterwards.

    What an earlier run left on its way is waited for first, and what it has done by then is left out.

    Raises:
        TransactionFailed: one was refused or reverted, or had not the effect it should have had.
        TransactionPending: nobody knows yet; run again, it does only what is missing then.
        VenueUnreachable: no usable answer.
    """
    sender.settle()
    todo = unmet(_again(chain, standings))
    if todo:
        sender.carry_out(todo, said=said)
    after = _again(chain, standings)
    left = unmet(after)
    if left:
        names = ", ".join(each.approval.reason for each in left)
        raise TransactionFailed(f"carried out, and yet not as wanted: {names}")
    return after


def _again(chain: Chain, standings: Sequence[Standing]) -> list[Standing]:
    return [
        Standing(approval=each.approval, granted=chain.granted(each.approval), wanted=each.wanted)
        for each in standings
    ]
