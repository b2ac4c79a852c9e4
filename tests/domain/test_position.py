"""A position is the fold of its executions, and its sums always balance."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.execution import Execution
from betteroms.domain.money import MICROS, Price, Size, Usdc, cost, proceeds
from betteroms.domain.position import (
    EntryKind,
    Holding,
    LedgerEntry,
    Mark,
    Position,
    cost_removed,
    fold,
    mark,
    market_value,
)
from betteroms.domain.terms import Mode, Side
from tests.domain.examples import MARKET_ID, NOW, YES, an_execution, price, size, usdc

NOTHING = Position(mode=Mode.PAPER, market_id=MARKET_ID, token_id=YES)


@st.composite
def histories(draw: st.DrawFn) -> list[Execution]:
    """Fills as they can happen: never more sold than is held, whatever the prices and the fees."""
    held = 0
    history: list[Execution] = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        side = draw(st.sampled_from(Side)) if held else Side.BUY
        most = held if side is Side.SELL else 10**9
        amount = Size(draw(st.one_of(st.just(most), st.integers(1, most))))
        at = Price(draw(st.integers(1, MICROS - 1)))
        cash = Usdc(-cost(at, amount)) if side is Side.BUY else proceeds(at, amount)
        fee = Usdc(draw(st.integers(0, 10**6)) * 10)
        held += amount if side is Side.BUY else -amount
        fill = an_execution(side=side, number=number, executed_at=NOW + timedelta(seconds=number))
        history.append(replace(fill, price=at, size=amount, cash=cash, fee=fee))
    return history


@given(histories())
def test_realised_less_cost_basis_is_the_cash_less_the_fees(history: list[Execution]) -> None:
    position = fold(NOTHING, history)
    assert position.realised - position.cost_basis == sum(fill.cash - fill.fee for fill in history)
    assert position.fees == sum(fill.fee for fill in history)
    assert position.size == sum(fill.size if fill.side is Side.BUY else -fill.size for fill in history)


@given(histories(), st.data())
def test_fills_that_fail_on_the_chain_whenever_they_do_keep_the_sums_balanced(
    history: list[Execution], data: st.DataObject
) -> None:
    told: list[Execution] = []
    standing: list[Execution] = []
    for fill in history:
        told.append(fill)
        standing.append(fill)
        while data.draw(st.booleans()) and standing:
            ghost = standing.pop(data.draw(st.integers(0, len(standing) - 1)))
            told.append(undone(ghost))
    position = fold(NOTHING, told)
    moved = sum(fill.cash - fill.fee for fill in told)
    assert position.realised - position.cost_basis == moved
    assert moved == sum(fill.cash - fill.fee for fill in standing)
    assert position.fees == sum(fill.fee for fill in standing)
    assert position.size == sum(fill.size if fill.side is Side.BUY else -fill.size for fill in standing)
    if position.size == 0:
        assert (position.cost_basis, position.opened_at) == (0, None)


def undone(fill: Execution) -> Execution:
    """The row that takes a fill back: the same with opposite signs."""
    return replace(fill, size=Size(-fill.size), cash=Usdc(-fill.cash), fee=Usdc(-fill.fee))


@given(histories())
def test_the_fold_agrees_with_a_plain_reckoning_in_fractions(history: list[Execution]) -> None:
    held, basis, realised = Fraction(0), Fraction(0), Fraction(0)
    for fill in history:
        if fill.side is Side.BUY:
            held += fill.size
            basis += -fill.cash
        else:
            leaving = basis if fill.size == held else Fraction(ceil(basis * fill.size / held))
            held -= fill.size
            basis -= leaving
            realised += fill.cash - leaving
        realised -= fill.fee
    position = fold(NOTHING, history)
    assert [held, basis, realised] == [position.size, position.cost_basis, position.realised]


@given(histories(), st.integers(0, 12))
def test_folding_in_two_parts_equals_folding_the_whole(history: list[Execution], cut: int) -> None:
    assert fold(fold(NOTHING, history[:cut]), history[cut:]) == fold(NOTHING, history)


@given(histories())
def test_nothing_held_means_no_cost_and_no_clock(history: list[Execution]) -> None:
    position = fold(NOTHING, history)
    assert position.cost_basis >= 0
    if position.size == 0:
        assert position.cost_basis == 0
    assert (position.opened_at is None) == (position.size == 0)


def test_two_buys_are_held_at_their_average_cost() -> None:
    position = fold(
        NOTHING, [an_execution(at="0.40", filled="100"), an_execution(at="0.50", filled="50", number=2)]
    )
    assert position.size == size("150")
    assert position.cost_basis == usdc("65")
    assert Fraction(position.cost_basis, position.size) == Fraction(13, 30)  # 0.4333…


def test_a_sale_takes_its_share_of_the_cost_and_every_fee_is_charged_at_once() -> None:
    position = fold(
        NOTHING,
        [
            an_execution(at="0.40", filled="100", fee="1"),
            an_execution(side=Side.SELL, at="0.60", filled="25", fee="0.5", number=2),
        ],
    )
    assert position.size == size("75")
    assert position.cost_basis == usdc("30")
    assert position.realised == usdc("3.5")  # 15 received - 10 of cost - both fees
    assert position.fees == usdc("1.5")


def test_a_sale_that_is_reversed_after_everything_was_sold_keeps_the_sums_balanced() -> None:
    sale = an_execution(side=Side.SELL, at="0.60", filled="10", fee="0.1", number=2)
    undone = replace(sale, number=3, size=Size(-sale.size), cash=Usdc(-sale.cash), fee=Usdc(-sale.fee))
    history = [an_execution(at="0.40", filled="10"), sale, undone]
    position = fold(NOTHING, history)
    assert position.size == size("10")
    assert position.realised - position.cost_basis == sum(fill.cash - fill.fee for fill in history)


def test_the_clock_starts_at_the_fill_that_opened_it_from_nothing() -> None:
    later, latest = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    opened = fold(NOTHING, [an_execution(), an_execution(number=2, executed_at=later)])
    assert opened.opened_at == NOW
    closed = fold(opened, [an_execution(side=Side.SELL, filled="20", number=3, executed_at=latest)])
    assert closed.opened_at is None
    assert fold(closed, [an_execution(number=4, executed_at=latest)]).opened_at == latest


def a_payout(shares: str, cash: str) -> LedgerEntry:
    return LedgerEntry(
        key="a payout",
        mode=Mode.PAPER,
        kind=EntryKind.SETTLEMENT,
        cash=usdc(cash),
        at=NOW,
        market_id=MARKET_ID,
        token_id=YES,
        size=Size(-size(shares)),
    )


def test_a_payout_takes_the_shares_with_their_cost_and_its_cash_is_realised() -> None:
    holding = Holding(fold(NOTHING, [an_execution(at="0.40", filled="100", fee="1")]))
    holding.enter(a_payout("25", "25"))
    half = holding.position()
    assert (half.size, half.cost_basis, half.realised) == (size("75"), usdc("30"), usdc("14"))
    holding.enter(a_payout("75", "75"))
    assert holding.position() == replace(NOTHING, realised=usdc("59"), fees=usdc("1"))


def test_a_corrected_payout_moves_cash_alone() -> None:
    holding = Holding(fold(NOTHING, [an_execution(at="0.40", filled="100")]))
    holding.enter(a_payout("100", "100"))
    holding.enter(a_payout("0", "-100"))
    assert holding.position() == replace(NOTHING, realised=usdc("-40"))


def test_a_purchase_that_is_reversed_leaves_nothing_and_no_cost() -> None:
    bought = an_execution(at="0.40", filled="100", fee="1")
    undone = replace(
        bought, number=2, size=Size(-bought.size), cash=Usdc(-bought.cash), fee=Usdc(-bought.fee)
    )
    assert fold(NOTHING, [bought, undone]) == NOTHING


@given(st.integers(0, 10**15), st.integers(1, 10**12), st.integers(0, 10**12))
def test_the_cost_that_leaves_is_rounded_up_and_never_more_than_there_is(
    basis: int, held: int, sold: int
) -> None:
    leaving = cost_removed(cost_basis=Usdc(basis), held=Size(held), sold=Size(sold))
    assert 0 <= leaving <= basis
    if sold < held:
        assert leaving == ceil(Fraction(basis * sold, held))
    else:
        assert leaving == basis


@pytest.mark.parametrize(
    ("bid", "ask", "by", "marked"),
    [
        ("0.40", "0.50", "mid", Mark(doubled=900_000)),
        ("0.40", "0.405", "mid", Mark(doubled=805_000)),
        ("0.40", "0.500001", "mid", Mark(doubled=800_000)),
        ("0.40", None, "mid", Mark(doubled=800_000)),
        ("0.40", "0.42", "bid", Mark(doubled=800_000)),
        (None, "0.42", "mid", Mark(doubled=0, flag="NO_BID")),
        (None, None, "bid", Mark(doubled=0, flag="NO_BID")),
    ],
)
def test_a_holding_is_marked_at_a_trusted_mid_or_else_at_the_bid(
    bid: str | None, ask: str | None, by: str, marked: Mark
) -> None:
    best_bid = None if bid is None else price(bid)
    best_ask = None if ask is None else price(ask)
    assert mark(best_bid=best_bid, best_ask=best_ask, by=by) == marked


def test_a_holding_is_worth_its_mark_rounded_down() -> None:
    assert market_value(Mark(doubled=805_000), size("10")) == usdc("4.025")
    assert market_value(Mark(doubled=1), Size(1_999_999)) == 0
    assert market_value(Mark(doubled=0, flag="NO_BID"), size("10")) == 0
