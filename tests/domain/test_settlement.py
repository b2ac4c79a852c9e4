"""A resolved market pays once; a payout that was wrong is taken back and paid anew, never edited."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.ids import TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Size, Usdc
from betteroms.domain.position import EntryKind, Holding, LedgerEntry, Position
from betteroms.domain.settlement import payouts
from betteroms.domain.terms import Mode
from tests.domain.examples import MARKET_ID, NO, NOW, YES, a_market, size, usdc


def resolved(yes: int, no: int) -> Market:
    return replace(a_market(), closed=True, resolved=True, payouts=(yes, no))


def holding(shares: str, cost: str, *, token: TokenId = YES) -> Position:
    return Position(
        mode=Mode.PAPER,
        market_id=MARKET_ID,
        token_id=token,
        size=size(shares),
        cost_basis=usdc(cost),
        realised=usdc("-1"),
        fees=usdc("1"),
        opened_at=NOW,
    )


def settle(
    market: Market, held: list[Position], earlier: dict[TokenId, list[LedgerEntry]] | None = None
) -> list[LedgerEntry]:
    return payouts(
        market,
        {position.token_id: position for position in held},
        earlier or {},
        mode=Mode.PAPER,
        at=NOW,
    )


def booked(position: Position, entries: list[LedgerEntry]) -> Position:
    kept = Holding(position)
    for entry in entries:
        if entry.token_id == position.token_id:
            kept.enter(entry)
    return kept.position()


def test_the_winner_is_paid_a_dollar_a_share_and_the_loser_nothing() -> None:
    won, lost = holding("100", "40"), holding("50", "30", token=NO)
    entries = settle(resolved(MICROS, 0), [won, lost])
    assert [(e.kind, e.token_id, e.cash, e.size) for e in entries] == [
        (EntryKind.SETTLEMENT, YES, usdc("100"), size("-100")),
        (EntryKind.SETTLEMENT, NO, usdc("0"), size("-50")),
    ]
    after = booked(won, entries)
    assert (after.size, after.cost_basis, after.realised) == (0, 0, usdc("59"))
    assert after.opened_at is None
    assert booked(lost, entries).realised == usdc("-31")


@pytest.mark.parametrize(
    "market",
    [
        a_market(),
        replace(a_market(), closed=True),
        replace(a_market(), closed=True, resolved=True),
        replace(a_market(), closed=True, payouts=(MICROS, 0)),
    ],
)
def test_nothing_is_paid_before_the_payouts_are_final(market: Market) -> None:
    assert settle(market, [holding("100", "40")]) == []


def test_what_is_paid_is_rounded_down() -> None:
    third = 333_333
    (entry,) = settle(resolved(third, MICROS - third), [holding("0.000002", "0.000001")])
    assert entry.cash == 0
    assert entry.paid_for == 2


def test_a_market_pays_the_second_time_nothing() -> None:
    held = holding("100", "40")
    entries = settle(resolved(MICROS, 0), [held])
    assert settle(resolved(MICROS, 0), [booked(held, entries)], {YES: entries}) == []


def test_a_corrected_payout_is_taken_back_and_paid_anew() -> None:
    held = holding("100", "40")
    first = settle(resolved(MICROS, 0), [held])
    after = booked(held, first)
    second = settle(resolved(0, MICROS), [after], {YES: first})
    assert [(e.kind, e.cash, e.size, e.payout) for e in second] == [
        (EntryKind.REVERSAL, usdc("-100"), 0, MICROS),
        (EntryKind.SETTLEMENT, usdc("0"), 0, 0),
    ]
    final = booked(after, second)
    assert (final.size, final.realised) == (0, usdc("-41"))
    assert len({entry.key for entry in (*first, *second)}) == 3
    # And back again: the third word counts as much as the second.
    third = settle(resolved(MICROS, 0), [final], {YES: [*first, *second]})
    assert booked(final, third).realised == after.realised
    assert len({entry.key for entry in (*first, *second, *third)}) == 5


def test_shares_that_came_after_a_payout_are_paid_by_an_entry_of_their_own() -> None:
    first = settle(resolved(MICROS, 0), [holding("100", "40")])
    late = settle(resolved(MICROS, 0), [holding("10", "4")], {YES: first})
    assert [(e.cash, e.size) for e in late] == [(usdc("10"), size("-10"))]
    assert late[0].key != first[0].key


def test_all_that_was_paid_is_corrected_however_many_times_it_was_paid() -> None:
    first = settle(resolved(MICROS, 0), [holding("100", "40")])
    late = settle(resolved(MICROS, 0), [holding("10", "4")], {YES: first})
    corrected = settle(resolved(0, MICROS), [], {YES: [*first, *late]})
    assert [(e.kind, e.cash, e.paid_for) for e in corrected] == [
        (EntryKind.REVERSAL, usdc("-110"), size("110")),
        (EntryKind.SETTLEMENT, usdc("0"), size("110")),
    ]


@given(
    shares=st.integers(1, 10**12),
    cost=st.integers(0, 10**12),
    first=st.integers(0, MICROS),
    second=st.integers(0, MICROS),
)
def test_realised_less_cost_is_the_cash_whatever_was_paid(
    shares: int, cost: int, first: int, second: int
) -> None:
    start = Position(
        mode=Mode.PAPER,
        market_id=MARKET_ID,
        token_id=YES,
        size=Size(shares),
        cost_basis=Usdc(cost),
        realised=Usdc(0),
        opened_at=NOW,
    )
    entries = settle(resolved(first, MICROS - first), [start])
    middle = booked(start, entries)
    entries += settle(resolved(second, MICROS - second), [middle], {YES: entries})
    final = booked(start, entries)
    assert (final.size, final.cost_basis) == (0, 0)
    assert final.realised == sum(entry.cash for entry in entries) - cost
    assert sum(entry.cash for entry in entries) == second * shares // MICROS
