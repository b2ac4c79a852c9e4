"""The engine and a naive venue are told the same things, and say the same."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction as F
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.exchange import Placement
from betteroms.sandbox.model import MICROS, Order, Refused
from tests.sandbox.engine.hall import DECIMALS, Hall
from tests.sandbox.engine.reference import MICRO, Answer, Fill, Venue, Wish, down

PEOPLE: Final = ("ann", "bob", "cat")
REASONS: Final = {
    "size": r"order 0x\w+ is invalid\. Size \([\d.]+\) lower than the minimum: 5",
    "post-only": r"invalid post-only order: order crosses book",
    "dollar": r"invalid amount for a marketable BUY order \(\$[\d.]+\), min size: \$1",
    "balance": r"not enough balance / allowance: the balance is not enough -> "
    r"balance: \d+, order amount: \d+",
    "FOK": r"order couldn't be fully filled\. FOK orders are fully filled or killed\.",
    "FAK": r"no orders found to match with FAK order\. .+",
}


@dataclass(frozen=True)
class Cancel:
    """The order that was placed as the so-manieth, if it was."""

    number: int


@dataclass(frozen=True)
class Settle:
    """Time passes until all trades are confirmed."""


@st.composite
def wishes(draw: st.DrawFn, tick: int) -> Wish:
    buys = draw(st.booleans())
    kind = draw(st.sampled_from(("GTC", "GTC", "GTC", "FAK", "FOK")))
    ticks = MICROS // tick
    middle = ticks // 2
    # Near one another, so that they meet; at the edges now and then.
    near = st.integers(max(1, middle - 2), min(ticks - 1, middle + 2))
    number = draw(near | near | near | st.integers(1, ticks - 1))
    price = F(number * tick, MICROS)
    cents = draw(st.integers(500, 1_200) | st.integers(500, 1_200) | st.integers(90, 9_000))
    dollars, shares = F(cents, 100) * price, F(cents, 100)
    if buys and kind != "GTC":
        dollars = F(cents, 100)
        shares = down(dollars / price, F(1, 10 ** DECIMALS[tick]))
    return Wish(
        who=draw(st.sampled_from(PEOPLE)),
        buys=buys,
        outcome=draw(st.integers(0, 1)),
        price=price,
        dollars=dollars,
        shares=shares,
        kind=kind,
        post_only=kind == "GTC" and draw(st.integers(0, 5)) == 0,
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, F, int, list[Wish | Cancel | Settle]]:
    """A tick, a fee rate and exponent, and what happens."""
    tick = draw(st.sampled_from(sorted(DECIMALS)))
    rate = draw(st.sampled_from((F(0), F(4, 100), F(7, 100))))
    step = wishes(tick) | wishes(tick) | wishes(tick) | st.builds(Cancel, st.integers(0, 30))
    steps = st.lists(step | st.just(Settle()), min_size=40, max_size=80)
    return tick, rate, draw(st.sampled_from((1, 2))), draw(steps)


class Pair:
    """Both venues, and the same people in them."""

    def __init__(self, tick: int, rate: F, exponent: int) -> None:
        self.hall = Hall(tick=tick, fee_rate=int(rate * MICROS), fee_exponent=exponent)
        self.naive = Venue(rate=rate, exponent=exponent)
        self.placed: list[Order] = []
        for person in PEOPLE:
            self.hall.fund(person, dollars="200", shares="100")
            self.naive.cash[person] = F(200)
            self.naive.locked += 100
            for outcome in (0, 1):
                self.naive.holdings[person, outcome] = F(100)

    def place(self, wish: Wish) -> None:
        numbers = {order.number: order for order in self.naive.resting}
        expected = self.naive.place(wish)
        making, taking = (wish.dollars, wish.shares) if wish.buys else (wish.shares, wish.dollars)
        signed = self.hall.signed(
            wish.who,
            Side.BUY if wish.buys else Side.SELL,
            outcome=wish.outcome,
            maker_amount=_micros(making),
            taker_amount=_micros(taking),
        )
        kind = TimeInForce(wish.kind)
        try:
            placement = self.hall.post(signed, time_in_force=kind, post_only=wish.post_only)
        except Refused as refused:
            refusal = refused.text
        else:
            refusal = ""
        assert re.fullmatch(REASONS.get(expected.refused, ""), refusal), refusal
        if refusal:
            return
        fees = [trade.fee for trade in placement.trades]
        parts = [expected.fills[at : at + 20] for at in range(0, len(expected.fills), 20)]
        assert fees == [_micros(F(sum(fill.fee for fill in part))) for part in parts]
        assert _told(placement) == replace(expected, fills=[replace(f, fee=F(0)) for f in expected.fills])
        for fill in expected.fills:
            # Nobody gets less or pays more than signed for, but for the millionth that the contract rounds.
            assert _within(numbers[fill.maker].wish, fill.shares, fill.maker_dollars)
            assert _within(wish, fill.shares, fill.taker_dollars)

    def cancel(self, number: int) -> None:
        orders = {order.number: order for order in self.hall.exchange.orders.values()}
        known = number in orders
        refused = self.hall.exchange.cancel(orders[number], self.hall.now_ms) if known else "unknown"
        assert (refused is None) == self.naive.cancel(number)

    def settle(self) -> None:
        self.same_freedom()
        self.hall.settle()
        self.naive.settle()
        self.same_balances()
        self.same_freedom()
        self.conserved()

    def same_book(self) -> None:
        book = self.hall.exchange.book(self.hall.market)
        for levels, bids in ((book.bids, True), (book.asks, False)):
            depth = self.naive.depth(bids=bids)
            assert levels == [(_micros(price), _micros(shares)) for price, shares in depth]

    def same_freedom(self) -> None:
        for person in PEOPLE:
            for outcome in (None, 0, 1):
                token = None if outcome is None else self.hall.market.token_ids[outcome]
                free = self.hall.exchange.available(self.hall.wallet(person), token)
                assert free == _micros(self.naive.free(person, outcome))
                assert free >= 0

    def same_balances(self) -> None:
        for person in PEOPLE:
            assert self.hall.dollars(person) == _micros(self.naive.cash[person])
            for outcome in (0, 1):
                assert self.hall.shares(person, outcome) == _micros(self.naive.holdings[person, outcome])
        assert self.hall.fees() == _micros(self.naive.fees)
        assert self.hall.bank.locked[self.hall.market.condition_id] == _micros(self.naive.locked)

    def conserved(self) -> None:
        """Dollars are nowhere made or lost, and of either share there is one for every dollar locked."""
        bank, market = self.hall.bank, self.hall.market
        locked = bank.locked[market.condition_id]
        assert sum(bank.dollars.values()) + locked == len(PEOPLE) * 300 * MICROS
        for token in market.token_ids:
            assert sum(amount for (_, held), amount in bank.shares.items() if held == token) == locked


def _micros(amount: F) -> int:
    whole = amount / MICRO
    assert whole.denominator == 1, f"{amount} is no whole number of millionths"
    return whole.numerator


def _told(placement: Placement) -> Answer:
    fills = []
    for trade in placement.trades:
        for fill in trade.fills:
            taker_dollars = fill.dollars if fill.kind.value == "COMPLEMENTARY" else fill.shares - fill.dollars
            fills.append((fill, taker_dollars))
        assert trade.dollars == sum(dollars for fill, dollars in fills if fill in trade.fills)
        assert trade.shares == sum(fill.shares for fill in trade.fills)
    return Answer(
        status=placement.status,
        making=F(placement.making) * MICRO,
        taking=F(placement.taking) * MICRO,
        fills=[
            Fill(
                maker=fill.order.number,
                kind=fill.kind.value,
                shares=fill.shares * MICRO,
                maker_dollars=fill.dollars * MICRO,
                taker_dollars=dollars * MICRO,
                fee=F(0),
            )
            for fill, dollars in fills
        ],
    )


def _within(wish: Wish, shares: F, dollars: F) -> bool:
    if wish.buys:
        return dollars - MICRO < shares * (wish.dollars / wish.shares)
    return dollars + MICRO > shares * (wish.dollars / wish.shares)


@settings(deadline=None, max_examples=30)
@given(histories())
def test_every_history_goes_as_at_a_naive_venue(
    history: tuple[int, F, int, list[Wish | Cancel | Settle]],
) -> None:
    tick, rate, exponent, steps = history
    pair = Pair(tick, rate, exponent)
    for step in steps:
        match step:
            case Wish():
                pair.place(step)
            case Cancel():
                pair.cancel(step.number)
            case Settle():
                pair.settle()
        pair.same_book()
    pair.settle()
    assert not pair.hall.exchange.holds.unsettled
    for order in pair.hall.exchange.orders.values():
        assert order.used <= order.maker_amount
        assert order.spent <= order.maker_amount
