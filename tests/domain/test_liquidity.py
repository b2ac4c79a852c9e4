"""What we took from a level stays taken until a newer book shows it again (DECISIONS 4.1)."""

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import mirror
from betteroms.domain.ids import MarketId
from betteroms.domain.liquidity import LiquidityMemory, Taken, level_key
from betteroms.domain.money import Price, Size
from tests.domain.examples import BOOK_MS, MARKET_ID, NO, a_book, price, size

OTHER = MarketId("0x" + "a0" * 32)


def remembered(memory: LiquidityMemory) -> dict[int, int]:
    return {row.price: row.size for row in memory.rows()}


def taken(at: str, amount: str, *, stamp: int = BOOK_MS, market: MarketId = MARKET_ID) -> Taken:
    return Taken(market_id=market, price=price(at), size=size(amount), changed_at_ms=stamp)


def available(memory: LiquidityMemory, shown: str, at: str = "0.50") -> int:
    return size(shown) - memory.of(MARKET_ID).get(price(at), 0)


def test_the_example_of_the_rule_holds() -> None:
    memory = LiquidityMemory()
    memory.observe(a_book(asks="0.50x100"), 0)
    memory.take(MARKET_ID, price("0.50"), size("60"))

    memory.observe(a_book(asks="0.50x100", changed_at_ms=BOOK_MS + 1), 0)
    assert available(memory, "100") == size("40")
    memory.observe(a_book(asks="0.50x30", changed_at_ms=BOOK_MS + 2), 0)
    assert available(memory, "30") == 0
    assert remembered(memory) == {price("0.50"): size("30")}
    memory.observe(a_book(asks="0.50x100", changed_at_ms=BOOK_MS + 3), 0)
    assert available(memory, "100") == size("70")


def test_a_book_that_is_not_newer_changes_nothing() -> None:
    memory = LiquidityMemory([taken("0.50", "60")])
    for stamp in (BOOK_MS, BOOK_MS - 1, 0):
        memory.observe(a_book(asks="0.50x10", changed_at_ms=stamp), 0)
        memory.observe(a_book(changed_at_ms=stamp), 0)
    assert remembered(memory) == {price("0.50"): size("60")}
    assert memory.touched == set()


def test_a_level_that_vanished_is_forgotten() -> None:
    memory = LiquidityMemory([taken("0.50", "60"), taken("0.40", "5")])
    memory.observe(a_book(asks="0.50x100", changed_at_ms=BOOK_MS + 1), 0)
    assert remembered(memory) == {price("0.50"): size("60")}
    assert memory.touched == {MARKET_ID}
    memory.observe(a_book(changed_at_ms=BOOK_MS + 2), 0)
    assert memory.rows() == []


def test_both_sides_of_the_book_are_looked_at() -> None:
    memory = LiquidityMemory([taken("0.50", "60"), taken("0.40", "50")])
    memory.observe(a_book(bids="0.40x20", asks="0.50x30", changed_at_ms=BOOK_MS + 1), 0)
    assert remembered(memory) == {price("0.40"): size("20"), price("0.50"): size("30")}


def test_a_level_of_the_complement_is_the_same_level() -> None:
    assert level_key(price("0.38"), 0) == price("0.38")
    assert level_key(price("0.62"), 1) == price("0.38")
    memory = LiquidityMemory([taken("0.50", "60"), taken("0.38", "7")])
    newer = a_book(bids="0.38x5", asks="0.50x40", changed_at_ms=BOOK_MS + 1)
    memory.observe(mirror(newer, NO), 1)
    assert remembered(memory) == {price("0.38"): size("5"), price("0.50"): size("40")}


def test_a_level_shown_with_nothing_has_vanished() -> None:
    memory = LiquidityMemory([taken("0.50", "60")])
    memory.observe(a_book(asks="0.50x0", changed_at_ms=BOOK_MS + 1), 0)
    assert memory.rows() == []


def test_the_stamp_of_the_newest_book_is_remembered_with_each_level() -> None:
    memory = LiquidityMemory([taken("0.50", "60", stamp=BOOK_MS - 9)])
    memory.observe(a_book(asks="0.50x100", changed_at_ms=BOOK_MS), 0)
    memory.observe(a_book(asks="0.50x100", changed_at_ms=BOOK_MS - 4), 0)
    assert memory.rows() == [taken("0.50", "60")]


def test_a_book_seen_before_anything_was_taken_dates_the_memory() -> None:
    memory = LiquidityMemory()
    memory.observe(a_book(asks="0.50x100"), 0)
    assert memory.touched == set()
    memory.take(MARKET_ID, price("0.50"), size("60"))
    assert memory.touched == {MARKET_ID}
    memory.observe(a_book(asks="0.50x10"), 0)
    assert memory.rows() == [taken("0.50", "60")]


def test_markets_are_apart_and_rows_are_in_order() -> None:
    rows = [taken("0.50", "1"), taken("0.30", "2"), taken("0.40", "3", market=OTHER)]
    memory = LiquidityMemory(rows)
    assert memory.rows() == [rows[1], rows[0], rows[2]]
    assert memory.rows([OTHER]) == [rows[2]]
    assert memory.rows([MarketId("0x00")]) == []
    memory.observe(a_book(changed_at_ms=BOOK_MS + 1), 0)
    assert memory.rows() == [rows[2]]


def test_matching_counts_on_the_live_levels() -> None:
    memory = LiquidityMemory()
    memory.of(MARKET_ID)[price("0.50")] = size("3")
    memory.of(MARKET_ID)[price("0.60")] = 0
    assert remembered(memory) == {price("0.50"): size("3")}


SHOWN = st.one_of(st.none(), st.integers(0, 100).map(lambda lots: lots * 10_000))


@given(
    st.lists(st.tuples(st.integers(0, 3), SHOWN, st.integers(0, 60).map(lambda lots: lots * 10_000))),
)
def test_any_history_of_one_level_follows_the_rule(history: list[tuple[int, int | None, int]]) -> None:
    memory = LiquidityMemory()
    expected, newest, stamp = 0, 0, 10
    for step, shown, wanted in history:
        stamp += step - 1
        asks = "" if shown is None else f"0.50x{shown / 1_000_000}"
        memory.observe(a_book(asks=asks, changed_at_ms=stamp), 0)
        if stamp > newest:
            expected = min(expected, shown or 0)
            newest = stamp
        assert remembered(memory).get(Price(500_000), 0) == expected
        memory.take(MARKET_ID, Price(500_000), Size(wanted))
        expected += wanted
