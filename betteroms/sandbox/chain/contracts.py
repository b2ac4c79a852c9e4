"""The contracts of the venue: which functions each has, and how a call to one is carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from betteroms.sandbox import addresses
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.chain.abi import SELECTOR, Revert, argument_types, decode, encode, selector
from betteroms.sandbox.chain.coins import Coins
from betteroms.sandbox.chain.frames import Call, Conversion, Frame, Log, Method
from betteroms.sandbox.chain.journal import Journal
from betteroms.sandbox.chain.orders import order_status
from betteroms.sandbox.chain.positions import Positions, conditional, positional
from betteroms.sandbox.chain.tokens import Dollars, Shares
from betteroms.sandbox.chain.wallets import Wallets
from betteroms.sandbox.exchange import Exchange

CODE: Final = "0xfe"
"""What stands at the address of a contract here: one instruction that would do nothing."""
_SILENT: Final = (
    addresses.BINARY_MODULE,
    addresses.NEG_RISK_MODULE,
    addresses.COMBINATORIAL_MODULE,
    addresses.AUTO_REDEEMER,
    addresses.PERPS_DEPOSIT,
    addresses.DEPOSIT_WALLET_IMPLEMENTATION,
    addresses.SAFE_FACTORY,
    addresses.SAFE_MULTISEND,
    addresses.PROXY_FACTORY,
    addresses.PROXY_IMPLEMENTATION,
    addresses.RELAY_HUB,
)
"""Contracts that exist, and revert whatever is asked of them here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What successful calls gave: the last one's answer, the logs of all, and the sets made and undone."""

    result: bytes
    logs: tuple[Log, ...]
    conversions: tuple[Conversion, ...]


class Contracts:
    def __init__(self, *, bank: Bank, coins: Coins, exchange: Exchange, wallets: Wallets) -> None:
        self._coins = coins
        self._exchange = exchange
        self._wallets = wallets
        self._journal = Journal()
        self._pusd = Dollars(
            addresses.PUSD,
            name="Polymarket USD",
            symbol="pUSD",
            balances=bank.dollars,
            allowances=bank.allowances,
        )
        self._bridged = Dollars(
            addresses.USDC_E,
            name="USD Coin (PoS)",
            symbol="USDC.e",
            balances=coins.bridged,
            allowances=coins.bridged_allowances,
        )
        self._conditional = Shares(
            addresses.CONDITIONAL_TOKENS,
            bank,
            ours=lambda token_id: conditional(exchange, token_id),
            is_contract=self._is_venue_contract,
        )
        self._positions = Shares(
            addresses.POSITION_MANAGER,
            bank,
            ours=lambda token_id: positional(exchange, token_id),
            is_contract=self._is_venue_contract,
        )
        sets = Positions(
            bank,
            exchange,
            dollars=self._pusd,
            conditional=self._conditional,
            positions=self._positions,
        )
        self._methods = _by_selector(self._own_methods() | sets.methods())
        self._wallet_methods = _by_selector({"": wallets.methods()})[""]

    def run(self, calls: Sequence[Call], *, keep: bool = True) -> Done:
        """Carry the calls out one after another, all or nothing; nothing at all if `keep` is false.

        Raises:
            Revert: one of them failed.
        """
        logs: list[Log] = []
        conversions: list[Conversion] = []
        result = b""
        with self._journal.attempt(keep=keep):
            for call in calls:
                frame = Frame(sender=call.sender, journal=self._journal)
                result = self._call(frame, call)
                logs.extend(frame.logs)
                conversions.extend(frame.conversions)
        return Done(result=result, logs=tuple(logs), conversions=tuple(conversions))

    def code(self, address: str) -> str:
        """0x where there is no contract."""
        return CODE if self._is_venue_contract(address) or self._wallets.deployed(address) else "0x"

    def _call(self, frame: Frame, call: Call) -> bytes:
        methods = self._methods.get(call.to)
        if methods is None and self._wallets.deployed(call.to):
            methods = self._wallet_methods
        if call.value:
            self._pay(frame, call, payable=methods is None or not call.data)
        if methods is None:
            return b""  # an address without code takes anything
        if not call.data and call.value:
            return b""
        found = methods.get(call.data[:SELECTOR])
        if found is None:
            raise Revert
        types, method = found
        arguments = decode(types, call.data[SELECTOR:]) if types else ()
        return (
            method(frame, *arguments)
            if methods is not self._wallet_methods
            else method(frame, call.to, *arguments)
        )

    def _pay(self, frame: Frame, call: Call, *, payable: bool) -> None:
        if not payable or self._is_venue_contract(call.to):
            raise Revert
        native = self._coins.native
        frame.journal.note(native, call.sender, call.to)
        if native.get(call.sender, 0) < call.value:
            raise Revert("insufficient balance for transfer")
        native[call.sender] -= call.value
        native[call.to] += call.value

    def _is_venue_contract(self, address: str) -> bool:
        return address in self._methods

    def _own_methods(self) -> dict[str, dict[str, Method]]:
        exchange_methods: dict[str, Method] = {
            "getOrderStatus(bytes32)": lambda _, order: order_status(self._exchange, "0x" + order.hex())
        }
        return {
            **{address: {} for address in _SILENT},
            **dict.fromkeys(addresses.EXCHANGES, exchange_methods),
            addresses.PUSD: self._pusd.methods(),
            addresses.USDC_E: self._bridged.methods(),
            addresses.CONDITIONAL_TOKENS: self._conditional.methods(),
            addresses.POSITION_MANAGER: self._positions.methods(),
            # Clients still read the balances of neg-risk shares here (VENUE 2.4).
            addresses.NEG_RISK_ADAPTER: self._conditional.views(),
            addresses.COLLATERAL_ONRAMP: {"wrap(address,address,uint256)": self._wrap},
            addresses.DEPOSIT_WALLET_FACTORY: {
                "BEACON()": lambda _: encode(["address"], addresses.DEPOSIT_WALLET_BEACON)
            },
            addresses.DEPOSIT_WALLET_BEACON: {
                "implementation()": lambda _: encode(["address"], addresses.DEPOSIT_WALLET_IMPLEMENTATION)
            },
        }

    def _wrap(self, frame: Frame, asset: str, target: str, amount: int) -> bytes:
        """USDC.e becomes pUSD, one for one."""
        if asset != addresses.USDC_E:
            raise Revert("invalid asset")
        onramp = addresses.COLLATERAL_ONRAMP
        self._bridged.pull(frame, frame.sender, onramp, addresses.PUSD, amount)
        self._pusd.mint(frame, target, amount)
        return b""


def _by_selector(
    contracts: dict[str, dict[str, Method]],
) -> dict[str, dict[bytes, tuple[list[str], Method]]]:
    return {
        address: {
            selector(signature): (argument_types(signature), method) for signature, method in methods.items()
        }
        for address, methods in contracts.items()
    }
