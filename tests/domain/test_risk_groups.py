"""The worst case of an event, against a reference that tries every winner and every way bids may fill."""

from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.ids import MarketId
from betteroms.domain.risk.groups import AtStake, event_of, worst_case

HUNDRED = 100_000_000
MARKET = MarketId("0x1")
FILLINGS = ((False, False), (False, True), (True, False), (True, True))


@st.composite
def at_stake(draw: st.DrawFn, groups: Sequence[str | None] = (None, "a", "b")) -> AtStake:
    amounts = st.integers(0, 200)
    return AtStake(
        group_id=draw(st.sampled_from(groups)),
        cost=draw(amounts),
        sizes=(draw(amounts), draw(amounts)),
        bids=(draw(amounts), draw(amounts)),
    )


def lost(market: AtStake, *, first_wins: bool, filled: tuple[bool, bool]) -> int:
    """Dollars lost in one market, if these of its bids filled: a bid brings two shares for each dollar."""
    paid = market.cost + sum(cost for cost, fills in zip(market.bids, filled, strict=True) if fills)
    winner = 0 if first_wins else 1
    return paid - market.sizes[winner] - (2 * market.bids[winner] if filled[winner] else 0)


def reference(markets: Sequence[AtStake]) -> int:
    """Every allowed set of winners, and in each market every way the bids may fill."""
    worst = None
    for winners in product((True, False), repeat=len(markets)):
        grouped = [
            market.group_id
            for market, first in zip(markets, winners, strict=True)
            if first and market.group_id
        ]
        if len(grouped) != len(set(grouped)):
            continue
        total = sum(
            max(lost(market, first_wins=first, filled=filled) for filled in FILLINGS)
            for market, first in zip(markets, winners, strict=True)
        )
        worst = total if worst is None else max(worst, total)
    assert worst is not None
    return worst


@given(st.lists(at_stake(), max_size=6))
def test_the_worst_winner_is_found(markets: list[AtStake]) -> None:
    assert worst_case(markets) == reference(markets)


@given(st.lists(at_stake(), max_size=5), at_stake(), st.integers(0, 1), st.integers(0, 200))
def test_a_bid_never_makes_the_worst_case_better(
    others: list[AtStake], market: AtStake, outcome: int, spent: int
) -> None:
    before = worst_case([*others, market])
    after = worst_case([*others, market.with_bid(outcome, spent)])
    assert before <= after <= before + spent


def test_one_market_loses_what_its_losing_side_cost() -> None:
    yes = AtStake().with_holding(0, size=HUNDRED, cost=40)
    assert worst_case([yes]) == 40
    assert worst_case([yes.with_holding(1, size=HUNDRED, cost=55)]) == 95 - HUNDRED
    assert worst_case([]) == 0


def test_in_an_exclusive_group_no_two_win() -> None:
    no = AtStake(group_id="a").with_holding(1, size=100, cost=70)
    assert worst_case([no]) == 70
    assert worst_case([no, no]) == 40
    assert worst_case([no, no, no]) == 10
    assert worst_case([no, no._replace(group_id="b")]) == 140
    yes = AtStake(group_id="a").with_holding(0, size=100, cost=40)
    assert worst_case([yes, yes]) == 80


def test_an_event_is_named_by_its_slug_else_by_its_group_else_by_its_market() -> None:
    assert event_of(MARKET, group_id="0xg", event_slug="cup") == "cup"
    assert event_of(MARKET, group_id="0xg", event_slug=None) == "0xg"
    assert event_of(MARKET, group_id=None, event_slug=None) == "0x1"
