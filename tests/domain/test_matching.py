"""Walking a side of a book: best first, to the limit, never more than is there."""

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book, mirror
from betteroms.domain.matching import DUST_PER_LEVEL, Bite, Depth, Walk
from betteroms.domain.money import MICROS, Price
from betteroms.domain.terms import Side
from tests.domain.examples import NO, a_book, price, size, usdc
from tests.domain.strategies import books


def asks(text: str, *, taken: dict[int, int] | None = None, fraction: str = "1") -> Depth:
    return depth(a_book(asks=text), Side.BUY, taken=taken, fraction=size(fraction))


def bids(text: str, *, taken: dict[int, int] | None = None, fraction: str = "1") -> Depth:
    return depth(a_book(bids=text), Side.SELL, taken=taken, fraction=size(fraction))


def depth(
    book: Book,
    side: Side,
    *,
    taken: dict[int, int] | None = None,
    fraction: int = MICROS,
    outcome_index: int = 0,
) -> Depth:
    live = {} if taken is None else taken
    return Depth(book, side, outcome_index=outcome_index, taken=live, fraction=fraction)


def bitten(walk: Walk) -> list[tuple[int, int]]:
    return [(bite.price, bite.size) for bite in walk.bites]


def test_a_buy_takes_the_cheapest_asks_first_up_to_its_limit() -> None:
    walk = asks("0.50x100 0.52x50 0.53x9").walk_shares(limit=price("0.52"), size=size("160"))
    assert bitten(walk) == [(price("0.50"), size("100")), (price("0.52"), size("50"))]
    assert not walk.complete


def test_a_sell_takes_the_dearest_bids_first_down_to_its_limit() -> None:
    walk = bids("0.50x100 0.48x50 0.47x9").walk_shares(limit=price("0.48"), size=size("120"))
    assert bitten(walk) == [(price("0.50"), size("100")), (price("0.48"), size("20"))]
    assert walk.complete


def test_nothing_is_taken_where_nothing_crosses() -> None:
    for walk in (
        asks("").walk_shares(limit=price("0.99"), size=size("5")),
        asks("0.50x9").walk_shares(limit=price("0.49"), size=size("5")),
        bids("0.50x9").walk_shares(limit=price("0.51"), size=size("5")),
        asks("0.50x9").walk_dollars(limit=price("0.49"), dollars=usdc("5")),
        asks("").walk_dollars(limit=price("0.49"), dollars=usdc("5")),
    ):
        assert not walk.bites
        assert not walk.complete


def test_walking_takes_nothing_until_it_is_said() -> None:
    live: dict[int, int] = {}
    side = asks("0.50x100", taken=live)
    walk = side.walk_shares(limit=price("0.50"), size=size("60"))
    assert side.walk_shares(limit=price("0.50"), size=size("60")) == walk
    assert live == {}
    side.take(walk)
    assert live == {price("0.50"): size("60")}
    left = side.walk_shares(limit=price("0.50"), size=size("60"))
    assert bitten(left) == [(price("0.50"), size("40"))]
    side.take(left)
    assert not side.walk_shares(limit=price("0.50"), size=size("60")).bites


def test_a_level_used_up_is_passed_over_between_two_that_are_not() -> None:
    live: dict[int, int] = {price("0.51"): size("10")}
    side = asks("0.50x10 0.51x10 0.52x10", taken=live)
    assert bitten(side.walk_shares(limit=price("0.60"), size=size("99"))) == [
        (price("0.50"), size("10")),
        (price("0.52"), size("10")),
    ]
    assert [bite.price for bite in side.walk_dollars(limit=price("0.60"), dollars=usdc("99")).bites] == [
        price("0.50"),
        price("0.52"),
    ]


def test_only_our_share_of_a_level_is_ours_less_what_we_already_took() -> None:
    side = asks("0.50x100 0.51x10", taken={price("0.50"): size("30")}, fraction="0.5")
    assert bitten(side.walk_shares(limit=price("0.60"), size=size("99"))) == [
        (price("0.50"), size("20")),
        (price("0.51"), size("5")),
    ]


def test_more_may_be_remembered_as_taken_than_is_shown() -> None:
    side = asks("0.50x100 0.51x10", taken={price("0.50"): size("130")})
    assert bitten(side.walk_shares(limit=price("0.60"), size=size("99"))) == [(price("0.51"), size("10"))]


def test_slippage_moves_each_fill_against_us_but_never_through_the_limit() -> None:
    two = 2 * price("0.01")
    buy = asks("0.50x10 0.52x10").walk_shares(limit=price("0.53"), size=size("20"), slippage=two)
    assert buy.bites == [
        Bite(price("0.50"), price("0.52"), size("10")),
        Bite(price("0.52"), price("0.53"), size("10")),
    ]
    sell = bids("0.50x10 0.48x10").walk_shares(limit=price("0.47"), size=size("20"), slippage=two)
    assert [bite.price for bite in sell.bites] == [price("0.48"), price("0.47")]
    spent = asks("0.50x10 0.52x10").walk_dollars(limit=price("0.53"), dollars=usdc("7"), slippage=two)
    assert bitten(spent) == [(price("0.52"), size("10")), (price("0.53"), size("3.396226"))]


def test_a_resting_order_fills_at_its_own_limit() -> None:
    walk = asks("0.40x10 0.45x10").walk_shares(limit=price("0.50"), size=size("15"), at_limit=True)
    assert walk.bites == [
        Bite(price("0.40"), price("0.50"), size("10")),
        Bite(price("0.45"), price("0.50"), size("5")),
    ]


def test_dollars_buy_whole_micros_of_shares_and_leave_no_cent() -> None:
    walk = asks("0.30x10 0.70x100").walk_dollars(limit=price("0.70"), dollars=usdc("10"))
    assert bitten(walk) == [(price("0.30"), size("10")), (price("0.70"), size("10"))]
    assert walk.complete
    third = asks("0.30x100").walk_dollars(limit=price("0.30"), dollars=usdc("1"))
    assert bitten(third) == [(price("0.30"), size("3.333333"))]
    assert third.complete


def test_dollars_that_run_out_at_the_end_of_a_level_are_all_spent() -> None:
    side = asks("0.30x3.333333 0.31x100")
    walk = side.walk_dollars(limit=price("0.31"), dollars=usdc("1"))
    assert bitten(walk) == [(price("0.30"), size("3.333333"))]
    assert walk.complete
    # Nine millionths at 0.50 cost five millionths of a dollar, rounded up; ten would cost the same.
    rounded = asks("0.50x0.000009 0.51x100").walk_dollars(limit=price("0.51"), dollars=5)
    assert bitten(rounded) == [(price("0.50"), 9)]
    assert rounded.complete


def test_a_dollar_order_short_by_rounding_dust_only_is_complete() -> None:
    assert asks("0.50x10").walk_dollars(limit=price("0.50"), dollars=usdc("5") + DUST_PER_LEVEL).complete
    assert (
        not asks("0.50x10").walk_dollars(limit=price("0.50"), dollars=usdc("5") + DUST_PER_LEVEL + 1).complete
    )


def test_rounding_dust_is_allowed_for_each_level_taken() -> None:
    two = asks("0.50x10 0.60x10")
    most = usdc("11") + 2 * DUST_PER_LEVEL
    assert two.walk_dollars(limit=price("0.60"), dollars=most).complete
    assert not two.walk_dollars(limit=price("0.60"), dollars=most + 1).complete


def test_an_order_crosses_what_is_displayed_even_where_none_of_it_is_ours() -> None:
    gone: dict[int, int] = {price("0.50"): size("100")}
    assert asks("0.50x100", taken=gone).crosses(price("0.50"))
    assert not asks("0.50x100").crosses(price("0.49"))
    assert bids("0.50x100").crosses(price("0.50"))
    assert not bids("0.50x100").crosses(price("0.51"))
    assert not asks("").crosses(price("0.99"))


def test_both_outcomes_draw_on_the_same_liquidity() -> None:
    live: dict[int, int] = {}
    book = a_book(bids="0.40x100", asks="0.42x100")
    buy_yes = depth(book, Side.BUY, taken=live)
    sell_no = depth(mirror(book, NO), Side.SELL, taken=live, outcome_index=1)
    buy_yes.take(buy_yes.walk_shares(limit=price("0.42"), size=size("70")))
    assert bitten(sell_no.walk_shares(limit=price("0.58"), size=size("70"))) == [(price("0.58"), size("30"))]


LIMITS = st.integers(1, 99).map(lambda step: Price(step * 10_000))


@given(
    books(), st.sampled_from(Side), LIMITS, st.integers(1, 10**9), st.integers(1, MICROS), st.integers(0, 5)
)
def test_a_walk_keeps_its_promises(
    book: Book, side: Side, limit: Price, wanted: int, fraction: int, ticks: int
) -> None:
    walk = depth(book, side, fraction=fraction).walk_shares(limit=limit, size=wanted, slippage=ticks * 10_000)
    shown = {level.price: level.size for level in (book.asks if side is Side.BUY else book.bids)}
    sign = 1 if side is Side.BUY else -1
    keys = [sign * bite.key for bite in walk.bites]
    assert keys == sorted(set(keys))
    for bite in walk.bites:
        assert 0 < bite.size <= shown[Price(bite.key)] * fraction // MICROS
        assert sign * bite.key <= sign * bite.price <= sign * limit
    total = sum(bite.size for bite in walk.bites)
    assert total <= wanted
    assert walk.complete == (total == wanted)


@given(books(), LIMITS, st.integers(1, 10**9), st.integers(1, MICROS), st.integers(0, 5))
def test_a_dollar_walk_never_spends_more_than_it_has(
    book: Book, limit: Price, dollars: int, fraction: int, ticks: int
) -> None:
    side = depth(book, Side.BUY, fraction=fraction)
    walk = side.walk_dollars(limit=limit, dollars=dollars, slippage=ticks * 10_000)
    spent = sum(-(-bite.price * bite.size // MICROS) for bite in walk.bites)
    assert spent <= dollars
    if walk.complete:
        assert dollars - spent <= DUST_PER_LEVEL * len(walk.bites)
    else:
        everything = side.walk_shares(limit=limit, size=10**18)
        assert [bite.key for bite in everything.bites] == [bite.key for bite in walk.bites]
        assert [bite.size for bite in everything.bites] == [bite.size for bite in walk.bites]


@given(books(), st.lists(st.tuples(LIMITS, st.integers(1, 10**8)), max_size=12))
def test_many_orders_together_take_no_more_than_is_shown(book: Book, orders: list[tuple[Price, int]]) -> None:
    live: dict[int, int] = {}
    side = depth(book, Side.BUY, taken=live)
    fresh: dict[int, int] = {}
    for limit, wanted in orders:
        walk = side.walk_shares(limit=limit, size=wanted)
        # A walk that remembers where it left off finds what one that looks at every level finds.
        again = depth(book, Side.BUY, taken=fresh)
        assert again.walk_shares(limit=limit, size=wanted) == walk
        side.take(walk)
        again.take(walk)
    shown = {level.price: level.size for level in book.asks}
    assert all(taken <= shown[Price(key)] for key, taken in live.items())
