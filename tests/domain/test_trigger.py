"""When a rule says that a position is to be left: examples a trader can check, and exact fractions."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import MICROS, Price, Size, Usdc, to_micros
from betteroms.domain.position import Position
from betteroms.domain.rule import Cause
from betteroms.domain.terms import Mode
from betteroms.domain.trigger import asks_for_price, end_of, fired, sight
from tests.domain.examples import MARKET_ID, NOW, YES, a_book, a_market, price, size, usdc
from tests.domain.strategies import books

HOUR = timedelta(hours=1)


def holding(amount: str = "100", cost: str = "45") -> Position:
    """A hundred shares for 45 dollars, 0.45 each, unless said otherwise."""
    return Position(
        mode=Mode.PAPER,
        market_id=MARKET_ID,
        token_id=YES,
        size=size(amount),
        cost_basis=usdc(cost),
        opened_at=NOW,
    )


def pct(text: str) -> int:
    return to_micros(text)


def judged(
    rules: ExitRules,
    bids: str = "",
    *,
    position: Position | None = None,
    high: str | None = None,
    now: datetime = NOW,
    **market: object,
) -> tuple[Cause, str] | None:
    held = position or holding()
    return fired(
        rules,
        held,
        a_market(**market),
        seen=sight(a_book(bids=bids), held.size),
        high=None if high is None else price(high),
        opened_at=NOW,
        now=now,
    )


STOP = ExitRules(stop_loss_pct=pct("10"))
STOP_PRICE = ExitRules(stop_price=price("0.40"))
GAIN = ExitRules(take_profit_pct=pct("20"))
GAIN_PRICE = ExitRules(take_profit_price=price("0.80"))
TRAIL = ExitRules(trailing_stop_pct=pct("5"))


@pytest.mark.parametrize(
    ("rules", "bids", "told"),
    [
        (STOP, "0.41x100", None),
        (STOP, "0.405x100", (Cause.STOP_LOSS, "bid=0.405 stop=0.405 cost=0.45 pct=10")),
        (STOP, "0.42x50 0.39x50", (Cause.STOP_LOSS, "bid=0.405 stop=0.405 cost=0.45 pct=10")),
        (STOP, "0.42x50 0.391x50", None),
        (STOP, "0.42x50 0.39x50 0.01x900", (Cause.STOP_LOSS, "bid=0.405 stop=0.405 cost=0.45 pct=10")),
        (STOP, "0.38x40", (Cause.STOP_LOSS, "bid=0.38 stop=0.405 cost=0.45 pct=10 shown=40 size=100")),
        (STOP, "0.42x1", None),  # one share is no fall
        (STOP, "", None),
        (STOP_PRICE, "0.41x100", None),
        (STOP_PRICE, "0.40x100", (Cause.STOP_LOSS, "bid=0.4 stop=0.4")),
        (STOP_PRICE, "", None),
        (GAIN, "0.53x100", None),
        (GAIN, "0.54x100", (Cause.TAKE_PROFIT, "bid=0.54 target=0.54 cost=0.45 pct=20")),
        (GAIN, "0.60x50 0.48x50", (Cause.TAKE_PROFIT, "bid=0.54 target=0.54 cost=0.45 pct=20")),
        (GAIN, "0.99x5", None),  # five shares at a fine price are no reason to sell a hundred
        (GAIN, "0.90x60", (Cause.TAKE_PROFIT, "bid=0.9 target=0.54 cost=0.45 pct=20 shown=60 size=100")),
        (GAIN_PRICE, "0.79x100", None),
        (GAIN_PRICE, "0.80x100", (Cause.TAKE_PROFIT, "bid=0.8 target=0.8")),
        (GAIN_PRICE, "0.99x80", None),
    ],
)
def test_prices_are_judged_by_what_the_bids_pay_for_all_of_it(
    rules: ExitRules, bids: str, told: tuple[Cause, str] | None
) -> None:
    assert judged(rules, bids) == told


@pytest.mark.parametrize(
    ("high", "bids", "told"),
    [
        ("0.60", "0.58x100", None),
        ("0.60", "0.57x100", (Cause.TRAILING_STOP, "bid=0.57 stop=0.57 high=0.6 pct=5")),
        ("0.80", "0.70x100", (Cause.TRAILING_STOP, "bid=0.7 stop=0.76 high=0.8 pct=5")),
        ("0.60", "", None),
        (None, "0.10x100", None),  # no high was seen yet
    ],
)
def test_a_trailing_stop_follows_the_high(
    high: str | None, bids: str, told: tuple[Cause, str] | None
) -> None:
    assert judged(TRAIL, bids, high=high) == told


@pytest.mark.parametrize(
    ("hours", "after", "told"),
    [
        ("48", 48 * HOUR - timedelta(microseconds=1), None),
        ("48", 48 * HOUR, "held=48h max=48h opened=2026-11-20T12:00:00Z"),
        ("1.5", timedelta(minutes=95), "held=1.583333h max=1.5h opened=2026-11-20T12:00:00Z"),
    ],
)
def test_a_position_is_held_for_so_long(hours: str, after: timedelta, told: str | None) -> None:
    found = judged(ExitRules(hold_max_hours=pct(hours)), now=NOW + after)
    assert found == (None if told is None else (Cause.HOLD_MAX, told))


LEAVING = ExitRules(exit_before_close_seconds=3_600)
END = NOW + 5 * HOUR


@pytest.mark.parametrize(
    ("ends_at", "starts_at", "after", "told"),
    [
        (END, None, 4 * HOUR - timedelta(seconds=1), None),
        (END, None, 4 * HOUR, "end=2026-11-20T17:00:00Z left=3600s exit=3600s"),
        (END, None, 6 * HOUR, "end=2026-11-20T17:00:00Z left=-3600s exit=3600s"),
        (END, NOW + 2 * HOUR, HOUR, "end=2026-11-20T14:00:00Z left=3600s exit=3600s"),
        (END, NOW - HOUR, HOUR, None),  # that game had begun before we bought
        (None, NOW + 2 * HOUR, HOUR, "end=2026-11-20T14:00:00Z left=3600s exit=3600s"),
        (None, None, 900 * HOUR, None),
        (NOW - HOUR, None, HOUR, None),  # it trades on past its stated end
    ],
)
def test_a_position_is_left_so_long_before_the_end(
    ends_at: datetime | None, starts_at: datetime | None, after: timedelta, told: str | None
) -> None:
    found = judged(LEAVING, now=NOW + after, ends_at=ends_at, game_starts_at=starts_at)
    assert found == (None if told is None else (Cause.BEFORE_CLOSE, told))


def test_the_end_is_what_comes_first_after_the_opening() -> None:
    market = a_market(ends_at=END, game_starts_at=NOW + HOUR)
    assert end_of(market, NOW) == NOW + HOUR
    assert end_of(market, NOW + HOUR) == END
    assert end_of(market, END) is None


ALL = ExitRules(
    stop_loss_pct=pct("10"),
    take_profit_price=price("0.30"),
    trailing_stop_pct=pct("5"),
    hold_max_hours=pct("1"),
    exit_before_close_seconds=3_600,
)


def test_where_several_rules_fire_the_first_of_them_is_the_reason() -> None:
    """Stop-loss, trailing stop, before close, max hold, take-profit."""
    left = ALL
    causes: list[Cause] = []
    for dropped in (
        "stop_loss_pct",
        "trailing_stop_pct",
        "exit_before_close_seconds",
        "hold_max_hours",
        None,
    ):
        found = judged(left, "0.35x100", high="0.60", now=NOW + HOUR, ends_at=NOW + HOUR + HOUR / 2)
        assert found is not None
        causes.append(found[0])
        if dropped is not None:
            left = replace(left, **{dropped: None})
    assert causes == [
        Cause.STOP_LOSS,
        Cause.TRAILING_STOP,
        Cause.BEFORE_CLOSE,
        Cause.HOLD_MAX,
        Cause.TAKE_PROFIT,
    ]


def test_rules_of_time_need_no_price() -> None:
    assert not asks_for_price(ExitRules(hold_max_hours=1, exit_before_close_seconds=1, cool_down_minutes=1))
    for rules in (STOP, STOP_PRICE, GAIN, GAIN_PRICE, TRAIL):
        assert asks_for_price(rules)


PRICED = st.builds(
    ExitRules,
    stop_loss_pct=st.none() | st.integers(1, 100 * MICROS - 1),
    stop_price=st.none() | st.integers(1, MICROS - 1).map(Price),
    take_profit_pct=st.none() | st.integers(1, 300 * MICROS),
    take_profit_price=st.none() | st.integers(1, MICROS - 1).map(Price),
    trailing_stop_pct=st.none() | st.integers(1, 100 * MICROS - 1),
)


def naive(rules: ExitRules, book: Book, held: int, cost: int, high: int | None) -> Cause | None:
    """The rules once more, in fractions of dollars, from the words of docs/exit-rules.md."""
    missing, paid = Fraction(held, MICROS), Fraction(0)
    for level in book.bids:
        bite = min(Fraction(level.size, MICROS), missing)
        paid += bite * Fraction(level.price, MICROS)
        missing -= bite
    total = Fraction(held, MICROS)
    displayed, whole = paid / (total - missing), paid / total
    average_cost = Fraction(cost, MICROS) / total
    percent = Fraction(1, 100 * MICROS)
    falls = [] if rules.stop_price is None else [Fraction(rules.stop_price, MICROS)]
    if rules.stop_loss_pct is not None:
        falls.append(average_cost * (1 - rules.stop_loss_pct * percent))
    if any(displayed <= fall for fall in falls):
        return Cause.STOP_LOSS
    trailing = None if high is None else rules.trailing_stop_pct
    if trailing is not None and displayed <= Fraction(high or 0, MICROS) * (1 - trailing * percent):
        return Cause.TRAILING_STOP
    rises = [] if rules.take_profit_price is None else [Fraction(rules.take_profit_price, MICROS)]
    if rules.take_profit_pct is not None:
        rises.append(average_cost * (1 + rules.take_profit_pct * percent))
    return Cause.TAKE_PROFIT if any(whole >= rise for rise in rises) else None


@given(
    rules=PRICED,
    book=books(),
    held=st.integers(1, 100_000 * MICROS),
    cost=st.integers(1, 99 * 10_000),
    high=st.none() | st.integers(0, MICROS - 1),
)
def test_no_judgement_differs_from_one_in_fractions(
    rules: ExitRules, book: Book, held: int, cost: int, high: int | None
) -> None:
    basis = max(held * cost // MICROS, 1)
    position = replace(holding(), size=Size(held), cost_basis=Usdc(basis))
    seen = sight(book, held)
    if seen is None:
        assert not book.bids
        return
    known = None if high is None else Price(high)
    found = fired(rules, position, a_market(), seen=seen, high=known, opened_at=NOW, now=NOW)
    assert (found and found[0]) == naive(rules, book, held, basis, high)
    assert seen.thin == (sum(level.size for level in book.bids) < held)
    assert seen.high * held <= seen.paid < (seen.high + 1) * held
