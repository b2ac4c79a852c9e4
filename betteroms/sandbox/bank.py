"""Who holds what on the chain, and who may move it: the state of the token contracts.

Balances are whole base units (millionths), addresses lower case. Settlement moves them when a trade is mined;
what is matched and not yet mined is the exchange's to keep in mind, not the chain's.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, TypeVar

Key = TypeVar("Key", bound=Hashable)
UNLIMITED: Final = (1 << 256) - 1


class Insufficient(Exception):
    """The transaction would take more than there is or more than is allowed."""


class Amounts(defaultdict[Key, int]):
    """Amounts by key, nothing where there is none. `heard` is told of each key before it changes, and what it
    had."""

    def __init__(self) -> None:
        super().__init__(int)
        self.heard: Callable[[Key, int], None] | None = None

    def __setitem__(self, key: Key, amount: int) -> None:
        if self.heard is not None:
            self.heard(key, self.get(key, 0))
        super().__setitem__(key, amount)

    def put_back(self, key: Key, amount: int) -> None:
        """Change an amount and tell nobody."""
        super().__setitem__(key, amount)


class Bank:
    """pUSD and outcome shares by owner, allowances and operators.

    `deposited` is what came in from outside and did not go out again, as far as `move` was told. `locked` is
    the collateral behind each market's shares, by condition id: what was minted and not yet merged or
    redeemed.
    """

    def __init__(self) -> None:
        self.dollars: Amounts[str] = Amounts()
        self.shares: Amounts[tuple[str, str]] = Amounts()
        self.deposited = 0
        self.allowances: dict[tuple[str, str], int] = defaultdict(int)
        self.operators: set[tuple[str, str, str]] = set()
        self.locked: dict[str, int] = defaultdict(int)

    def dump(self) -> dict[str, Any]:
        """Everything, in plain JSON values; `restore` takes it back."""
        return {
            "dollars": dict(self.dollars),
            "shares": [[*key, amount] for key, amount in self.shares.items()],
            "allowances": [[*key, str(amount)] for key, amount in self.allowances.items()],
            "operators": sorted(self.operators),
            "locked": dict(self.locked),
            "deposited": self.deposited,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what was dumped. The tables stay the same objects: the token contracts hold on to them."""
        self.dollars.clear()
        self.dollars.update(state["dollars"])
        self.shares.clear()
        self.shares.update({(owner, token_id): amount for owner, token_id, amount in state["shares"]})
        self.allowances.clear()
        self.allowances.update({(o, spender): int(amount) for o, spender, amount in state["allowances"]})
        self.operators.clear()
        self.operators.update((owner, contract, operator) for owner, contract, operator in state["operators"])
        self.locked.clear()
        self.locked.update(state["locked"])
        self.deposited = state["deposited"]

    def balance(self, owner: str, token_id: str | None = None) -> int:
        """pUSD, or shares of a token."""
        if token_id is None:
            return self.dollars.get(owner, 0)
        return self.shares.get((owner, token_id), 0)

    def allowance(self, owner: str, spender: str) -> int:
        return self.allowances.get((owner, spender), 0)

    def is_operator(self, owner: str, contract: str, operator: str) -> bool:
        """Whether the operator may move all the owner's shares of that contract (ERC-1155)."""
        return (owner, contract, operator) in self.operators

    def approve(self, owner: str, spender: str, amount: int) -> None:
        self.allowances[owner, spender] = amount

    def set_operator(self, owner: str, contract: str, operator: str, allowed: bool) -> None:
        if allowed:
            self.operators.add((owner, contract, operator))
        else:
            self.operators.discard((owner, contract, operator))

    def move(self, deltas: Mapping[tuple[str, str | None], int]) -> None:
        """Change balances by (owner, token or None for pUSD), all or nothing.

        Where only dollars move, they may come from outside or go there.

        Raises:
            Insufficient: a balance would fall below zero.
        """
        for (owner, token_id), delta in deltas.items():
            if self.balance(owner, token_id) + delta < 0:
                raise Insufficient(f"{owner} has {self.balance(owner, token_id)} of {token_id or 'pUSD'}")
        if all(token_id is None for _, token_id in deltas):
            self.deposited += sum(deltas.values())
        for (owner, token_id), delta in deltas.items():
            if token_id is None:
                self.dollars[owner] += delta
            else:
                self.shares[owner, token_id] += delta

    def split(self, owner: str, condition_id: str, token_ids: Iterable[str], amount: int) -> None:
        """pUSD becomes a full set of shares."""
        self.move({(owner, None): -amount, **{(owner, token): amount for token in token_ids}})
        self.locked[condition_id] += amount

    def merge(self, owner: str, condition_id: str, token_ids: Iterable[str], amount: int) -> None:
        """A full set of shares becomes pUSD."""
        self.move({(owner, None): amount, **{(owner, token): -amount for token in token_ids}})
        self.locked[condition_id] -= amount

    def redeem(self, owner: str, condition_id: str, burned: Mapping[str, int], paid: int) -> None:
        """Shares of a resolved market (by token id) become what they are worth.

        Raises:
            Insufficient: the owner has fewer shares, or there is less collateral than that.
        """
        if self.locked.get(condition_id, 0) < paid:
            raise Insufficient(f"{condition_id} has {self.locked.get(condition_id, 0)} locked")
        self.move({(owner, None): paid, **{(owner, token): -amount for token, amount in burned.items()}})
        self.locked[condition_id] -= paid
