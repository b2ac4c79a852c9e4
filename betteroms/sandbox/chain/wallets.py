"""Wallets that are contracts: which of them have been made, what each has sent, and whom it lets sign.

Source: VENUE 2.2.
"""

from collections import defaultdict
from typing import Any

from betteroms.sandbox.accounts import Members
from betteroms.sandbox.addresses import EXCHANGES
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.chain.abi import Revert, encode
from betteroms.sandbox.chain.frames import Frame, Method
from betteroms.sandbox.model import Refused
from betteroms.sandbox.signing import WalletKind


class Wallets:
    """`nonces` counts what each wallet carried out (a proxy's is kept by its owner's address)."""

    def __init__(self, members: Members, bank: Bank) -> None:
        self._members = members
        self._bank = bank
        self._made: set[str] = set()
        self.nonces: dict[str, int] = defaultdict(int)

    def deployed(self, address: str) -> bool:
        """Whether a contract stands there. A known wallet that was given money or approvals without any
        transaction counts as made."""
        if address in self._made:
            return True
        known = self._members.wallets.get(address)
        if known is None or known.kind is WalletKind.EOA:
            return False
        return self._bank.balance(address) > 0 or any(self._bank.allowance(address, one) for one in EXCHANGES)

    def deploy(self, address: str) -> None:
        self._made.add(address)

    def methods(self) -> dict[str, Method]:
        """What a wallet answers to; each takes the wallet's address after the frame."""
        return {
            "nonce()": lambda _, wallet: encode(["uint256"], self.nonces.get(wallet, 0)),
            "owner()": self._owner,
            "authorizeSessionSigner(address,uint256)": self._authorize,
            "revokeSessionSigner(address)": lambda frame, wallet, key: self._authorize(frame, wallet, key, 0),
        }

    def dump(self) -> dict[str, Any]:
        return {"made": sorted(self._made), "nonces": dict(self.nonces)}

    def restore(self, dumped: dict[str, Any]) -> None:
        self._made = set(dumped["made"])
        self.nonces = defaultdict(int, dumped["nonces"])

    def _owner(self, _: Frame, wallet: str) -> bytes:
        known = self._members.wallets.get(wallet)
        if known is None:
            raise Revert
        return encode(["address"], known.owner)

    def _authorize(self, frame: Frame, wallet: str, session_key: str, until_s: int) -> bytes:
        """A further key may sign for the wallet; only the wallet itself can say so."""
        known = self._members.wallets.get(wallet)
        if known is None or known.kind is not WalletKind.DEPOSIT or frame.sender != wallet:
            raise Revert("Unauthorized")
        frame.journal.on_undo(lambda: self._members.register(known))
        try:
            self._members.authorize_session_key(wallet, session_key, until_s)
        except Refused as e:
            raise Revert(e.text) from e
        return b""
