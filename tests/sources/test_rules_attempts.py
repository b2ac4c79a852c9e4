"""Every attempt to leave is one order, and they go on until nothing is left to sell."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book
from betteroms.domain.ids import order_id
from betteroms.domain.intent import Intent
from betteroms.domain.money import LOT, MICROS, Size, Usdc
from betteroms.domain.position import Position
from betteroms.domain.terms import Shares
from tests.domain.strategies import books
from tests.sources.test_rules import STOP, TERMS, a_set, asked, holding


def _with_fill(position: Position, sold: int) -> Position:
    left = position.size - sold
    if left == 0:
        return Position(mode=position.mode, market_id=position.market_id, token_id=position.token_id)
    return replace(position, size=Size(left), cost_basis=Usdc(position.cost_basis * left // position.size))


@given(
    held=st.integers(5 * MICROS, 2_000 * MICROS),
    passes=st.lists(st.tuples(books(), st.integers(0, 100), st.booleans()), max_size=12),
)
def test_every_attempt_is_one_order_and_they_go_on_until_nothing_is_left_to_sell(
    held: int, passes: list[tuple[Book, int, bool]]
) -> None:
    """Fills of any part of each attempt; some passes are broken off and begin again from what was kept."""
    position = replace(holding(), size=Size(held), cost_basis=Usdc(held * 99 // 100))
    rules, kept = a_set(STOP), dict[str, Intent]()
    for book, percent, broken_off in passes:
        verdicts = asked(rules, position=position, book=book)
        assert asked(rules, position=position, book=book) == verdicts
        intents = [wish for wish in verdicts.wishes if isinstance(wish, Intent)]
        sellable = position.size // LOT * LOT
        if rules.trigger is not None and book.bids and sellable >= TERMS.minimum_size:
            assert len(intents) == 1
        if broken_off:
            continue
        rules = next(iter(verdicts.changed), rules)
        for wish in intents:
            assert order_id(wish.key) not in kept
            kept[order_id(wish.key)] = wish
            assert wish.wished_amount == Shares(size=Size(sellable))
            position = _with_fill(position, sellable * percent // 100)
    assert rules.attempts == len(kept)
    if position.size < TERMS.minimum_size:
        assert not [w for w in asked(rules, "0.01x9", position=position).wishes if isinstance(w, Intent)]
