"""What the chain holds besides the venue's own tokens: POL for gas, USDC.e, and how much each has sent."""

from collections import defaultdict
from typing import Any


class Coins:
    """`native` is POL in wei, `bridged` USDC.e in millionths, `nonces` the number of transactions mined."""

    def __init__(self) -> None:
        self.native: dict[str, int] = defaultdict(int)
        self.bridged: dict[str, int] = defaultdict(int)
        self.bridged_allowances: dict[tuple[str, str], int] = defaultdict(int)
        self.nonces: dict[str, int] = defaultdict(int)

    def dump(self) -> dict[str, Any]:
        return {
            "native": dict(self.native),
            "bridged": dict(self.bridged),
            "bridged_allowances": [[*pair, amount] for pair, amount in self.bridged_allowances.items()],
            "nonces": dict(self.nonces),
        }

    def restore(self, dumped: dict[str, Any]) -> None:
        self.native = defaultdict(int, dumped["native"])
        self.bridged.clear()
        self.bridged.update(dumped["bridged"])
        self.bridged_allowances.clear()
        self.bridged_allowances.update(
            {(owner, spender): amount for owner, spender, amount in dumped["bridged_allowances"]}
        )
        self.nonces = defaultdict(int, dumped["nonces"])
