"""Transactions that a key sends itself: signed here, paid in POL, waited for.

One at a time. The next is only signed when the chain knows of none of this key that is on its way, so that no
two of ours ever carry the same number (nonce) while both could be carried out.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.adapters.polymarket.approvals import call_of
from betteroms.adapters.polymarket.node import Node, NodeRefused
from betteroms.adapters.polymarket.typed_data import CHAIN_ID
from betteroms.domain.approval import Standing
from betteroms.domain.errors import TransactionFailed, TransactionPending, VenueUnreachable
from betteroms.domain.secret import Secret

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

GWEI: Final = 10**9
POL: Final = 10**18
TIP_MIN: Final = 30 * GWEI
"""Polygon's validators leave transactions with a smaller one alone."""
FEE_MAX: Final = 3_000 * GWEI
"""Nothing that can wait is worth more per gas; the chain is not usable at such prices anyway."""
GAS_MARGIN_PERCENT: Final = 25
WAIT_SECONDS: Final = 180.0
LOOK_FIRST_SECONDS: Final = 0.1
LOOK_EACH_SECONDS: Final = 2.0


class OwnTransactions:
    """Keeps the promises of `ports.wallet.Sender` for a wallet that is the key's own address."""

    def __init__(
        self,
        node: Node,
        key: Secret,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        from eth_account import Account

        self._node = node
        self._account: LocalAccount = Account.from_key(key.reveal())
        self._sleep = sleep
        self._monotonic = monotonic
        self._wait_seconds = wait_seconds

    def settle(self) -> None:
        """See `ports.wallet.Sender.settle`."""
        self._free_nonce()

    def carry_out(self, changes: Sequence[Standing], *, said: Callable[[str], None]) -> None:
        """See `ports.wallet.Sender.carry_out`."""
        self._node.check_chain()
        for change in changes:
            self._carry_out(change.approval.token, call_of(change), change.approval.reason)
            said(change.approval.reason)

    def _carry_out(self, contract: str, data: bytes, reason: str) -> None:
        nonce = self._free_nonce()
        try:
            signed = self._signed(contract, data, nonce)
        except NodeRefused as refused:
            raise TransactionFailed(f"{reason}: {refused}") from None
        name, raw = f"0x{bytes(signed.hash).hex()}", f"0x{bytes(signed.raw_transaction).hex()}"
        try:
            self._node.tell("eth_sendRawTransaction", raw)
        except NodeRefused as refused:
            # A node that has it already says so in words of its own: only the chain can tell.
            if not self._is_known(name):
                raise TransactionFailed(f"{reason}: {refused}") from None
        except VenueUnreachable:
            pass  # the answer is lost and the transaction perhaps is not: it is looked for by its name
        self._wait_for(name, reason)

    def _signed(self, contract: str, data: bytes, nonce: int) -> Any:
        call = {"from": self._account.address, "to": contract, "data": f"0x{data.hex()}"}
        gas = self._node.number("eth_estimateGas", call) * (100 + GAS_MARGIN_PERCENT) // 100
        tip = max(self._node.number("eth_maxPriorityFeePerGas"), TIP_MIN)
        block = self._node.ask("eth_getBlockByNumber", "latest", False)
        # The base fee may double within six blocks, and nobody is charged more than it is.
        fee = 2 * int(str(block["baseFeePerGas"]), 16) + tip
        if fee > FEE_MAX:
            raise TransactionFailed(f"gas costs {fee // GWEI} gwei now, above {FEE_MAX // GWEI}: wait")
        have = self._node.number("eth_getBalance", self._account.address, "latest")
        if have < gas * fee:
            need, there = _pol(gas * fee), _pol(have)
            raise TransactionFailed(
                f"{self._account.address} needs {need} POL for gas and has {there}: send it some"
            )
        words: dict[str, Any] = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": nonce,
            "to": contract,
            "value": 0,
            "data": data,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
        }
        return self._account.sign_transaction(words)

    def _free_nonce(self) -> int:
        """The next number, once nothing of this key is on its way."""
        address = self._account.address

        def look() -> int | None:
            done = self._node.number("eth_getTransactionCount", address, "latest")
            sent = self._node.number("eth_getTransactionCount", address, "pending")
            return done if sent <= done else None

        found: int | None = self._until(look)
        if found is None:
            raise TransactionPending(f"an earlier transaction of {address} is on its way still")
        return found

    def _wait_for(self, name: str, reason: str) -> None:
        receipt = self._until(lambda: self._node.ask("eth_getTransactionReceipt", name))
        if receipt is None:
            raise TransactionPending(f"{reason}: {name} is not carried out yet")
        if int(str(receipt["status"]), 16) != 1:
            raise TransactionFailed(f"{reason}: {name} was reverted")

    def _is_known(self, name: str) -> bool:
        return self._node.ask("eth_getTransactionByHash", name) is not None

    def _until(self, look: Callable[[], Any]) -> Any:
        """What `look` finds, None once we have waited long enough; a node that is silent may come back."""
        deadline, pause = self._monotonic() + self._wait_seconds, LOOK_FIRST_SECONDS
        while True:
            try:
                found = look()
            except VenueUnreachable:
                if self._monotonic() >= deadline:
                    raise
                found = None
            if found is not None or self._monotonic() >= deadline:
                return found
            self._sleep(pause)
            pause = min(2 * pause, LOOK_EACH_SECONDS)


def _pol(wei: int) -> str:
    """Rounded up to a ten thousandth."""
    whole, part = divmod(-(-wei * 10_000 // POL), 10_000)
    return f"{whole}.{part:04d}"
