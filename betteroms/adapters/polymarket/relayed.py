"""Transactions of wallets that are contracts: signed by the venue's client, sent and paid by its relayer.

The relayer takes one at a time of each wallet, numbered by what the wallet has carried out, so that the same
number is carried out once. Source: VENUE 8.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.adapters.polymarket.approvals import call_of
from betteroms.adapters.polymarket.http import Service
from betteroms.domain.approval import Standing
from betteroms.domain.errors import TransactionFailed, TransactionPending, VenueUnreachable

if TYPE_CHECKING:
    from polymarket import SecureClient

DEPLOYED: Final = "/deployed"
METADATA: Final = "Set allowances"


def is_deployed(service: Service, address: str) -> bool:
    """Whether a wallet contract stands at an address, as the relayer knows.

    Raises:
        VenueUnreachable: no usable answer.
    """
    answer = service.get(DEPLOYED, [("address", address)])
    if not isinstance(answer, Mapping) or not isinstance(answer.get("deployed"), bool):
        raise service.unusable("GET", DEPLOYED, "the answer does not tell")
    return bool(answer["deployed"])


class RelayedTransactions:
    """Keeps the promises of `ports.wallet.Sender` with the venue's client, which is the caller's to close."""

    def __init__(self, client: "SecureClient") -> None:
        self._client = client

    def settle(self) -> None:
        """See `ports.wallet.Sender.settle`: nothing to do, as the relayer refuses a second one by itself."""

    def carry_out(self, changes: Sequence[Standing], *, said: Callable[[str], None]) -> None:
        """See `ports.wallet.Sender.carry_out`: all of them as one transaction."""
        from polymarket import TransactionCall, errors
        from polymarket.types import EvmAddress, HexString

        calls = [
            TransactionCall(
                to=EvmAddress(change.approval.token), data=HexString(f"0x{call_of(change).hex()}")
            )
            for change in changes
        ]
        handle: Any = None
        try:
            handle = self._client.execute_transaction(calls=calls, metadata=METADATA)
            handle.wait()
        except errors.TransactionFailedError as fault:
            raise TransactionFailed(f"the relayer could not carry it out: {fault}") from None
        except errors.RequestRejectedError as fault:
            if handle is None and fault.status < 500:
                raise TransactionFailed(f"the relayer refused it: {fault}") from None
            raise TransactionPending(f"the relayer may have taken it: {fault}") from None
        except errors.UserInputError as fault:
            raise TransactionFailed(f"the venue's client refused it: {fault}") from None
        except errors.RateLimitError as fault:
            raise VenueUnreachable(f"the relayer takes no more now: {fault}") from None
        except errors.PolymarketError as fault:
            raise TransactionPending(f"the relayer may have taken it: {fault}") from None
        for change in changes:
            said(change.approval.reason)
