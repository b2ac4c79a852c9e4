"""A venue's engine with people who have money, and their signed orders in plain words."""

from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox import addresses
from betteroms.sandbox.bank import UNLIMITED, Bank
from betteroms.sandbox.events import Event
from betteroms.sandbox.exchange import Exchange, Placement
from betteroms.sandbox.exchange.holds import exchange_of, shares_contract
from betteroms.sandbox.model import MICROS, Market, SignedOrder
from betteroms.sandbox.schedule import Schedule

START_MS: Final = 1_800_000_000_000
MINED_MS: Final = 2_000
CONFIRMED_MS: Final = 6_000
DECIMALS: Final = {100_000: 3, 10_000: 4, 5_000: 5, 2_500: 6, 1_000: 5, 100: 6}
NO_BYTES: Final = "0x" + "0" * 64


def market(number: int = 1, **changes: Any) -> Market:
    fields: dict[str, Any] = {
        "condition_id": f"0x{number:064x}",
        "question_id": f"0x{number:064x}",
        "gamma_id": str(number),
        "slug": f"market-{number}",
        "question": "Will it?",
        "token_ids": (f"{number}1", f"{number}2"),
        "outcomes": ("Yes", "No"),
        "tick": 10_000,
        "minimum_size": 5 * MICROS,
    }
    return Market(**fields | changes)


class Hall:
    """One market; `events` has all that the engine told."""

    def __init__(self, seed: int = 0, **changes: Any) -> None:
        self.bank = Bank()
        self.schedule = Schedule()
        self.events: list[Event] = []
        self.exchange = Exchange(self.bank, self.schedule, seed, self.hear, MINED_MS, CONFIRMED_MS)
        self.market = market(**changes)
        self.now_ms = START_MS
        self._count = 0
        self.exchange.add_market(self.market, self.now_ms)

    def hear(self, event: Event) -> None:
        self.events.append(event)

    def wallet(self, name: str) -> str:
        return "0x" + sha256(name.encode()).hexdigest()[:40]

    def fund(self, name: str, dollars: str = "1000", shares: str = "1000") -> str:
        """Somebody with dollars, that many of either share, and every approval."""
        wallet = self.wallet(name)
        self.bank.dollars[wallet] += to_micros(dollars) + to_micros(shares)
        self.bank.split(wallet, self.market.condition_id, self.market.token_ids, to_micros(shares))
        self.bank.approve(wallet, exchange_of(self.market), UNLIMITED)
        self.bank.set_operator(wallet, shares_contract(self.market), exchange_of(self.market), True)
        return wallet

    def signed(
        self,
        name: str,
        side: Side,
        *,
        outcome: int = 0,
        maker_amount: int,
        taker_amount: int,
        expiration: int = 0,
    ) -> SignedOrder:
        self._count += 1
        wallet = self.wallet(name)
        return SignedOrder(
            salt=self._count,
            maker=wallet,
            signer=wallet,
            token_id=self.market.token_ids[outcome],
            maker_amount=maker_amount,
            taker_amount=taker_amount,
            side=side,
            signature_type=0,
            timestamp=self.now_ms,
            metadata=NO_BYTES,
            builder=NO_BYTES,
            signature="0x",
            expiration=expiration,
        )

    def wish(
        self,
        name: str,
        side: Side,
        size: str,
        price: str,
        *,
        outcome: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        expiration: int = 0,
    ) -> SignedOrder:
        """What a client signs: a BUY that does not rest is for `size` dollars, all else for shares."""
        number, limit = Decimal(size), Decimal(price)
        if side is Side.BUY and not time_in_force.rests:
            step = Decimal(10) ** -DECIMALS[self.market.tick]
            dollars, shares = number, (number / limit) // step * step
        else:
            dollars, shares = number * limit, number
        making, taking = (dollars, shares) if side is Side.BUY else (shares, dollars)
        return self.signed(
            name,
            side,
            outcome=outcome,
            maker_amount=to_micros(making),
            taker_amount=to_micros(taking),
            expiration=expiration,
        )

    def post(
        self,
        signed: SignedOrder,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        defer: bool = False,
    ) -> Placement:
        return self.exchange.place(
            signed,
            order_id=self.id_of(signed),
            owner=f"key of {signed.maker}",
            time_in_force=time_in_force,
            post_only=post_only,
            now_ms=self.now_ms,
            defer=defer,
        )

    def id_of(self, signed: SignedOrder) -> str:
        return "0x" + sha256(repr(signed).encode()).hexdigest()

    def place(
        self,
        name: str,
        side: Side,
        size: str,
        price: str,
        *,
        outcome: int = 0,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
    ) -> Placement:
        signed = self.wish(name, side, size, price, outcome=outcome, time_in_force=time_in_force)
        return self.post(signed, time_in_force=time_in_force, post_only=post_only)

    def buy(self, name: str, size: str, price: str, **how: Any) -> Placement:
        return self.place(name, Side.BUY, size, price, **how)

    def sell(self, name: str, size: str, price: str, **how: Any) -> Placement:
        return self.place(name, Side.SELL, size, price, **how)

    def wait(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1_000)
        self.schedule.run_until(self.now_ms, moment=lambda _moment: None)

    def settle(self) -> None:
        """Let every trade come to its end."""
        self.wait(60)

    def dollars(self, name: str) -> int:
        return self.bank.balance(self.wallet(name))

    def shares(self, name: str, outcome: int = 0) -> int:
        return self.bank.balance(self.wallet(name), self.market.token_ids[outcome])

    def fees(self) -> int:
        return self.bank.balance(addresses.FEE_RECEIVER)
