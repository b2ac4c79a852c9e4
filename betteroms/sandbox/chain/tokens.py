"""The tokens of the chain: dollars (ERC-20) and outcome shares (ERC-1155)."""

from collections.abc import Callable, MutableMapping

from betteroms.sandbox.bank import UNLIMITED, Bank
from betteroms.sandbox.chain.abi import Revert, address_word, encode, words
from betteroms.sandbox.chain.frames import APPROVAL, APPROVAL_FOR_ALL, TRANSFER_SINGLE, Frame, Method

ZERO_ADDRESS = "0x" + "0" * 40
_TRUE = (1).to_bytes(32, "big")


class Dollars:
    """A stablecoin of six decimals. An allowance of 2^256-1 is never used up."""

    def __init__(
        self,
        address: str,
        *,
        name: str,
        symbol: str,
        balances: MutableMapping[str, int],
        allowances: MutableMapping[tuple[str, str], int],
    ) -> None:
        self.address = address
        self._name = name
        self._symbol = symbol
        self._balances = balances
        self._allowances = allowances

    def methods(self) -> dict[str, Method]:
        return {
            "name()": lambda _: encode(["string"], self._name),
            "symbol()": lambda _: encode(["string"], self._symbol),
            "decimals()": lambda _: encode(["uint8"], 6),
            "totalSupply()": lambda _: encode(["uint256"], sum(self._balances.values())),
            "balanceOf(address)": lambda _, owner: encode(["uint256"], self._balances.get(owner, 0)),
            "allowance(address,address)": lambda _, owner, spender: encode(
                ["uint256"], self._allowances.get((owner, spender), 0)
            ),
            "approve(address,uint256)": self._approve,
            "transfer(address,uint256)": self._transfer,
            "transferFrom(address,address,uint256)": self._transfer_from,
        }

    def pull(self, frame: Frame, owner: str, spender: str, target: str, amount: int) -> None:
        """Move the owner's dollars as a spender who was allowed to.

        Raises:
            Revert: not allowed that much, or there is not that much.
        """
        self.use_allowance(frame, owner, spender, amount)
        self.move(frame, owner, target, amount)

    def use_allowance(self, frame: Frame, owner: str, spender: str, amount: int) -> None:
        """Raises:
        Revert: the owner has not allowed the spender that much.
        """
        allowed = self._allowances.get((owner, spender), 0)
        if allowed < amount:
            raise Revert("ERC20: insufficient allowance")
        if allowed != UNLIMITED:
            frame.journal.note(self._allowances, (owner, spender))
            self._allowances[owner, spender] = allowed - amount

    def move(self, frame: Frame, source: str, target: str, amount: int) -> None:
        """Dollars change hands.

        Raises:
            Revert: there are not that many.
        """
        if self._balances.get(source, 0) < amount:
            raise Revert("ERC20: transfer amount exceeds balance")
        frame.journal.note(self._balances, source, target)
        self._balances[source] = self._balances.get(source, 0) - amount
        self._balances[target] = self._balances.get(target, 0) + amount
        frame.log_transfer(self.address, source, target, amount)

    def mint(self, frame: Frame, target: str, amount: int) -> None:
        frame.journal.note(self._balances, target)
        self._balances[target] = self._balances.get(target, 0) + amount
        frame.log_transfer(self.address, ZERO_ADDRESS, target, amount)

    def _approve(self, frame: Frame, spender: str, amount: int) -> bytes:
        frame.journal.note(self._allowances, (frame.sender, spender))
        self._allowances[frame.sender, spender] = amount
        frame.log(
            self.address, APPROVAL, address_word(frame.sender), address_word(spender), data=words(amount)
        )
        return _TRUE

    def _transfer(self, frame: Frame, target: str, amount: int) -> bytes:
        if target == ZERO_ADDRESS:
            raise Revert("ERC20: transfer to the zero address")
        self.move(frame, frame.sender, target, amount)
        return _TRUE

    def _transfer_from(self, frame: Frame, owner: str, target: str, amount: int) -> bytes:
        if target == ZERO_ADDRESS:
            raise Revert("ERC20: transfer to the zero address")
        self.pull(frame, owner, frame.sender, target, amount)
        return _TRUE


class Shares:
    """Outcome shares of one of the two token contracts. `ours` tells whether a token id lives on it."""

    def __init__(
        self, address: str, bank: Bank, *, ours: Callable[[str], bool], is_contract: Callable[[str], bool]
    ) -> None:
        self.address = address
        self._bank = bank
        self._ours = ours
        self._is_contract = is_contract

    def methods(self) -> dict[str, Method]:
        return {
            **self.views(),
            "setApprovalForAll(address,bool)": self._set_approval_for_all,
            "safeTransferFrom(address,address,uint256,uint256,bytes)": self._safe_transfer_from,
        }

    def views(self) -> dict[str, Method]:
        return {
            "balanceOf(address,uint256)": lambda _, owner, token: encode(
                ["uint256"], self.balance(owner, token)
            ),
            "balanceOfBatch(address[],uint256[])": self._balance_of_batch,
            "isApprovedForAll(address,address)": lambda _, owner, operator: encode(
                ["bool"], self._bank.is_operator(owner, self.address, operator)
            ),
        }

    def balance(self, owner: str, token: int) -> int:
        token_id = str(token)
        return self._bank.balance(owner, token_id) if self._ours(token_id) else 0

    def require_operator(self, owner: str, operator: str) -> None:
        """Raises:
        Revert: the owner has not made it an operator of the shares here.
        """
        if not self._bank.is_operator(owner, self.address, operator):
            raise Revert("ERC1155: need operator approval for 3rd party transfers.")

    def log_move(
        self, frame: Frame, operator: str, source: str, target: str, token: int, amount: int
    ) -> None:
        frame.log(
            self.address,
            TRANSFER_SINGLE,
            address_word(operator),
            address_word(source),
            address_word(target),
            data=words(token, amount),
        )

    def _balance_of_batch(self, _: Frame, owners: tuple[str, ...], tokens: tuple[int, ...]) -> bytes:
        if len(owners) != len(tokens):
            raise Revert("ERC1155: owners and IDs must have same lengths")
        balances = [self.balance(owner, token) for owner, token in zip(owners, tokens, strict=True)]
        return encode(["uint256[]"], balances)

    def _set_approval_for_all(self, frame: Frame, operator: str, allowed: bool) -> bytes:
        owner = frame.sender
        before = self._bank.is_operator(owner, self.address, operator)
        frame.journal.on_undo(lambda: self._bank.set_operator(owner, self.address, operator, before))
        self._bank.set_operator(owner, self.address, operator, allowed)
        frame.log(
            self.address,
            APPROVAL_FOR_ALL,
            address_word(owner),
            address_word(operator),
            data=words(int(allowed)),
        )
        return b""

    def _safe_transfer_from(
        self, frame: Frame, source: str, target: str, token: int, amount: int, _: bytes
    ) -> bytes:
        if target == ZERO_ADDRESS:
            raise Revert("ERC1155: target address must be non-zero")
        if frame.sender != source:
            self.require_operator(source, frame.sender)
        if self._is_contract(target):
            raise Revert("ERC1155: got unknown value from onERC1155Received")
        if self.balance(source, token) < amount:
            raise Revert("SafeMath: subtraction overflow")
        token_id = str(token)
        frame.journal.note(self._bank.shares, (source, token_id), (target, token_id))
        self._bank.shares[source, token_id] -= amount
        self._bank.shares[target, token_id] += amount
        self.log_move(frame, frame.sender, source, target, token, amount)
        return b""
