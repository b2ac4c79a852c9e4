"""Random books as the venue could show them."""

from dataclasses import replace

from hypothesis import strategies as st

from betteroms.domain.book import Book, Level
from betteroms.domain.money import LOT, MICROS, Price, Size
from tests.domain.examples import a_book

TICKS = (100_000, 10_000, 5_000, 2_500, 1_000, 100)
"""Every tick size of the venue."""


@st.composite
def books(draw: st.DrawFn, tick: int = 10_000) -> Book:
    """A book that is not crossed: bids below asks, best first, whole lots at every level."""
    steps = MICROS // tick - 1
    prices = draw(st.lists(st.integers(1, steps), unique=True, max_size=8))
    split = draw(st.integers(0, len(prices)))
    sizes = st.integers(1, 50_000).map(lambda lots: Size(lots * LOT))
    ladder = [Level(price=Price(step * tick), size=draw(sizes)) for step in sorted(prices)]
    return replace(
        a_book(),
        bids=tuple(reversed(ladder[:split])),
        asks=tuple(ladder[split:]),
        tick_size=Price(tick),
    )
