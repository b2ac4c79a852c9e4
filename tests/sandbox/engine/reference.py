"""A venue to compare with: everything in plain lists, everything reckoned anew in fractions at every step.

It knows one market and imports nothing of what it is compared with. Money, shares and prices are fractions of
a dollar or a share; a millionth is the least there is.
"""

from dataclasses import dataclass, field
from fractions import Fraction as F
from math import ceil, floor

MICRO = F(1, 1_000_000)


def down(amount: F, step: F = MICRO) -> F:
    return floor(amount / step) * step


def up(amount: F) -> F:
    return ceil(amount / MICRO) * MICRO


@dataclass
class Wish:
    """`kind` is GTC, FOK or FAK; `dollars` and `shares` are what was signed."""

    who: str
    buys: bool
    outcome: int
    price: F
    dollars: F
    shares: F
    kind: str
    post_only: bool


@dataclass
class Resting:
    number: int
    wish: Wish
    given: F = F(0)
    """Of what it gives: dollars of a BUY at its own price, shares of a SELL."""
    alive: bool = True

    @property
    def gives(self) -> F:
        return self.wish.dollars if self.wish.buys else self.wish.shares

    @property
    def left(self) -> F:
        """Shares: of a BUY, what its dollars are still good for."""
        if self.wish.buys:
            return down((self.wish.dollars - self.given) / self.wish.price)
        return self.wish.shares - self.given

    @property
    def height(self) -> F:
        """Its price as one of the first outcome."""
        return self.wish.price if self.wish.outcome == 0 else 1 - self.wish.price

    @property
    def bids(self) -> bool:
        return self.wish.buys == (self.wish.outcome == 0)


@dataclass(frozen=True)
class Fill:
    maker: int
    kind: str
    shares: F
    maker_dollars: F
    taker_dollars: F
    fee: F


@dataclass
class Answer:
    """`refused` names the reason; the rest is as the venue tells it."""

    refused: str = ""
    status: str = ""
    making: F = F(0)
    taking: F = F(0)
    fills: list[Fill] = field(default_factory=list)


@dataclass
class Venue:
    rate: F
    exponent: int
    least_size: F = F(5)
    cash: dict[str, F] = field(default_factory=dict)
    holdings: dict[tuple[str, int], F] = field(default_factory=dict)
    locked: F = F(0)
    fees: F = F(0)
    resting: list[Resting] = field(default_factory=list)
    owed: list[tuple[Resting, list[tuple[Resting, Fill]]]] = field(default_factory=list)
    count: int = 0

    def free(self, who: str, outcome: int | None) -> F:
        """What a new order may use: dollars without an outcome, else its shares."""
        has = self.cash[who] if outcome is None else self.holdings[who, outcome]
        for order in self.resting:
            if order.alive and order.wish.who == who:
                has -= order.gives - order.given if _gives(order.wish, outcome) else 0
        for taker, fills in self.owed:
            for maker, fill in fills:
                if taker.wish.who == who and _gives(taker.wish, outcome):
                    has -= fill.taker_dollars + fill.fee if taker.wish.buys else fill.shares
                if maker.wish.who == who and _gives(maker.wish, outcome):
                    has -= fill.maker_dollars if maker.wish.buys else fill.shares
        return has

    def place(self, wish: Wish) -> Answer:
        in_dollars = wish.buys and wish.kind != "GTC"
        if not in_dollars and wish.shares < self.least_size:
            return Answer(refused="size")
        taker = Resting(self.count, wish)
        meets = [order for order in self.resting if order.alive and _meet(taker, order)]
        if wish.post_only and meets:
            return Answer(refused="post-only")
        if wish.buys and (meets or in_dollars) and wish.dollars < 1:
            return Answer(refused="dollar")
        fills, done = self._fills(taker, meets)
        needs = taker.gives + (sum(fill.fee for fill in fills) if wish.buys else 0)
        if needs > self.free(wish.who, None if wish.buys else wish.outcome):
            return Answer(refused="balance")
        self.count += 1
        if wish.kind == "FOK" and not (done and fills):
            return Answer(refused="FOK")
        if wish.kind == "FAK" and not fills:
            return Answer(refused="FAK")
        self._carry_out(taker, fills, rests=wish.kind == "GTC" and not done)
        if not fills:
            return Answer(status="live")
        dollars, shares = sum(f.taker_dollars for f in fills), sum(f.shares for f in fills)
        making, taking = (dollars, shares) if wish.buys else (shares, dollars)
        return Answer("", "matched", F(making), F(taking), fills)

    def _fills(self, taker: Resting, meets: list[Resting]) -> tuple[list[Fill], bool]:
        """What it gets from whom, and whether it wants no more."""
        wish = taker.wish
        in_dollars = wish.buys and wish.kind != "GTC"
        meets.sort(key=lambda order: (order.height if taker.bids else -order.height, order.number))
        fills: list[Fill] = []
        money, wanted = wish.dollars, wish.shares
        at: F | None = None
        here = F(0)
        prices = 0
        for maker in meets:
            price = maker.height if wish.outcome == 0 else 1 - maker.height
            if price != at:
                money -= up((at or F(0)) * here)
                at, here = price, F(0)
            wants = down(money / price) - here if in_dollars else wanted
            fill = self._fill(taker, maker, price, wants)
            if fill is None:
                return fills, True
            prices += here == 0
            fills.append(fill)
            here += fill.shares
            wanted -= fill.shares
            if wants < maker.left or wants <= fill.shares:
                return fills, True
        money -= up((at or F(0)) * here)
        return fills, bool(fills) and (money <= 2 * MICRO * prices if in_dollars else wanted == 0)

    def _fill(self, taker: Resting, maker: Resting, price: F, wants: F) -> Fill | None:
        own = maker.wish
        shares = min(wants, maker.left)
        if not own.buys:
            maker_dollars = down(shares * own.price)
        elif wants >= maker.left:
            maker_dollars = own.dollars - maker.given
        else:
            maker_dollars = down(shares * own.price)
        if own.buys:
            shares = down(maker_dollars / own.price)
        same = own.outcome == taker.wish.outcome
        taker_dollars = maker_dollars if same else shares - maker_dollars
        if min(shares, maker_dollars, taker_dollars) <= 0:
            return None
        fee = down(shares * self.rate * (price * (1 - price)) ** self.exponent, 10 * MICRO)
        fee = max(fee, 10 * MICRO) if self.rate else F(0)
        if not taker.wish.buys:
            fee = min(fee, taker_dollars)
        kind = "COMPLEMENTARY" if same else "MINT" if own.buys else "MERGE"
        return Fill(maker.number, kind, shares, maker_dollars, taker_dollars, fee)

    def _carry_out(self, taker: Resting, fills: list[Fill], *, rests: bool) -> None:
        met = [next(order for order in self.resting if order.number == fill.maker) for fill in fills]
        for maker, fill in zip(met, fills, strict=True):
            maker.given += fill.maker_dollars if maker.wish.buys else fill.shares
            left = maker.left
            worth = down(left * maker.wish.price)
            # What would give somebody nothing is not kept.
            if (maker.wish.buys and left <= maker.wish.dollars - maker.given) or (
                not maker.wish.buys and worth == 0
            ):
                maker.alive = False
        self.owed += [
            (taker, list(zip(met, fills, strict=True))[at : at + 20]) for at in range(0, len(fills), 20)
        ]
        shares = F(sum(fill.shares for fill in fills))
        taker.given = up(shares * taker.wish.price) if taker.wish.buys else shares
        if rests:
            self.resting.append(taker)

    def cancel(self, number: int) -> bool:
        found = [order for order in self.resting if order.number == number and order.alive]
        for order in found:
            order.alive = False
        return bool(found)

    def settle(self) -> None:
        """Everything matched comes to the chain."""
        for taker, fills in self.owed:
            for maker, fill in fills:
                self._move(maker.wish, fill.shares, fill.maker_dollars, F(0))
                self._move(taker.wish, fill.shares, fill.taker_dollars, fill.fee)
                self.fees += fill.fee
                self.locked += {"MINT": fill.shares, "MERGE": -fill.shares}.get(fill.kind, F(0))
        self.owed = []

    def _move(self, wish: Wish, shares: F, dollars: F, fee: F) -> None:
        sign = 1 if wish.buys else -1
        self.cash[wish.who] -= sign * dollars + fee
        self.holdings[wish.who, wish.outcome] += sign * shares

    def depth(self, *, bids: bool) -> list[tuple[F, F]]:
        """(price, shares) of the first outcome, best first."""
        alive = [order for order in self.resting if order.alive and order.bids is bids]
        heights = sorted({order.height for order in alive}, reverse=bids)
        return [(height, F(sum(o.left for o in alive if o.height == height))) for height in heights]


def _gives(wish: Wish, outcome: int | None) -> bool:
    return outcome is None if wish.buys else wish.outcome == outcome


def _meet(taker: Resting, maker: Resting) -> bool:
    if taker.bids == maker.bids:
        return False
    return taker.height >= maker.height if taker.bids else taker.height <= maker.height
