"""A venue whose time stands still, an account with money, and the calls that it makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from betteroms.domain.money import to_micros
from betteroms.sandbox.chain import Call
from betteroms.sandbox.chain.abi import argument_types, encode, selector
from betteroms.sandbox.chain.chain import GAS_PRICE, POL
from betteroms.sandbox.chain.rpc import Node
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.model import Market
from betteroms.sandbox.world import MINED_AFTER_MS, Options, World
from tests.sandbox.stage import GROUPED, PLAIN, POSITION, fresh

STARTS_MS: Final = 1_795_000_000_000
KEY: Final = "0x" + "5a" * 32
SIGNER: Final[LocalAccount] = Account.from_key(KEY)
ACCOUNT: Final = SIGNER.address.lower()
OTHER: Final = "0x" + "22" * 20
DOLLARS: Final = to_micros("1000")


def new_world(**options: Any) -> World:
    """Three markets, and an account with dollars, USDC.e and POL."""
    world = World(Options(**options), HandClock(STARTS_MS))
    for market in map(fresh, (PLAIN, GROUPED, POSITION)):
        world.exchange.add_market(market, STARTS_MS)
    world.members.know(ACCOUNT)
    world.chain.fund(ACCOUNT, dollars=DOLLARS, bridged=DOLLARS, pol=10 * POL)
    return world


def market_of(world: World, market: Market) -> Market:
    return world.exchange.markets[market.condition_id]


def later(world: World, milliseconds: int = MINED_AFTER_MS) -> int:
    """Let time go on; gives the time then."""
    assert isinstance(world.clock, HandClock)
    world.clock.move_to(world.clock.now_ms() + milliseconds)
    return world.now()


def data_of(signature: str, *values: Any) -> bytes:
    types = argument_types(signature)
    return selector(signature) + (encode(types, *values) if types else b"")


def does(world: World, to: str, signature: str, *values: Any, sender: str = ACCOUNT) -> bytes:
    """Carry a call out at once, and keep what it did."""
    call = Call(sender=sender, to=to, data=data_of(signature, *values))
    return world.chain.contracts.run([call]).result


def number(world: World, to: str, signature: str, *values: Any) -> int:
    """What a view answers."""
    call = Call(sender=OTHER, to=to, data=data_of(signature, *values))
    return int.from_bytes(world.chain.call(call))


def asked(world: World, method: str, *params: Any) -> dict[str, Any]:
    """The node's answer, whatever it is."""
    answer = Node(world.chain, world.now()).answer(
        {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
    )
    assert answer is not None
    return answer


def result(world: World, method: str, *params: Any) -> Any:
    answer = asked(world, method, *params)
    assert "error" not in answer, answer
    return answer["result"]


def error(world: World, method: str, *params: Any) -> dict[str, Any]:
    told: dict[str, Any] = asked(world, method, *params)["error"]
    return told


def signed_raw(to: str, data: bytes = b"", **changes: Any) -> str:
    """A transaction of the older form, signed by the account."""
    fields = {
        "to": Account.from_key(KEY).address if to == ACCOUNT else _checksum(to),
        "data": data,
        "value": 0,
        "gas": 200_000,
        "gasPrice": GAS_PRICE,
        "nonce": 0,
        "chainId": 137,
    }
    wanted = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return "0x" + SIGNER.sign_transaction(wanted).raw_transaction.hex()


def _checksum(address: str) -> str:
    from betteroms.sandbox.hashing import checksum

    return checksum(address)


def holdings(world: World) -> dict[str, Any]:
    """Everything that calls can change, to be compared."""
    bank, coins = world.bank, world.chain.coins
    tables: tuple[dict[Any, int], ...] = (
        bank.dollars,
        bank.shares,
        bank.allowances,
        bank.locked,
        coins.native,
        coins.bridged,
        coins.bridged_allowances,
    )
    return {
        **{str(at): {key: value for key, value in table.items() if value} for at, table in enumerate(tables)},
        "operators": set(bank.operators),
    }


@contextmanager
def unchanged(world: World) -> Iterator[None]:
    before = holdings(world)
    yield
    assert holdings(world) == before
