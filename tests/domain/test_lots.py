"""Lots, first in first out: what leaves is the oldest, and whatever happens every dollar is accounted for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.lots import Lot, Lots
from betteroms.domain.period import Period
from betteroms.domain.position import Holding, Position
from betteroms.domain.terms import Mode

NOW = datetime.fromisoformat("2026-11-20T12:00:00Z")
OWNERS = ("june", "july", None)


@dataclass(frozen=True, kw_only=True)
class Move:
    """Something that happened to a token; an entry has neither fee nor owner."""

    kind: str
    size: int
    cash: int
    fee: int = 0
    owner: str | None = None
    at: datetime = NOW


def told(moves: list[Move], period: Period | None = None, closed: list[Lot] | None = None) -> Lots:
    lots = Lots(period or Period(), closed=closed)
    for move in moves:
        tell(lots, move)
    return lots


def tell(lots: Lots, move: Move) -> None:
    if move.kind == "buy":
        lots.buy(move.size, move.cash, move.fee, move.at, move.owner)
    elif move.kind == "sell":
        lots.sell(move.size, move.cash, move.fee, move.at, move.owner)
    else:
        lots.leave(move.size, move.cash, move.at)


@st.composite
def histories(draw: st.DrawFn, *, wild: bool = False) -> list[Move]:
    """Fills, payouts and corrections; `wild` ones sell what is not there, and take fills back."""
    held, moves = 0, []
    for number in range(draw(st.integers(0, 14))):
        kinds = ["buy", "sell", "leave"] if held > 0 or wild else ["buy"]
        kind = draw(st.sampled_from(kinds))
        most = held if kind != "buy" and held > 0 and not wild else 10**8
        size = draw(st.one_of(st.just(most), st.integers(1, most)))
        cash = draw(st.integers(0, size)) * (-1 if kind == "buy" else 1)
        fee = draw(st.integers(0, 10**5)) if kind != "leave" else 0
        if wild and kind != "leave" and draw(st.booleans()):
            size, cash, fee = -size, -cash, -fee
        if kind == "leave" and draw(st.booleans()):
            size, cash = 0, draw(st.integers(-(10**8), 10**8))
        owner = draw(st.sampled_from(OWNERS)) if kind != "leave" else None
        # Several fills of one moment are common: the clock does not always move on.
        at = NOW + timedelta(minutes=number // draw(st.integers(1, 3)))
        moves.append(Move(kind=kind, size=size, cash=cash, fee=fee, owner=owner, at=at))
        held += size if kind == "buy" else -size
    return moves


def everything(lots: Lots) -> int:
    """Gains less fees less what is still tied up."""
    return sum(lots.gross.values()) - sum(lots.fees.values()) - sum(lot.cost for lot in lots.left)


@given(histories(wild=True))
def test_gains_less_fees_less_cost_are_the_cash_less_the_fees(moves: list[Move]) -> None:
    assert everything(told(moves)) == sum(move.cash - move.fee for move in moves)


@given(histories(wild=True))
def test_the_lots_hold_what_came_and_did_not_leave(moves: list[Move]) -> None:
    lots = told(moves)
    held = sum(move.size if move.kind == "buy" else -move.size for move in moves)
    assert sum(lot.size for lot in lots.left) - lots.short == held
    assert all(lot.size > 0 for lot in lots.left)
    assert not (lots.left and lots.short)


@given(histories())
def test_over_what_was_closed_lots_and_average_cost_agree(moves: list[Move]) -> None:
    held = sum(move.size if move.kind == "buy" else -move.size for move in moves)
    if held:
        moves = [*moves, Move(kind="leave", size=held, cash=held // 2)]
    lots = told(moves)
    holding = Holding(Position(mode=Mode.PAPER, market_id=MarketId("0x1"), token_id=TokenId("1")))
    for move in moves:
        if move.kind == "buy":
            holding.buy(move.size, move.cash, move.fee, move.at)
        elif move.kind == "sell":
            holding.sell(move.size, move.cash, move.fee)
        else:
            holding.leave(move.size, move.cash)
    assert (holding.size, lots.left) == (0, ())
    assert everything(lots) == holding.realised
    assert sum(lots.fees.values()) == holding.fees


@given(histories(wild=True), st.integers(0, 15))
def test_the_gains_of_two_periods_add_up_to_those_of_both(moves: list[Move], cut: int) -> None:
    middle = NOW + timedelta(minutes=cut)
    whole = told(moves)
    parts = [told(moves, Period(until=middle)), told(moves, Period(since=middle))]
    for owner in OWNERS:
        assert whole.gross.get(owner, 0) == sum(part.gross.get(owner, 0) for part in parts)
        assert whole.fees.get(owner, 0) == sum(part.fees.get(owner, 0) for part in parts)


@dataclass
class Bought:
    """A purchase in the plain queue."""

    owner: str | None
    at: datetime
    bought: int
    size: int
    cost: int


def naive(moves: list[Move]) -> tuple[dict[str | None, int], list[Bought]]:
    """Gains by owner and what is left, with a plain list and nothing clever; no reversals, nothing short."""
    gains: dict[str | None, int] = {}
    queue: list[Bought] = []
    paid_to: list[tuple[str | None, int, int]] = []
    for move in moves:
        if move.kind == "buy":
            queue.append(
                Bought(owner=move.owner, at=move.at, bought=move.size, size=move.size, cost=-move.cash)
            )
            queue[-2:] = merged(queue[-2:])
            continue
        if move.size:
            pieces = taken(queue, move.size)
            paid_to = [(owner, size, 0) for owner, size, _ in pieces] if move.kind == "leave" else paid_to
        else:
            pieces = paid_to or [(None, 1, 0)]
        whole, before = sum(size for _, size, _ in pieces), 0
        for owner, size, cost in pieces:
            upto = floor(Fraction(move.cash * (before + size), whole))
            gains[owner] = gains.get(owner, 0) + upto - floor(Fraction(move.cash * before, whole)) - cost
            before += size
    return gains, queue


def merged(last: list[Bought]) -> list[Bought]:
    """What one plan bought at one moment, as long as nothing of it is sold, is one lot."""
    if len(last) < 2:
        return last
    old, new = last
    if (old.owner, old.at, old.size) != (new.owner, new.at, old.bought):
        return last
    size = old.size + new.size
    return [Bought(owner=new.owner, at=new.at, bought=size, size=size, cost=old.cost + new.cost)]


def taken(queue: list[Bought], size: int) -> list[tuple[str | None, int, int]]:
    """Owner, shares and cost of what goes, from the front."""
    pieces = []
    while size:
        first = queue[0]
        used = min(first.size, size)
        cost = ceil(Fraction(first.cost * used, first.size))
        pieces.append((first.owner, used, cost))
        first.size, first.cost, size = first.size - used, first.cost - cost, size - used
        if first.size == 0:
            queue.pop(0)
    return pieces


@given(histories())
def test_lots_agree_with_a_plain_queue(moves: list[Move]) -> None:
    gains, left = naive(moves)
    lots = told(moves)
    assert {owner: gain for owner, gain in lots.gross.items() if gain} == {
        owner: gain for owner, gain in gains.items() if gain
    }
    assert [(lot.owner, lot.opened_at, lot.size, lot.cost) for lot in lots.left] == [
        (lot.owner, lot.at, lot.size, lot.cost) for lot in left
    ]


def test_the_oldest_lot_is_sold_first_and_its_buyer_gains() -> None:
    later = NOW + timedelta(hours=1)
    closed: list[Lot] = []
    lots = told(
        [
            Move(kind="buy", size=100, cash=-40, fee=1, owner="june"),
            Move(kind="buy", size=100, cash=-60, fee=2, owner="july", at=later),
            Move(kind="sell", size=150, cash=105, fee=3, owner="july", at=later),
        ],
        closed=closed,
    )
    # 100 of june's at 70 for 40, 50 of july's at 35 for 30; the fee of the sale is july's.
    assert lots.gross == {"june": 30, "july": 5}
    assert lots.fees == {"june": 1, "july": 5}
    assert lots.left == (Lot(owner="july", opened_at=later, bought=100, paid=60, size=50, cost=30, gross=5),)
    assert closed == [Lot(owner="june", opened_at=NOW, bought=100, paid=40, size=0, cost=0, gross=30)]


def test_the_fills_of_one_plan_at_one_moment_are_one_lot() -> None:
    lots = told([Move(kind="buy", size=10, cash=-4, owner="june")] * 2)
    assert lots.left == (Lot(owner="june", opened_at=NOW, bought=20, paid=8, size=20, cost=8),)


def test_a_payout_goes_to_those_who_held_and_a_correction_to_those_who_were_paid() -> None:
    later = NOW + timedelta(hours=1)
    bought = [
        Move(kind="buy", size=30, cash=-12, owner="june"),
        Move(kind="buy", size=10, cash=-5, owner="july", at=later),
    ]
    paid = told([*bought, Move(kind="leave", size=40, cash=40, at=later)])
    assert paid.gross == {"june": 18, "july": 5}
    tell(paid, Move(kind="leave", size=0, cash=-40, at=later))
    assert paid.gross == {"june": -12, "july": -5}


def test_a_correction_of_nothing_that_was_paid_belongs_to_nobody() -> None:
    assert told([Move(kind="leave", size=0, cash=-7)]).gross == {None: -7}


@pytest.mark.parametrize("owner", ["june", "july"])
def test_a_purchase_that_never_was_takes_its_own_latest_shares_away(owner: str) -> None:
    later = NOW + timedelta(hours=1)
    bought = [
        Move(kind="buy", size=10, cash=-4, fee=1, owner="june"),
        Move(kind="buy", size=10, cash=-6, fee=1, owner="july", at=later),
    ]
    undone = next(move for move in bought if move.owner == owner)
    reversal = Move(kind="buy", size=-10, cash=-undone.cash, fee=-1, owner=owner, at=later)
    lots = told([*bought, reversal])
    assert [lot.owner for lot in lots.left] == ["july" if owner == "june" else "june"]
    assert lots.fees[owner] == 0
    assert sum(lots.gross.values()) == 0


def test_a_sale_that_never_was_brings_its_shares_back_at_what_they_were_sold_for() -> None:
    lots = told(
        [
            Move(kind="buy", size=10, cash=-4, owner="june"),
            Move(kind="sell", size=10, cash=7, owner="july"),
            Move(kind="sell", size=-10, cash=-7, owner="july"),
        ]
    )
    assert lots.gross["june"] == 3
    assert [(lot.owner, lot.size, lot.cost) for lot in lots.left] == [("july", 10, 7)]


def test_what_was_sold_and_not_there_is_covered_by_what_comes_later() -> None:
    lots = told([Move(kind="sell", size=10, cash=7, owner="june")])
    assert (lots.short, lots.gross) == (10, {"june": 7})
    tell(lots, Move(kind="buy", size=4, cash=-2, owner="july"))
    assert (lots.short, lots.left, lots.gross["july"]) == (6, (), -2)
    tell(lots, Move(kind="sell", size=-3, cash=-1, owner="june"))
    assert (lots.short, lots.left, lots.gross["june"]) == (3, (), 6)
    tell(lots, Move(kind="buy", size=5, cash=-3, owner="july"))
    assert lots.short == 0
    assert [(lot.owner, lot.size, lot.cost) for lot in lots.left] == [("july", 2, 1)]
