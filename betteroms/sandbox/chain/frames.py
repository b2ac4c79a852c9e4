"""One call on the chain while it runs: who calls, and what it leaves behind if it succeeds."""

from collections.abc import Callable
from dataclasses import dataclass, field

from betteroms.sandbox.activity import ActivityKind
from betteroms.sandbox.chain.abi import address_word, topic, words
from betteroms.sandbox.chain.journal import Journal
from betteroms.sandbox.model import Market

TRANSFER = topic("Transfer(address,address,uint256)")
APPROVAL = topic("Approval(address,address,uint256)")
APPROVAL_FOR_ALL = topic("ApprovalForAll(address,address,bool)")
TRANSFER_SINGLE = topic("TransferSingle(address,address,address,uint256,uint256)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message to an address. Addresses in lower case, `value` in wei of POL."""

    sender: str
    to: str
    data: bytes = b""
    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a contract told the world. `topics` and `data` are 0x-hex, the address lower case."""

    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Dollars that became shares or the other way round; `shares` of each outcome, all in millionths."""

    kind: ActivityKind
    owner: str
    market: Market
    shares: tuple[int, int]
    dollars: int


@dataclass(slots=True, kw_only=True)
class Frame:
    """The running call."""

    sender: str
    journal: Journal
    logs: list[Log] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)

    def log(self, address: str, *topics: str, data: str = "0x") -> None:
        self.logs.append(Log(address=address, topics=topics, data=data))

    def log_transfer(self, token: str, source: str, target: str, amount: int) -> None:
        self.log(token, TRANSFER, address_word(source), address_word(target), data=words(amount))


Method = Callable[..., bytes]
"""Takes the frame and the decoded arguments; answers the encoded result, or raises Revert."""
